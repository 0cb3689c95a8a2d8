//! The check of exercise 4.1.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex04_1.rs"]
mod exercise;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use checker::contract::Probe;
use checker::{Verdict, messages};
use exercise::Counted;

fn main() -> ExitCode {
    checker::run(
        "ex04_1",
        &[
            ("3.3", pending_while_the_inner_one_is),
            ("4.3", hands_its_context_on),
            ("3.2", polls_nobody_again),
            ("1.2", counts_for_itself),
        ],
    )
}

/// No check makes so many polls; past it they are ended from within.
const TOO_MANY: usize = 10_000;

thread_local! {
    static POLLS: Cell<usize> = const { Cell::new(0) };
}

struct Endless;

/// Called in each poll of a spy.
fn count_poll() {
    POLLS.set(POLLS.get() + 1);
    if POLLS.get() > TOO_MANY {
        panic_any(Endless);
    }
}

/// One poll of the student's future.
fn poll<F: Future>(future: Pin<&mut F>, waker: &Waker) -> Result<Poll<F::Output>, String> {
    POLLS.set(0);
    match catch_unwind(AssertUnwindSafe(|| future.poll(&mut Context::from_waker(waker)))) {
        Ok(polled) => Ok(polled),
        Err(payload) if payload.is::<Endless>() => Err(messages::poll_has_no_end(TOO_MANY)),
        Err(payload) => resume_unwind(payload),
    }
}

/// Pending so many times. It wakes whoever polls it, each time, and counts how often it is polled after its end; then it
/// is ready once more.
struct Spy {
    pauses: usize,
    result: &'static str,
    is_over: bool,
    late: Rc<Cell<usize>>,
}

impl Spy {
    fn new(pauses: usize, result: &'static str) -> Self {
        Spy { pauses, result, is_over: false, late: Rc::default() }
    }
}

impl Future for Spy {
    type Output = &'static str;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<&'static str> {
        count_poll();
        context.waker().wake_by_ref();
        if self.is_over {
            self.late.set(self.late.get() + 1);
        }
        if self.pauses > 0 {
            self.pauses -= 1;
            return Poll::Pending;
        }
        self.is_over = true;
        Poll::Ready(self.result)
    }
}

/// More polls than any check needs.
const MOST: usize = 60;

fn pending_while_the_inner_one_is() -> Verdict {
    for (pauses, result) in [(24, "late"), (1, ""), (0, "at once")] {
        let mut counted = pin!(Counted::new(Spy::new(pauses, result)));
        let mut polls = 0;
        let (seen, count) = loop {
            polls += 1;
            match poll(counted.as_mut(), Waker::noop())? {
                Poll::Ready(seen) => break seen,
                Poll::Pending if polls == MOST => return Err(messages::never_passed_on("`Counted`", MOST)),
                Poll::Pending => {}
            }
        };
        if polls != pauses + 1 {
            return Err(messages::ready_in_so_many("`Counted`", pauses + 1, polls));
        }
        if (seen, count) != (result, pauses + 1) {
            return Err(messages::result_was(&format!("{:?}", (result, pauses + 1)), &format!("{:?}", (seen, count))));
        }
    }
    Ok(())
}

/// Pending so many times, and wakes nobody.
struct Silent(usize);

impl Future for Silent {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        count_poll();
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        Poll::Pending
    }
}

fn hands_its_context_on() -> Verdict {
    let mut silent = pin!(Counted::new(Silent(24)));
    for number in 1..=24 {
        let probe = Probe::new();
        let is_ready = probe.with_waker(|waker| poll(silent.as_mut(), waker))?.is_ready();
        if probe.wakes() > 0 {
            return Err(messages::woke_itself("`Counted`", number));
        }
        if is_ready {
            break;
        }
    }
    // That of an `async` block is not `Unpin`: a `Counted` that demands it does not take this one.
    let mut counted = pin!(Counted::new(async { Spy::new(24, "").await }));
    for number in 1..=24 {
        let probe = Probe::new();
        let is_ready = probe.with_waker(|waker| poll(counted.as_mut(), waker))?.is_ready();
        if probe.wakes() == 0 {
            return Err(messages::another_context(number));
        }
        if is_ready {
            break;
        }
    }
    Ok(())
}

fn counts_for_itself() -> Verdict {
    let mut alone = pin!(Counted::new(Spy::new(24, "")));
    let mut expected = None;
    for _ in 0..MOST {
        if let Poll::Ready((_, count)) = poll(alone.as_mut(), Waker::noop())? {
            expected = Some(count);
            break;
        }
    }
    let Some(expected) = expected else { return Ok(()) };
    let mut two = [0, 1].map(|_| Some(Box::pin(Counted::new(Spy::new(24, "")))));
    for _ in 0..=24 {
        for place in &mut two {
            let Some(counted) = place else { continue };
            if let Poll::Ready((_, seen)) = poll(counted.as_mut(), Waker::noop())? {
                if seen != expected {
                    return Err(messages::counted_for_another(expected, seen));
                }
                *place = None;
            }
        }
    }
    Ok(())
}

fn polls_nobody_again() -> Verdict {
    for pauses in [0, 24] {
        let spy = Spy::new(pauses, "");
        let late = spy.late.clone();
        let mut counted = pin!(Counted::new(spy));
        for _ in 0..MOST {
            if poll(counted.as_mut(), Waker::noop())?.is_ready() {
                break;
            }
        }
        if late.get() > 0 {
            return Err(messages::polled_after_its_end("the inner future"));
        }
    }
    Ok(())
}
