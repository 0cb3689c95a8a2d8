//! The check of exercise 3.3.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex03_3.rs"]
mod exercise;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::pin::Pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use checker::{Verdict, messages};
use exercise::{Work, reproduce};

fn main() -> ExitCode {
    checker::run(
        "ex03_3",
        &[("3.5", polls_each_once_in_a_round), ("3.1", keeps_each_result), ("3.2", polls_nobody_again)],
    )
}

/// No run of a check has so many polls; past it the run is ended from within.
const TOO_MANY: usize = 100_000;

struct EndOfRun;

/// What the futures have seen.
#[derive(Default)]
struct Log {
    /// Which future was polled, in order, without those that were ready before.
    polls: RefCell<Vec<usize>>,
    /// The first that was polled after it was ready.
    late: Cell<Option<usize>>,
    all: Cell<usize>,
    /// The futures that were ready.
    ready: RefCell<Vec<usize>>,
}

impl Log {
    fn not_ready(&self, futures: usize) -> Vec<usize> {
        (1..=futures).filter(|name| !self.ready.borrow().contains(name)).collect()
    }

    fn count(&self) {
        self.all.set(self.all.get() + 1);
        if self.all.get() > TOO_MANY {
            panic_any(EndOfRun);
        }
    }
}

/// Pending so often, then ready; polled again, it is ready again.
struct Spy {
    name: usize,
    pending: usize,
    is_over: bool,
    log: Rc<Log>,
}

impl Future for Spy {
    type Output = String;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<String> {
        self.log.count();
        if self.is_over {
            self.log.late.set(self.log.late.get().or(Some(self.name)));
        } else {
            self.log.polls.borrow_mut().push(self.name);
        }
        if self.pending > 0 {
            self.pending -= 1;
            return Poll::Pending;
        }
        if !self.is_over {
            self.log.ready.borrow_mut().push(self.name);
        }
        self.is_over = true;
        Poll::Ready(format!("result {}", self.name))
    }
}

/// How often the futures of a check are pending: some are ready at once, some later.
const MIXED: [usize; 25] = [0, 3, 0, 0, 5, 1, 2, 0, 4, 1, 0, 0, 0, 3, 2, 1, 0, 5, 2, 0, 1, 3, 0, 2, 1];

/// The results of the student's loop. `None`: it was ended from within.
fn run(pending: &[usize]) -> (Rc<Log>, Option<Vec<String>>) {
    let log = Rc::<Log>::default();
    let spy = |(name, pending): (usize, &usize)| -> Work {
        Box::pin(Spy { name, pending: *pending, is_over: false, log: log.clone() })
    };
    let futures = (1..).zip(pending).map(spy).collect();
    let results = match catch_unwind(AssertUnwindSafe(|| exercise::run(futures))) {
        Ok(results) => Some(results),
        Err(payload) if payload.is::<EndOfRun>() => None,
        Err(payload) => resume_unwind(payload),
    };
    (log, results)
}

fn polls_each_once_in_a_round() -> Verdict {
    // The last of these needs more rounds than there are futures, and than anybody would count to.
    let long: Vec<usize> = (0..20).map(|place| if place == 9 { 2_000 } else { place * 7 % 20 * 3 }).collect();
    for pending in [&MIXED[..], &[2; 20], &long] {
        let (log, _) = run(pending);
        let most = pending.iter().max().copied().unwrap_or(0);
        let expected: Vec<usize> =
            (0..=most).flat_map(|round| (1..=pending.len()).filter(move |name| pending[name - 1] >= round)).collect();
        messages::polled_in_rounds(&expected, &log.polls.borrow(), pending.len())?;
    }
    Ok(())
}

fn keeps_each_result() -> Verdict {
    for pending in [&MIXED[..], &[0; 20], &[]] {
        let (log, results) = run(pending);
        let not_ready = log.not_ready(pending.len());
        let Some(results) = results else {
            return Err(messages::run_has_no_end(pending.len(), log.all.get(), &not_ready));
        };
        let expected: Vec<String> = (1..=pending.len()).map(|name| format!("result {name}")).collect();
        if results.len() < pending.len() {
            let without: Vec<usize> =
                (1..=pending.len()).filter(|name| !results.contains(&expected[name - 1])).collect();
            return Err(messages::results_missing(pending.len(), results.len(), &without, not_ready.is_empty()));
        }
        messages::first_difference("the results, in the order of the futures", &expected, &results)?;
    }
    Ok(())
}

fn polls_nobody_again() -> Verdict {
    reproduction()?;
    let (log, _) = run(&MIXED);
    match log.late.get() {
        Some(name) => Err(messages::polled_after_ready(name)),
        None => Ok(()),
    }
}

/// A future of the student, and whether it was polled after it was ready; then it is pending.
struct Watched {
    inner: Work,
    is_over: bool,
    name: usize,
    log: Rc<Log>,
}

impl Future for Watched {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.log.count();
        if self.is_over {
            self.log.late.set(self.log.late.get().or(Some(self.name)));
            return Poll::Pending;
        }
        let polled = self.inner.as_mut().poll(context).map(drop);
        self.is_over = polled.is_ready();
        polled
    }
}

/// The futures of the student, on the loop as it was handed out.
fn reproduction() -> Verdict {
    let log = Rc::<Log>::default();
    let watched = |(name, inner)| Watched { inner, is_over: false, name, log: log.clone() };
    let mut futures: Vec<Watched> = (1..).zip(reproduce()).map(watched).collect();
    let mut context = Context::from_waker(Waker::noop());
    let mut is_ready = vec![false; futures.len()];
    while is_ready.contains(&false) && log.late.get().is_none() {
        if log.all.get() + futures.len() > TOO_MANY {
            return Err(messages::reproduction_has_no_end(log.all.get()));
        }
        for (future, is_ready) in futures.iter_mut().zip(&mut is_ready) {
            *is_ready |= Pin::new(future).poll(&mut context).is_ready();
        }
    }
    match log.late.get() {
        Some(_) => Ok(()),
        None => Err(messages::polls_nobody_late(futures.len(), log.all.get())),
    }
}
