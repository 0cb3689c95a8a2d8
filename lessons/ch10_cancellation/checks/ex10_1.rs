//! The check of exercise 10.1.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex10_1.rs"]
mod exercise;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::rc::Rc;
use std::task::Poll;

use checker::contract::Probe;
use checker::endless::Endless;
use checker::{Verdict, messages};
use clock::{Piece, Sleep, World};
use exercise::Timeout;

fn main() -> ExitCode {
    checker::run(
        "ex10_1",
        &[
            ("10.5", drops_what_is_too_slow),
            ("3.1", each_poll_returns),
            ("5.1", is_woken_when_it_can_go_on),
            ("4.3", wakes_nobody_itself),
        ],
    )
}

/// A virtual clock, a sleep, and a future of which the check knows when it is ready.
mod clock {
    use std::cell::{Cell, RefCell};
    use std::pin::Pin;
    use std::rc::Rc;
    use std::task::{Context, Poll, Waker};

    use crate::checker::endless::count;

    /// No poll of a check polls one of the two so often; past it they are ended from within.
    pub const TOO_MANY: usize = 1_000;

    #[derive(Default)]
    pub struct World {
        pub now: Cell<u64>,
        /// In this poll of the timeout.
        pub polls_of_future: Cell<usize>,
        pub polls_of_sleep: Cell<usize>,
        /// In some poll of the timeout both were polled, the sleep first.
        pub is_sleep_first: Cell<bool>,
        /// The future has given its result.
        pub was_ready: Cell<bool>,
        /// The second in which the future was dropped.
        pub dropped: Cell<Option<u64>>,
        /// Whom to wake at the deadline, and when something happens to the future.
        pub at_deadline: RefCell<Option<Waker>>,
        pub at_event: RefCell<Option<Waker>>,
    }

    impl World {
        pub fn begin_poll(&self) {
            self.polls_of_future.set(0);
            self.polls_of_sleep.set(0);
        }
    }

    pub fn wake(waker: &RefCell<Option<Waker>>) {
        let waker = waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn keep(place: &RefCell<Option<Waker>>, waker: &Waker) {
        let old = place.replace(Some(waker.clone()));
        drop(old);
    }

    pub struct Sleep {
        pub world: Rc<World>,
        pub deadline: u64,
    }

    impl Future for Sleep {
        type Output = ();

        fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
            count(&self.world.polls_of_sleep, TOO_MANY);
            if self.world.now.get() >= self.deadline {
                return Poll::Ready(());
            }
            keep(&self.world.at_deadline, context.waker());
            Poll::Pending
        }
    }

    /// Ready from a second on.
    pub struct Piece {
        pub world: Rc<World>,
        pub ready: u64,
    }

    impl Future for Piece {
        type Output = u64;

        fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u64> {
            count(&self.world.polls_of_future, TOO_MANY);
            if self.world.polls_of_sleep.get() > 0 && self.world.polls_of_future.get() == 1 {
                self.world.is_sleep_first.set(true);
            }
            if self.world.now.get() >= self.ready {
                self.world.was_ready.set(true);
                return Poll::Ready(self.ready);
            }
            keep(&self.world.at_event, context.waker());
            Poll::Pending
        }
    }

    impl Drop for Piece {
        fn drop(&mut self) {
            self.world.dropped.set(Some(self.world.now.get()));
        }
    }
}

/// A future that is ready in one second, and a limit. Before that it is woken in each third second.
#[derive(Clone, Copy)]
struct Case {
    ready: u64,
    limit: u64,
}

impl Case {
    /// When the timeout is ready.
    fn end(self) -> u64 {
        self.ready.min(self.limit)
    }

    fn result(self) -> Option<u64> {
        (self.ready <= self.limit).then_some(self.ready)
    }
}

/// When the timeout is polled.
#[derive(Clone, Copy, PartialEq)]
enum Polled {
    /// In each second.
    Always,
    /// At the beginning, and when the waker of its latest poll was called.
    Woken,
}

#[derive(Default)]
struct Run {
    /// What it was ready with, and in which second.
    result: Option<(u64, Option<u64>)>,
    /// The second in which its future was dropped, while the timeout itself was there.
    dropped: Option<u64>,
    /// The future has given its result.
    was_ready: bool,
    /// The first second in which the sleep was polled, and then the future.
    clock_first: Option<u64>,
    /// How often the future and the sleep were polled in a poll that would not return.
    endless: Option<(usize, usize)>,
    panic: Option<String>,
    /// The first poll that called its own waker and returned pending.
    woke_itself: Option<usize>,
}

