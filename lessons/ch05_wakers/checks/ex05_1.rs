//! The check of exercise 5.1.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex05_1.rs"]
mod exercise;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use checker::contract::{Breach, Complete, Probe, check_future};
use checker::{Verdict, lock, messages};
use exercise::{Promised, promise};

fn main() -> ExitCode {
    checker::run(
        "ex05_1",
        &[
            ("3.1", each_poll_returns),
            ("5.1", leaves_its_waker),
            ("5.3", keeps_the_latest_waker),
            ("5.2", nothing_comes_in_between),
            ("5.8", wakers_are_left_alone_under_the_lock),
        ],
    )
}

fn make() -> (Promised<u32>, Complete) {
    let (promise, promised) = promise();
    let promise = RefCell::new(Some(promise));
    // Who has set the result lets go of the slot: a waker that is left in it ends with the future.
    let complete = move || {
        if let Some(promise) = promise.take() {
            lock::when_free(move || promise.set(7));
        }
    };
    (promised, Box::new(complete))
}

/// Ends in the line that took the lock twice, if one did.
fn until_it_waits_for_itself<R>(code: impl FnOnce() -> R) -> Result<R, u32> {
    catch_unwind(AssertUnwindSafe(code))
        .map_err(|payload| lock::taken_twice().unwrap_or_else(|| resume_unwind(payload)))
}

/// Pending twice and then ready, and ready at once.
fn each_poll_returns() -> Verdict {
    let polls = || {
        for pauses in [2, 0] {
            let (promise, promised) = promise();
            let mut promised = pin!(promised);
            for poll in 0..=pauses {
                if poll == pauses {
                    promise.set(7);
                }
                let _: Poll<u32> = promised.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }
        }
    };
    until_it_waits_for_itself(polls).map_err(messages::waits_for_itself)?;
    if lock::was_used() { Ok(()) } else { Err(messages::has_another_lock().to_owned()) }
}

/// Another rule's check, of code that keeps rule 3.1: what breaks that would wait for ever in others.
fn if_each_poll_returns(check: impl FnOnce() -> Verdict) -> Verdict {
    if each_poll_returns().is_err() {
        return Ok(());
    }
    until_it_waits_for_itself(check).unwrap_or_else(|line| Err(messages::waits_for_itself(line)))
}

/// The first breach, if it is one of those: the others are other rules'.
fn only(breaches: &[Breach]) -> Verdict {
    match check_future(make) {
        Err(breach) if breaches.contains(&breach) => Err(messages::breach(breach).to_owned()),
        _ => Ok(()),
    }
}

/// What polls do with nothing to see, each with a waker of its own.
#[derive(Default)]
struct Idle {
    polls: usize,
    /// Calls of the waker of the poll itself, and of wakers of polls before it.
    own: usize,
    older: usize,
    /// Whether the waker of the last poll is kept.
    is_kept: bool,
}

fn poll_in_vain() -> Idle {
    let (_promise, promised) = promise::<u32>();
    let mut promised = pin!(promised);
    let (mut probes, mut idle) = (Vec::<Probe>::new(), Idle::default());
    while idle.polls < 10 {
        let probe = Probe::new();
        let wakes = |probes: &[Probe]| probes.iter().map(Probe::wakes).sum::<usize>();
        let before = wakes(&probes);
        if probe.poll(promised.as_mut()).is_ready() {
            break;
        }
        idle.polls += 1;
        idle.own += probe.wakes();
        idle.older += wakes(&probes) - before;
        idle.is_kept = probe.alive() > 0;
        probes.push(probe);
    }
    idle
}

fn leaves_its_waker() -> Verdict {
    if_each_poll_returns(|| {
        let idle = poll_in_vain();
        if idle.own > 0 {
            return Err(messages::wakes_itself(idle.polls, idle.own, idle.is_kept));
        }
        only(&[
            Breach::ReadyTooSoon,
            Breach::PendingTooLong,
            Breach::KeptNoWaker,
            Breach::WokeNobody,
            Breach::LeakedWakers,
            Breach::DroppedTooOften,
        ])
    })
}

fn keeps_the_latest_waker() -> Verdict {
    if_each_poll_returns(|| {
        let idle = poll_in_vain();
        if idle.older > 0 {
            return Err(messages::wakes_those_before(idle.polls, idle.older));
        }
        only(&[Breach::WokeTheOldWaker, Breach::KeptOneWakerPerPoll])
    })
}

fn nothing_comes_in_between() -> Verdict {
    if_each_poll_returns(|| {
        only(&[Breach::LostTheWakeInTheWindow])?;
        if check_future(make).is_err() {
            return Ok(());
        }
        comes_in(0)?;
        comes_in(1)
    })
}

/// After so many polls the result comes in each time that the lock is let go of during the next one: after the first
/// time, the second, …
fn comes_in(polls_before: usize) -> Verdict {
    for times in 1..=20 {
        let (promise, promised) = promise();
        let (promise, is_set) = (Rc::new(promise), Rc::new(Cell::new(false)));
        let probe = Probe::new();
        let mut promised = pin!(promised);
        let mut poll = || probe.poll(promised.as_mut()).is_ready();
        for _ in 0..polls_before {
            poll();
        }
        let (other, told) = (promise.clone(), is_set.clone());
        lock::at_release(times, move || {
            told.set(true);
            other.set(7);
        });
        let is_ready = poll();
        let came_in = is_set.get();
        lock::let_all_in();
        let is_ready = is_ready || probe.wakes() > 0 && poll();
        if !is_ready {
            return Err(messages::breach(Breach::LostTheWakeInTheWindow).to_owned());
        }
        if !came_in {
            break;
        }
    }
    Ok(())
}

/// What a waker points to: it tells what was done to it while the lock was held.
struct Watched;

thread_local! {
    static UNDER_THE_LOCK: Cell<Option<&'static str>> = const { Cell::new(None) };
}

impl Watched {
    fn look(what: &'static str) {
        if lock::is_held() && UNDER_THE_LOCK.get().is_none() {
            UNDER_THE_LOCK.set(Some(what));
        }
    }
}

impl Wake for Watched {
    fn wake(self: Arc<Self>) {
        Watched::look("called");
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        Watched::look("dropped");
    }
}

fn wakers_are_left_alone_under_the_lock() -> Verdict {
    if_each_poll_returns(|| {
        let (promise, promised) = promise();
        let mut promised = pin!(promised);
        // The clone that is kept is the last one as soon as the poll is over.
        let poll = |promised: &mut Pin<&mut Promised<u32>>| {
            let waker = Waker::from(Arc::new(Watched));
            let _: Poll<u32> = promised.as_mut().poll(&mut Context::from_waker(&waker));
        };
        (0..3).for_each(|_| poll(&mut promised));
        let probe = Probe::new();
        probe.on_clone(Box::new(|| Watched::look("cloned")));
        let _: bool = probe.poll(promised.as_mut()).is_ready();
        poll(&mut promised);
        if let Some(what) = UNDER_THE_LOCK.take() {
            return Err(messages::under_the_lock("`poll`", what));
        }
        promise.set(7);
        if let Some(what) = UNDER_THE_LOCK.take() {
            return Err(messages::under_the_lock("`set`", what));
        }
        poll(&mut promised);
        UNDER_THE_LOCK.take().map_or(Ok(()), |what| Err(messages::under_the_lock("`poll`", what)))
    })
}
