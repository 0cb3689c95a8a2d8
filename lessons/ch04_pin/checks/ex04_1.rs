//! The check of exercise 4.1.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex04_1.rs"]
mod exercise;

use std::cell::Cell;
use std::marker::{PhantomData, PhantomPinned};
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use checker::contract::Probe;
use checker::{Verdict, endless, messages};
use exercise::Counted;

fn main() -> ExitCode {
    checker::run(
        "ex04_1",
        &[
            ("3.1", ready_with_the_result),
            ("3.3", pending_while_the_inner_one_is),
            ("4.3", hands_its_context_on),
            ("3.2", polls_nobody_again),
            ("1.2", counts_in_itself),
            ("4.2", takes_every_future),
        ],
    )
}

/// No check makes so many polls; past it they are ended from within.
const TOO_MANY: usize = 10_000;

thread_local! {
    /// How often a spy was polled in this poll of the student's future.
    static POLLS: Cell<usize> = const { Cell::new(0) };
    /// How often any of the student's futures was polled.
    static ALL_POLLS: Cell<usize> = const { Cell::new(0) };
}

/// Called in each poll of a spy.
fn count_poll() {
    POLLS.with(|polls| endless::count(polls, TOO_MANY));
}

/// One poll of the student's future.
fn poll<F: Future>(future: Pin<&mut F>, waker: &Waker) -> Result<Poll<F::Output>, String> {
    POLLS.set(0);
    ALL_POLLS.set(ALL_POLLS.get() + 1);
    let polled = endless::ends(|| future.poll(&mut Context::from_waker(waker)));
    polled.ok_or_else(|| messages::poll_has_no_end(TOO_MANY))
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

/// A result, and how many polls it took.
type End = (&'static str, usize);

/// What it ends with, and in which poll; `None` if it does not.
fn run(spy: Spy) -> Result<Option<(End, usize)>, String> {
    let mut counted = pin!(Counted::new(spy));
    for polls in 1..=MOST {
        if let Poll::Ready(end) = poll(counted.as_mut(), Waker::noop())? {
            return Ok(Some((end, polls)));
        }
    }
    Ok(None)
}

fn ready_with_the_result() -> Verdict {
    for (pauses, result) in [(24, "late"), (1, ""), (0, "at once")] {
        // Not ready: rule 3.3's.
        let Some(((seen, count), _)) = run(Spy::new(pauses, result))? else { continue };
        // One count for all: rule 1.2's.
        let is_counted = count == pauses + 1 || count == ALL_POLLS.get();
        if seen != result || !is_counted {
            return Err(messages::result_was(&format!("{:?}", (result, pauses + 1)), &format!("{:?}", (seen, count))));
        }
    }
    Ok(())
}

fn pending_while_the_inner_one_is() -> Verdict {
    for pauses in [24, 1, 0] {
        let Some((_, polls)) = run(Spy::new(pauses, ""))? else {
            return Err(messages::never_passed_on("`Counted`", MOST));
        };
        if polls != pauses + 1 {
            return Err(messages::ready_in_so_many("`Counted`", pauses + 1, polls));
        }
    }
    Ok(())
}

fn hands_its_context_on() -> Verdict {
    let mut counted = pin!(Counted::new(Spy::new(24, "")));
    for number in 1..=25 {
        let probe = Probe::new();
        let is_ready = probe.with_waker(|waker| poll(counted.as_mut(), waker))?.is_ready();
        messages::wakes_in_poll("`Counted`", number, POLLS.get(), probe.wakes())?;
        if is_ready {
            break;
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

/// Whatever they count: four of the same kind count the same.
fn counts_in_itself() -> Verdict {
    let mut alone = [0; 2];
    for count in &mut alone {
        // Not ready: rule 3.3's.
        let Some(((_, seen), _)) = run(Spy::new(24, ""))? else { return Ok(()) };
        *count = seen;
    }
    let mut in_turn = [None; 2];
    let mut both = [Box::pin(Counted::new(Spy::new(24, ""))), Box::pin(Counted::new(Spy::new(24, "")))];
    for _ in 0..MOST {
        for (counted, count) in both.iter_mut().zip(&mut in_turn) {
            if count.is_none() {
                if let Poll::Ready((_, seen)) = poll(counted.as_mut(), Waker::noop())? {
                    *count = Some(seen);
                }
            }
        }
    }
    let [Some(first), Some(second)] = in_turn else { return Ok(()) };
    let is_same = [alone[1], first, second].iter().all(|count| *count == alone[0]);
    if is_same { Ok(()) } else { Err(messages::counted_together(24, alone, [first, second])) }
}

/// As the future of an `async` block is.
struct NotUnpin(PhantomPinned);

impl Future for NotUnpin {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

/// The compiler takes the constant of the type itself where its bound holds, and that of the trait where it does not. So
/// a `Counted` that asks for too much is a verdict, and no error in the check.
struct Ask<T>(PhantomData<T>);

impl<T: Future> Ask<T> {
    const IS_FUTURE: bool = true;
}

trait Otherwise {
    const IS_FUTURE: bool = false;
}

impl<T> Otherwise for Ask<T> {}

fn takes_every_future() -> Verdict {
    if Ask::<Counted<NotUnpin>>::IS_FUTURE { Ok(()) } else { Err(messages::takes_only_unpin("`Counted`")) }
}