fn run(case: Case, when: Polled) -> Run {
    let world = Rc::<World>::default();
    let sleep = Sleep { world: world.clone(), deadline: case.limit };
    let mut timeout = Box::pin(Timeout::new(sleep, Piece { world: world.clone(), ready: case.ready }));
    let (mut run, mut latest, mut polls) = (Run::default(), None::<Probe>, 0);
    for second in 0..=case.end() + 3 {
        world.now.set(second);
        if second == case.limit {
            clock::wake(&world.at_deadline);
        }
        if second == case.ready || second % 3 == 1 {
            clock::wake(&world.at_event);
        }
        let is_woken = latest.as_ref().is_none_or(|probe| probe.wakes() > 0);
        if !is_woken && when == Polled::Woken {
            continue;
        }
        polls += 1;
        world.begin_poll();
        let probe = Probe::new();
        let poll = || probe.poll(timeout.as_mut());
        let outcome = catch_unwind(AssertUnwindSafe(poll));
        if world.is_sleep_first.get() {
            run.clock_first = run.clock_first.or(Some(second));
        }
        match outcome {
            Ok(Poll::Ready(result)) => {
                run.result = Some((second, result));
                break;
            }
            Ok(Poll::Pending) => {}
            Err(payload) if payload.is::<Endless>() => {
                run.endless = Some((world.polls_of_future.get(), world.polls_of_sleep.get()));
                break;
            }
            Err(payload) if checker::is_todo(&*payload) => resume_unwind(payload),
            Err(_) => {
                run.panic = Some(checker::last_panic());
                break;
            }
        }
        if probe.wakes() > 0 {
            run.woke_itself = run.woke_itself.or(Some(polls));
        }
        latest = Some(probe);
    }
    (run.dropped, run.was_ready) = (world.dropped.get(), world.was_ready.get());
    run
}

fn cases() -> impl Iterator<Item = Case> {
    (0..6).flat_map(|ready| (0..6).map(move |limit| Case { ready: ready * 5 / 2, limit: limit * 5 / 2 }))
}

fn drops_what_is_too_slow() -> Verdict {
    for case in cases() {
        let run = run(case, Polled::Always);
        // Rule 3.1's.
        if run.endless.is_some() {
            continue;
        }
        let who = messages::a_timeout(case.limit, case.ready);
        if let Some(panic) = run.panic {
            return Err(messages::panicked_in(&who, &panic));
        }
        match (run.result, run.dropped) {
            (_, Some(second)) if second < case.end() => return Err(messages::dropped_too_soon(&who, second)),
            (None, _) => return Err(messages::timeout_never_ready(&who, case.end() + 3)),
            (Some((second, result)), _) if (second, result) != (case.end(), case.result()) => {
                let expected = (case.end(), case.result());
                return Err(messages::timeout_gave(&who, expected, (second, result), run.was_ready));
            }
            (Some((_, None)), None) => return Err(messages::too_slow_and_not_dropped(&who)),
            _ => {}
        }
    }
    for case in cases() {
        if let Some(second) = run(case, Polled::Always).clock_first {
            return Err(messages::timeout_asks_the_clock_first(&messages::a_timeout(case.limit, case.ready), second));
        }
    }
    Ok(())
}

fn each_poll_returns() -> Verdict {
    for case in cases() {
        if let Some((of_future, of_sleep)) = run(case, Polled::Always).endless {
            return Err(messages::timeout_spins(&messages::a_timeout(case.limit, case.ready), of_future, of_sleep));
        }
    }
    Ok(())
}

fn is_woken_when_it_can_go_on() -> Verdict {
    for case in cases() {
        // What is wrong in any case is rule 10.5's.
        if run(case, Polled::Always).result != Some((case.end(), case.result())) {
            continue;
        }
        let run = run(case, Polled::Woken);
        if run.endless.is_none() && run.result.is_none_or(|(second, _)| second > case.end()) {
            let who = messages::a_timeout(case.limit, case.ready);
            return Err(messages::timeout_sleeps_on(&who, case.end(), case.result().is_some()));
        }
    }
    Ok(())
}

fn wakes_nobody_itself() -> Verdict {
    match cases().find_map(|case| run(case, Polled::Always).woke_itself) {
        Some(poll) => Err(messages::timeout_wakes_itself(poll)),
        None => Ok(()),
    }
}
