//! The check of exercise 1.3.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex01_3.rs"]
mod exercise;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::process::ExitCode;
use std::rc::Rc;

use checker::{Verdict, messages};
use exercise::{Generator, Resumed, Scheduler, reproduce};

fn main() -> ExitCode {
    checker::run("ex01_3", &[("1.6", each_has_its_turn), ("1.7", none_is_lost), ("1.8", a_round_ends)])
}

/// No round of a check has so many resumes; past it the round is ended from within.
const TOO_MANY: usize = 10_000;

/// Who was resumed, in order.
type Log = Rc<RefCell<Vec<usize>>>;

struct EndOfRound;

/// Yields so many times, writes down each resume, and ends a round that has no end.
struct Counted {
    name: usize,
    yields: usize,
    log: Log,
}

impl Generator for Counted {
    fn resume(&mut self) -> Resumed {
        self.log.borrow_mut().push(self.name);
        if self.log.borrow().len() > TOO_MANY {
            panic_any(EndOfRound);
        }
        if self.yields == 0 {
            return Resumed::Complete;
        }
        self.yields -= 1;
        Resumed::Yielded
    }
}

fn scheduler(generators: usize, yields: usize) -> (Scheduler, Log) {
    let log = Log::default();
    let mut scheduler = Scheduler::default();
    for name in 1..=generators {
        scheduler.add(Box::new(Counted { name, yields, log: log.clone() }));
    }
    (scheduler, log)
}

/// One round. `None`: it was ended from within.
fn round(scheduler: &mut Scheduler) -> Option<usize> {
    match catch_unwind(AssertUnwindSafe(|| scheduler.round())) {
        Ok(left) => Some(left),
        Err(payload) if payload.is::<EndOfRound>() => None,
        Err(payload) => std::panic::resume_unwind(payload),
    }
}

/// How often the generators of a check yield: some complete at once, some later.
const MIXED: [usize; 25] = [0, 3, 0, 0, 5, 1, 2, 0, 4, 1, 0, 0, 0, 3, 2, 1, 0, 5, 2, 0, 1, 3, 0, 2, 1];

fn mixed() -> (Scheduler, Log) {
    let log = Log::default();
    let mut scheduler = Scheduler::default();
    for (name, yields) in (1..).zip(MIXED) {
        scheduler.add(Box::new(Counted { name, yields, log: log.clone() }));
    }
    (scheduler, log)
}

fn each_has_its_turn() -> Verdict {
    let (mut scheduler, log) = mixed();
    round(&mut scheduler);
    if log.borrow().len() < 25 {
        return Err(messages::left_out(25, log.borrow().len()));
    }
    for _ in 0..200 {
        if round(&mut scheduler) == Some(0) {
            break;
        }
    }
    // In turn, whatever the rounds are: those that are not complete, again and again. Who is lost is rule 1.7's.
    let turns = (0..=5).flat_map(|turn| (1..=25).filter(move |name| MIXED[name - 1] >= turn));
    let seen = log.borrow();
    let expected: Vec<usize> = turns.take(seen.len()).collect();
    messages::first_difference(
        "25 generators, resumed in turn: whom the scheduler resumed",
        &expected,
        &seen[..expected.len()],
    )
}

fn none_is_lost() -> Verdict {
    let (mut scheduler, log) = mixed();
    let resumes = |name: usize| log.borrow().iter().filter(|seen| **seen == name).count();
    let unfinished = || (1..=25).filter(|name| resumes(*name) <= MIXED[name - 1]).count();
    for _ in 0..200 {
        let Some(left) = round(&mut scheduler) else { break };
        if let Some(name) = (1..=25).find(|name| resumes(*name) > MIXED[name - 1] + 1) {
            return Err(messages::resumed_after_its_end(&format!("generator {name}")));
        }
        if left != unfinished() {
            return Err(messages::round_returned(left, unfinished()));
        }
        if left == 0 {
            break;
        }
    }
    match unfinished() {
        0 => Ok(()),
        lost => Err(messages::generators_lost(lost)),
    }
}

fn a_round_ends() -> Verdict {
    reproduction()?;
    let (mut endless, log) = scheduler(1, usize::MAX);
    if round(&mut endless).is_none() {
        return Err(messages::round_has_no_end(log.borrow().len()));
    }
    let (mut three, log) = scheduler(3, 500);
    round(&mut three);
    let resumes = log.borrow().len();
    if resumes > 3 {
        return Err(messages::round_too_long(3, resumes));
    }
    Ok(())
}

/// The generators of the student, on the scheduler as it was handed out and on one without the defect.
fn reproduction() -> Verdict {
    let mut without: VecDeque<_> = reproduce().into();
    for _ in 0..without.len() {
        let Some(mut generator) = without.pop_front() else { break };
        if generator.resume() == Resumed::Yielded {
            without.push_back(generator);
        }
    }
    let mut given: VecDeque<_> = reproduce().into();
    let mut resumes = 0;
    while let Some(mut generator) = given.pop_front() {
        resumes += 1;
        if resumes > TOO_MANY {
            return Ok(());
        }
        if generator.resume() == Resumed::Yielded {
            given.push_back(generator);
        }
    }
    Err(messages::reproduces_nothing(resumes))
}
