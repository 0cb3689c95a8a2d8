//! The check of exercise 4.3.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex04_3.rs"]
mod exercise;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use checker::contract::Probe;
use checker::{Verdict, endless, messages};
use exercise::{Maker, Repeat, Work, reproduce};

fn main() -> ExitCode {
    checker::run(
        "ex04_3",
        &[
            ("4.6", keeps_what_is_pending),
            ("3.2", polls_nobody_again),
            ("3.3", pending_while_the_inner_one_is),
            ("4.3", hands_its_context_on),
            ("3.1", ready_with_the_results),
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

/// Called when a spy is made, and in each poll of it.
fn count_poll() {
    POLLS.with(|polls| endless::count(polls, TOO_MANY));
}

/// One poll of the student's future.
fn poll<F: Future>(future: Pin<&mut F>, waker: &Waker) -> Result<Poll<F::Output>, String> {
    POLLS.set(0);
    let polled = endless::ends(|| future.poll(&mut Context::from_waker(waker)));
    polled.ok_or_else(|| messages::poll_has_no_end(TOO_MANY))
}

/// One poll of a piece of work as the student made it.
fn poll_alone(work: &mut Work) -> Poll<u32> {
    work.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// The results; `None` if it is not ready after `MOST` polls.
fn run(repeat: Repeat) -> Result<Option<Vec<u32>>, String> {
    let mut repeat = pin!(repeat);
    for _ in 0..MOST {
        if let Poll::Ready(results) = poll(repeat.as_mut(), Waker::noop())? {
            return Ok(Some(results));
        }
    }
    Ok(None)
}

/// How many futures there were.
#[derive(Default)]
struct Counts {
    made: Cell<usize>,
    /// That were ready.
    over: Cell<usize>,
    /// That are there and were not ready yet.
    waiting: Cell<usize>,
    most_waiting: Cell<usize>,
}

const NEEDED: usize = 4;

/// Pending three times, and what it has done is in itself. Polled after its end it begins again.
struct Alone {
    polls: usize,
    is_over: bool,
    counts: Rc<Counts>,
}

impl Alone {
    fn new(counts: Rc<Counts>) -> Self {
        counts.made.set(counts.made.get() + 1);
        counts.waiting.set(counts.waiting.get() + 1);
        counts.most_waiting.set(counts.most_waiting.get().max(counts.waiting.get()));
        Alone { polls: 0, is_over: false, counts }
    }

    fn end(&mut self) {
        if !self.is_over {
            self.is_over = true;
            self.counts.waiting.set(self.counts.waiting.get() - 1);
        }
    }
}

impl Future for Alone {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        count_poll();
        context.waker().wake_by_ref();
        self.polls += 1;
        if self.polls % NEEDED != 0 {
            return Poll::Pending;
        }
        self.counts.over.set(self.counts.over.get() + 1);
        self.end();
        Poll::Ready(7)
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.end();
    }
}

fn keeps_what_is_pending() -> Verdict {
    reproduction()?;
    for times in [TIMES, 1] {
        let counts = Rc::new(Counts::default());
        let shared = counts.clone();
        let make: Maker = Box::new(move || {
            count_poll();
            Box::pin(Alone::new(shared.clone()))
        });
        POLLS.set(0);
        let repeat = Repeat::new(make, times);
        if counts.made.get() > 0 {
            return Err(messages::made_before_the_first_poll(counts.made.get()));
        }
        match run(repeat)? {
            // Some were ready, and the `Repeat` was not: rule 3.1's.
            None if counts.over.get() >= times => {}
            None => return Err(messages::began_again(NEEDED, MOST, counts.made.get())),
            // Fewer: rule 3.2's.
            Some(results) if counts.made.get() > times => {
                return Err(messages::made_too_many(times, results.len(), counts.made.get()));
            }
            Some(_) if counts.most_waiting.get() > 1 => {
                return Err(messages::several_at_a_time(counts.most_waiting.get()));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// What is done by the futures of one `Repeat`. One that is dropped before its end leaves its part, as far as that was
/// done, to the next, so it makes no difference how many futures there are.
#[derive(Default)]
struct Script {
    /// The parts that nobody does, by number: how often each will still be pending.
    parts: RefCell<BTreeMap<u32, usize>>,
    polls: Cell<usize>,
    pending: Cell<usize>,
    over: Cell<usize>,
    late: Cell<usize>,
    /// The poll of the `Repeat`, by number, and how often one future was polled again in the poll in which it was pending.
    poll: Cell<usize>,
    again: Cell<usize>,
}

struct Shared {
    script: Rc<Script>,
    part: Option<(u32, usize)>,
    is_over: bool,
    /// In which poll of the `Repeat` it was pending.
    pending_in: usize,
}

impl Future for Shared {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        count_poll();
        context.waker().wake_by_ref();
        let script = self.script.clone();
        script.polls.set(script.polls.get() + 1);
        if self.is_over {
            script.late.set(script.late.get() + 1);
        }
        if self.pending_in == script.poll.get() {
            script.again.set(script.again.get() + 1);
        }
        let part = self.part.take().or_else(|| script.parts.borrow_mut().pop_first());
        if let Some((number, 0)) = part {
            self.is_over = true;
            script.over.set(script.over.get() + 1);
            return Poll::Ready(number);
        }
        // With no part left it is pending for ever.
        self.part = part.map(|(number, pauses)| (number, pauses - 1));
        self.pending_in = script.poll.get();
        script.pending.set(script.pending.get() + 1);
        Poll::Pending
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.script.parts.borrow_mut().extend(self.part);
    }
}

/// A `Repeat` of as many futures; each is pending so many times, and the first ends with 1, the second with 2, …
fn scripted(pauses: &[usize]) -> (Repeat, Rc<Script>) {
    let parts = (1..).zip(pauses.iter().copied()).collect();
    let script = Rc::new(Script { parts: RefCell::new(parts), ..Script::default() });
    let shared = script.clone();
    let make = move || -> Work {
        count_poll();
        Box::pin(Shared { script: shared.clone(), part: None, is_over: false, pending_in: 0 })
    };
    POLLS.set(0);
    (Repeat::new(Box::new(make), pauses.len()), script)
}

/// Some are ready at once, some later.
const MIXED: [usize; TIMES] = [0, 3, 0, 0, 5, 1, 2, 0, 4, 1, 0, 0, 0, 3, 2, 1, 0, 5, 2, 0, 1, 3, 0, 2, 1];

fn polls_nobody_again() -> Verdict {
    let (repeat, script) = scripted(&MIXED);
    run(repeat)?;
    if script.late.get() > 0 { Err(messages::polled_after_its_end("a future")) } else { Ok(()) }
}

fn pending_while_the_inner_one_is() -> Verdict {
    for pauses in [&MIXED[..], &[0; TIMES], &[2], &[]] {
        let (repeat, script) = scripted(pauses);
        let mut repeat = pin!(repeat);
        for number in 1..=MOST {
            let before = script.pending.get();
            script.poll.set(number);
            let is_ready = poll(repeat.as_mut(), Waker::noop())?.is_ready();
            if script.again.get() > 0 {
                return Err(messages::polled_on("`Repeat`", number, script.again.get()));
            }
            match (is_ready, script.pending.get() > before) {
                (false, false) => return Err(messages::pending_for_nobody("`Repeat`", number)),
                (true, true) => return Err(messages::ready_too_soon("`Repeat`", number)),
                (true, false) => break,
                // For ever: rule 3.1's.
                (false, true) => {}
            }
        }
    }
    Ok(())
}

fn hands_its_context_on() -> Verdict {
    let (repeat, script) = scripted(&MIXED);
    let mut repeat = pin!(repeat);
    for number in 1..=MOST {
        let before = script.polls.get();
        let probe = Probe::new();
        let is_ready = probe.with_waker(|waker| poll(repeat.as_mut(), waker))?.is_ready();
        messages::wakes_in_poll("`Repeat`", number, script.polls.get() - before, probe.wakes())?;
        if is_ready {
            break;
        }
    }
    Ok(())
}

fn ready_with_the_results() -> Verdict {
    for pauses in [&MIXED[..], &[0; TIMES], &[2], &[]] {
        let (repeat, script) = scripted(pauses);
        match run(repeat)? {
            Some(results) => {
                let expected: Vec<u32> = (1..).take(pauses.len()).collect();
                messages::first_difference("the results", &expected, &results)?;
            }
            // Some were not: rule 4.6's.
            None if script.over.get() < pauses.len() => {}
            None => return Err(messages::results_lost(pauses.len(), MOST)),
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
