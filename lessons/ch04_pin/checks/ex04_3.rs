//! The check of exercise 4.3.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex04_3.rs"]
mod exercise;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use checker::contract::Probe;
use checker::{Verdict, messages};
use exercise::{Maker, Repeat, Work, reproduce};

fn main() -> ExitCode {
    checker::run(
        "ex04_3",
        &[
            ("4.6", keeps_what_is_pending),
            ("4.3", hands_its_context_on),
            ("3.2", polls_nobody_again),
            ("3.3", pending_while_the_inner_one_is),
        ],
    )
}

const TIMES: usize = 25;

/// More polls than any check needs.
const MOST: usize = 1_000;

/// No check makes so many polls; past it they are ended from within.
const TOO_MANY: usize = 10_000;

thread_local! {
    static POLLS: Cell<usize> = const { Cell::new(0) };
}

struct Endless;

/// Called when a spy is made, and in each poll of it.
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

/// One poll of a piece of work as the student made it.
fn poll_alone(work: &mut Work) -> Poll<u32> {
    work.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls until it is ready, at most so often: the result, and how many polls it took.
fn run(repeat: Repeat) -> Result<Option<(Vec<u32>, usize)>, String> {
    let mut repeat = pin!(repeat);
    for polls in 1..=MOST {
        if let Poll::Ready(results) = poll(repeat.as_mut(), Waker::noop())? {
            return Ok(Some((results, polls)));
        }
    }
    Ok(None)
}

/// Pending three times, and what it has done is in itself. Polled after its end it begins again.
#[derive(Default)]
struct Alone {
    polls: usize,
}

impl Future for Alone {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
        count_poll();
        self.polls += 1;
        if self.polls % 4 == 0 { Poll::Ready(7) } else { Poll::Pending }
    }
}

fn keeps_what_is_pending() -> Verdict {
    reproduction()?;
    for times in [TIMES, 1] {
        let made = Rc::new(Cell::new(0));
        let count = made.clone();
        let make: Maker = Box::new(move || {
            count_poll();
            count.set(count.get() + 1);
            Box::pin(Alone::default())
        });
        let repeat = Repeat::new(make, times);
        if made.get() > 0 {
            return Err(messages::made_in_new(made.get()));
        }
        if run(repeat)?.is_none() {
            return Err(messages::began_again(4, MOST, made.get()));
        }
        // Fewer: rule 3.2's.
        if made.get() > times {
            return Err(messages::made_too_many(times, made.get()));
        }
    }
    Ok(())
}

/// Pending so many times; it wakes whoever polls it, or nobody.
struct Waits {
    pauses: usize,
    wakes: bool,
}

impl Future for Waits {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        count_poll();
        if self.wakes {
            context.waker().wake_by_ref();
        }
        if self.pauses == 0 {
            return Poll::Ready(7);
        }
        self.pauses -= 1;
        Poll::Pending
    }
}

fn hands_its_context_on() -> Verdict {
    for wakes in [true, false] {
        let mut repeat = pin!(Repeat::new(Box::new(move || Box::pin(Waits { pauses: 24, wakes })), 1));
        for number in 1..=24 {
            let probe = Probe::new();
            let is_ready = probe.with_waker(|waker| poll(repeat.as_mut(), waker))?.is_ready();
            match probe.wakes() {
                0 if wakes => return Err(messages::another_context(number)),
                1.. if !wakes => return Err(messages::woke_itself("`Repeat`", number)),
                _ if is_ready => break,
                _ => {}
            }
        }
    }
    Ok(())
}

/// What the futures of one `Repeat` share, so that it makes no difference how many of them there are: how often the next
/// ones are pending, and what they end with.
#[derive(Default)]
struct Script {
    pauses: RefCell<VecDeque<usize>>,
    results: Cell<u32>,
    late: Cell<usize>,
}

struct Shared {
    script: Rc<Script>,
    is_over: bool,
}

impl Future for Shared {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
        count_poll();
        let script = self.script.clone();
        if self.is_over {
            script.late.set(script.late.get() + 1);
        }
        let mut pauses = script.pauses.borrow_mut();
        if let Some(left @ 1..) = pauses.front_mut() {
            *left -= 1;
            return Poll::Pending;
        }
        pauses.pop_front();
        self.is_over = true;
        script.results.set(script.results.get() + 1);
        Poll::Ready(script.results.get())
    }
}

fn scripted(pauses: impl IntoIterator<Item = usize>) -> (Maker, Rc<Script>) {
    let script = Rc::new(Script { pauses: RefCell::new(pauses.into_iter().collect()), ..Script::default() });
    let shared = script.clone();
    let make = move || -> Work {
        count_poll();
        Box::pin(Shared { script: shared.clone(), is_over: false })
    };
    (Box::new(make), script)
}

/// Some are ready at once, some later.
const MIXED: [usize; TIMES] = [0, 3, 0, 0, 5, 1, 2, 0, 4, 1, 0, 0, 0, 3, 2, 1, 0, 5, 2, 0, 1, 3, 0, 2, 1];

fn polls_nobody_again() -> Verdict {
    let (make, script) = scripted(MIXED);
    run(Repeat::new(make, TIMES))?;
    if script.late.get() > 0 { Err(messages::polled_after_its_end("a future")) } else { Ok(()) }
}

fn pending_while_the_inner_one_is() -> Verdict {
    for pauses in [&MIXED[..], &[0; TIMES], &[2], &[]] {
        let (make, _) = scripted(pauses.iter().copied());
        let Some((results, polls)) = run(Repeat::new(make, pauses.len()))? else {
            return Err(messages::never_passed_on("`Repeat`", MOST));
        };
        let expected: Vec<u32> = (1..).take(pauses.len()).collect();
        messages::first_difference("the results", &expected, &results)?;
        let expected = 1 + pauses.iter().sum::<usize>();
        if polls != expected {
            return Err(messages::ready_in_so_many("`Repeat`", expected, polls));
        }
    }
    Ok(())
}

/// The futures of the student: alone, and in a `Repeat` as it was handed out.
fn reproduction() -> Verdict {
    let mut make = reproduce();
    for _ in 0..3 {
        let mut work = make();
        if !(0..10).any(|_| poll_alone(&mut work).is_ready()) {
            return Err(messages::reproduces_too_much(10));
        }
    }
    let mut make = reproduce();
    for polls in 1..=MOST {
        if poll_alone(&mut make()).is_ready() {
            return Err(messages::a_new_one_was_ready(polls));
        }
    }
    Ok(())
}
