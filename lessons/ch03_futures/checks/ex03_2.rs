//! The check of exercise 3.2.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex03_2.rs"]
mod exercise;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::pin::Pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::task::{Context, Poll};

use checker::contract::Probe;
use checker::{Verdict, messages};
use exercise::Total;

fn main() -> ExitCode {
    checker::run(
        "ex03_2",
        &[
            ("3.3", pauses_where_the_part_does),
            ("1.2", keeps_the_sum),
            ("3.2", polls_nobody_again),
            ("3.4", passes_the_context_on),
        ],
    )
}

/// No check polls a part that was ready so often; past it the poll is ended from within.
const TOO_MANY: usize = 1_000;

/// No total of a check needs so many polls.
const MOST: usize = 100;

struct EndOfPoll;

/// What the parts have seen.
#[derive(Default)]
struct Log {
    /// The polls of parts that were not ready before, in order: which part, and in which poll of the total.
    polls: RefCell<Vec<(usize, usize)>>,
    /// The polls of each part after it was ready.
    late: RefCell<Vec<usize>>,
    /// The first of these: which part, and in which poll of the total.
    first_late: Cell<Option<(usize, usize)>>,
    /// The parts that were ready, in order: the number, and in which poll of the total.
    ready: RefCell<Vec<(u32, usize)>>,
    /// The poll of the total that runs, from 1.
    now: Cell<usize>,
    /// The polls of parts, all of them, in the poll that runs.
    in_this_poll: Cell<usize>,
}

/// Pending so often, then ready with its number; polled again, it is ready again. Calls the waker in each poll.
struct Part {
    place: usize,
    pending: usize,
    is_over: bool,
    log: Rc<Log>,
}

impl Future for Part {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        context.waker().wake_by_ref();
        self.log.in_this_poll.set(self.log.in_this_poll.get() + 1);
        if self.is_over {
            self.log.first_late.set(self.log.first_late.get().or(Some((self.place, self.log.now.get()))));
            let late = &mut self.log.late.borrow_mut()[self.place - 1];
            *late += 1;
            if *late > TOO_MANY {
                panic_any(EndOfPoll);
            }
        } else {
            self.log.polls.borrow_mut().push((self.place, self.log.now.get()));
        }
        if self.pending > 0 {
            self.pending -= 1;
            return Poll::Pending;
        }
        if !self.is_over {
            self.log.ready.borrow_mut().push((number(self.place), self.log.now.get()));
        }
        self.is_over = true;
        Poll::Ready(number(self.place))
    }
}

/// What the part in this place, from 1, is ready with.
fn number(place: usize) -> u32 {
    3 * place as u32 + 1
}

/// How often the parts of a check are pending: some are ready at once, some later.
const MIXED: [usize; 25] = [0, 3, 0, 0, 5, 1, 2, 0, 4, 1, 0, 0, 0, 3, 2, 1, 0, 5, 2, 0, 1, 3, 2, 1, 0];

/// How a total went.
struct Run {
    log: Rc<Log>,
    result: Option<u32>,
    /// For each poll of the total: how often its waker was called, and how often parts were polled in it.
    wakes: Vec<(usize, usize)>,
    /// A poll polled a part that was ready without end.
    has_no_end: bool,
}

fn run(pending: &[usize]) -> Run {
    let log = Rc::<Log>::default();
    log.late.borrow_mut().resize(pending.len(), 0);
    let parts =
        (1..).zip(pending).map(|(place, pending)| Part { place, pending: *pending, is_over: false, log: log.clone() });
    let mut total = Total::new(parts.collect());
    let mut run = Run { log: log.clone(), result: None, wakes: Vec::new(), has_no_end: false };
    for now in 1..=MOST {
        log.now.set(now);
        log.in_this_poll.set(0);
        let probe = Probe::new();
        let poll = || probe.poll(Pin::new(&mut total));
        match catch_unwind(AssertUnwindSafe(poll)) {
            Ok(polled) => {
                run.wakes.push((probe.wakes(), log.in_this_poll.get()));
                if let Poll::Ready(sum) = polled {
                    run.result = Some(sum);
                    break;
                }
            }
            Err(payload) if payload.is::<EndOfPoll>() => {
                run.has_no_end = true;
                break;
            }
            Err(payload) => resume_unwind(payload),
        }
    }
    run
}

fn pauses_where_the_part_does() -> Verdict {
    for pending in [&MIXED[..], &[0; 20], &[]] {
        let run = run(pending);
        if run.has_no_end {
            // That is rule 3.2's.
            return Ok(());
        }
        let mut expected = Vec::new();
        let mut now = 1;
        for (place, pending) in (1..).zip(pending) {
            expected.extend((now..=now + pending).map(|poll| (place, poll)));
            now += pending;
        }
        messages::part_and_poll(&expected, &run.log.polls.borrow(), run.result)?;
        if run.result.is_none() {
            return Err(messages::never_ready("the total", MOST));
        }
        if run.wakes.len() != now {
            return Err(messages::ready_in_poll("the total", now, run.wakes.len()));
        }
    }
    Ok(())
}

fn keeps_the_sum() -> Verdict {
    for pending in [&MIXED[..], &[1; 20], &[]] {
        let run = run(pending);
        let expected = (1..=pending.len()).map(number).sum::<u32>();
        if run.log.first_late.get().is_some() {
            // What is added twice is too much, and that is rule 3.2's.
            return Ok(());
        }
        match run.result {
            Some(sum) if sum != expected => {
                let ready = run.log.ready.borrow();
                let in_last_poll = ready.iter().filter(|(_, poll)| *poll == run.wakes.len());
                let in_last_poll = in_last_poll.map(|(number, _)| number).sum::<u32>();
                let last = ready.last().map_or(0, |(number, _)| *number);
                return Err(messages::sum_was(expected, sum, last, in_last_poll));
            }
            _ => {}
        }
    }
    Ok(())
}

fn polls_nobody_again() -> Verdict {
    for pending in [&MIXED[..], &[1; 20]] {
        let run = run(pending);
        if let Some((place, poll)) = run.log.first_late.get() {
            let times = run.log.late.borrow()[place - 1];
            return Err(messages::part_polled_again(place, poll, times, run.has_no_end));
        }
    }
    Ok(())
}

fn passes_the_context_on() -> Verdict {
    let run = run(&MIXED);
    match run.wakes.iter().position(|(wakes, polls)| wakes != polls) {
        Some(place) => Err(messages::context_not_passed_on(place + 1, run.wakes[place].1, run.wakes[place].0)),
        None => Ok(()),
    }
}
