//! The check of exercise 9.3.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex09_3.rs"]
mod exercise;
/// The `try_gather` that was handed out.
#[path = "../given/ex09_3.rs"]
mod handed_out;

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::task::Poll;

use checker::contract::Probe;
use checker::endless::Endless;
use checker::handles::{self, Log};
use checker::{Verdict, messages};
use exercise::{End, reproduce, try_gather};
use tasks::Task;

fn main() -> ExitCode {
    checker::run(
        "ex09_3",
        &[
            ("9.4", passes_the_first_error_on_at_once),
            ("9.1", each_value_has_its_place),
            ("9.3", polls_nobody_again),
            ("9.6", nothing_is_ready_at_once),
            ("3.1", each_poll_returns),
            ("5.1", is_woken_when_it_can_go_on),
            ("4.3", wakes_nobody_itself),
        ],
    )
}

/// What the exercise takes from here.
mod tasks {
    /// How a task ended: with a value or with an error.
    pub type Outcome = Result<u32, String>;

    pub type Task = crate::checker::handles::Task<Outcome>;
}

/// Unlike the order of the tasks, so that to sort the values does not bring them into their places.
fn value(number: usize) -> u32 {
    100 + ((number as u32 * 7) ^ 0b10101)
}

fn error(number: usize) -> String {
    format!("task {number} failed")
}

type Gathered = Result<Vec<u32>, String>;
type Gather = fn(Vec<Task>) -> Pin<Box<dyn Future<Output = Gathered>>>;

enum How {
    /// In this second.
    Ready(u64, Gathered),
    /// Ready only in a poll for which nobody had called the waker, after everything had happened.
    Unwoken,
    Never,
    Endless,
    Panicked(Box<dyn Any + Send>),
}

struct Run {
    log: Rc<Log>,
    how: How,
    /// The first poll that called its own waker and returned pending.
    woke_itself: Option<usize>,
}

/// It is polled in second 0, when the tasks of that second have ended, and then whenever the waker of its latest poll was
/// called.
fn run(gather: Gather, ends: &[End]) -> Run {
    let log = Rc::<Log>::default();
    let (tasks, slots): (Vec<_>, Vec<_>) = (1..=ends.len()).map(|number| Task::new(number, &log)).unzip();
    let mut gather = gather(tasks);
    let mut run = Run { log, how: How::Never, woke_itself: None };
    let mut seconds: BTreeSet<u64> = ends.iter().map(|end| end.second).collect();
    seconds.insert(0);
    let unwoken = ends.len() + 3;
    let events = seconds.into_iter().map(Some).chain((0..unwoken).map(|_| None));
    let (mut is_woken, mut polls) = (true, 0);
    let (mut latest, mut now) = (Probe::new(), 0);
    for second in events {
        now = second.unwrap_or(now);
        for (place, end) in ends.iter().enumerate().filter(|(_, end)| Some(end.second) == second) {
            slots[place].end(if end.fails { Err(error(place + 1)) } else { Ok(value(place + 1)) });
        }
        is_woken |= latest.wakes() > 0;
        if !is_woken && second.is_some() {
            continue;
        }
        // Who wakes itself is polled again, within limits.
        for _ in 0..10 {
            polls += 1;
            run.log.begin_poll();
            let probe = Probe::new();
            let poll = || probe.poll(gather.as_mut());
            match catch_unwind(AssertUnwindSafe(poll)) {
                Ok(Poll::Ready(gathered)) => {
                    run.how = if is_woken { How::Ready(now, gathered) } else { How::Unwoken };
                    return run;
                }
                Ok(Poll::Pending) => {}
                Err(payload) => {
                    run.how = if payload.is::<Endless>() { How::Endless } else { How::Panicked(payload) };
                    return run;
                }
            }
            latest = probe;
            is_woken = latest.wakes() > 0;
            if !is_woken {
                break;
            }
            run.woke_itself = run.woke_itself.or(Some(polls));
        }
    }
    run
}

fn repaired(ends: &[End]) -> Run {
    checker::calls("`try_gather`");
    run(|tasks| Box::pin(try_gather(tasks)), ends)
}

/// Below the limit that was handed out, the limit, one more, and beyond; then two, and one.
const SIZES: [usize; 7] = [25, 30, 31, 40, 64, 2, 1];

fn value_at(second: u64) -> End {
    End { second, fails: false }
}

fn error_at(second: u64) -> End {
    End { second, fails: true }
}

/// From second 1 on, in another order than that of the tasks.
fn mixed(tasks: usize) -> Vec<End> {
    (0..tasks).map(|place| value_at(1 + (place as u64 * 7 + 3) % tasks as u64)).collect()
}

/// Runs without an error.
fn peaceful() -> Vec<Vec<End>> {
    let of_size = |tasks: usize| {
        let in_order: Vec<End> = (1..=tasks as u64).map(value_at).collect();
        let reversed: Vec<End> = in_order.iter().rev().copied().collect();
        let few_ends: Vec<End> = mixed(tasks).iter().map(|end| value_at(end.second / 3)).collect();
        [mixed(tasks), in_order, reversed, few_ends, vec![value_at(0); tasks], vec![value_at(2); tasks]]
    };
    SIZES.into_iter().flat_map(of_size).collect()
}

/// Runs with errors: of the first task, one in the middle, the last; before the first poll, first, in between, after all
/// others; and several in one run.
fn stormy() -> Vec<Vec<End>> {
    let mut all = Vec::new();
    for tasks in SIZES {
        for place in BTreeSet::from([0, tasks / 2, tasks - 1]) {
            for second in BTreeSet::from([0, 1, tasks as u64 / 2, tasks as u64 + 5]) {
                let mut ends = mixed(tasks);
                ends[place] = error_at(second);
                all.push(ends);
            }
        }
        if tasks > 2 {
            let mut ends = mixed(tasks);
            (ends[0], ends[tasks - 1], ends[tasks / 2]) = (error_at(9), error_at(5), error_at(7));
            all.push(ends.clone());
            (ends[0], ends[tasks - 1], ends[tasks / 2]) = (error_at(7), error_at(9), error_at(5));
            all.push(ends);
            all.push(vec![error_at(3); tasks]);
        }
    }
    all
}

/// Beyond any limit that it could be raised to: the last of them fails first.
fn very_many() -> Vec<End> {
    let mut ends = vec![value_at(2); 12_000];
    ends[11_999] = error_at(1);
    ends
}

/// The second in which the first error comes, if one does.
fn first_error(ends: &[End]) -> Option<u64> {
    ends.iter().filter(|end| end.fails).map(|end| end.second).min()
}

fn passes_the_first_error_on_at_once() -> Verdict {
    reproduction()?;
    for ends in stormy().into_iter().chain([very_many()]) {
        let Some(second) = first_error(&ends) else { continue };
        let seen = match repaired(&ends).how {
            How::Ready(seen, Err(text)) if seen == second => {
                let is_first = |number: &usize| ends[number - 1].fails && ends[number - 1].second == second;
                let mut first = (1..=ends.len()).filter(is_first).map(error);
                if first.clone().any(|error| error == text) {
                    continue;
                }
                messages::other_error(&first.next().unwrap_or_default(), &text)
            }
            How::Ready(seen, Err(_)) => messages::error_came_late(ends.len(), second, Some(seen)),
            How::Ready(seen, Ok(values)) => messages::error_swallowed(ends.len(), second, seen, values.len()),
            How::Panicked(payload) => resume_unwind(payload),
            // Rule 3.1's; or rule 5.1's, if it stalls without an error as well.
            How::Endless => return Ok(()),
            How::Unwoken | How::Never if !wakes_are_kept() => return Ok(()),
            How::Unwoken | How::Never => messages::error_came_late(ends.len(), second, None),
        };
        return Err(messages::part_2("try_gather", &seen));
    }
    Ok(())
}

fn wakes_are_kept() -> bool {
    peaceful().iter().all(|ends| matches!(repaired(ends).how, How::Ready(..)))
}

fn each_value_has_its_place() -> Verdict {
    for ends in peaceful() {
        let run = repaired(&ends);
        match run.how {
            How::Ready(_, Ok(values)) => {
                let expected: Vec<u32> = (1..=ends.len()).map(value).collect();
                messages::first_difference("the values, in the order of the tasks", &expected, &values)?;
            }
            How::Ready(_, Err(text)) => return Err(messages::error_of_nobody(ends.len(), &text)),
            // An outcome can be lost by a poll too many: rule 9.3's.
            How::Never if run.log.late.get().is_none() => {
                return Err(messages::gathered_and_not_ready(ends.len(), run.log.given.get()));
            }
            How::Panicked(payload) => resume_unwind(payload),
            How::Endless => return Ok(()),
            How::Never | How::Unwoken => {}
        }
    }
    Ok(())
}

fn polls_nobody_again() -> Verdict {
    for ends in peaceful().into_iter().chain(stormy()) {
        let run = repaired(&ends);
        if let How::Endless = run.how {
            return Ok(());
        }
        if let Some(task) = run.log.late.get() {
            return Err(messages::handle_polled_again(task, ends.len()));
        }
    }
    Ok(())
}

fn nothing_is_ready_at_once() -> Verdict {
    match repaired(&[]).how {
        How::Ready(_, Ok(values)) if values.is_empty() => Ok(()),
        How::Ready(_, Ok(values)) => Err(messages::nothing_gave_something(values.len())),
        How::Ready(_, Err(text)) => Err(messages::error_of_nobody(0, &text)),
        How::Unwoken | How::Never => Err(messages::nothing_was_pending()),
        How::Panicked(payload) => resume_unwind(payload),
        How::Endless => Ok(()),
    }
}

fn each_poll_returns() -> Verdict {
    match peaceful().iter().chain(&stormy()).find(|ends| matches!(repaired(ends).how, How::Endless)) {
        Some(ends) => Err(messages::polls_on_and_on(ends.len(), handles::TOO_MANY)),
        None => Ok(()),
    }
}

fn is_woken_when_it_can_go_on() -> Verdict {
    for ends in peaceful() {
        let run = repaired(&ends);
        if let How::Endless = run.how {
            return Ok(());
        }
        if run.log.late.get().is_none() && matches!(run.how, How::Unwoken) {
            return Err(messages::gather_sleeps_for_ever("`try_gather`", ends.len()));
        }
    }
    Ok(())
}

fn wakes_nobody_itself() -> Verdict {
    for ends in peaceful().into_iter().chain(stormy()) {
        let run = repaired(&ends);
        if let How::Endless = run.how {
            return Ok(());
        }
        if let Some(poll) = run.woke_itself {
            return Err(messages::wakes_itself_in("`try_gather`", poll));
        }
    }
    Ok(())
}

/// Beyond what anybody needs, and few enough for a run.
const MOST: usize = 1_000;

/// The tasks of the student, with the `try_gather` that was handed out.
fn reproduction() -> Verdict {
    checker::calls("`reproduce`");
    let ends = reproduce();
    if ends.len() > MOST {
        return Err(messages::reproduces_too_many(ends.len(), MOST));
    }
    let Some(second) = first_error(&ends) else { return Err(messages::reproduces_no_error(ends.len())) };
    match run(|tasks| Box::pin(handed_out::try_gather(tasks)), &ends).how {
        How::Ready(seen, _) if seen > second => Ok(()),
        _ => Err(messages::reproduces_no_late_error(ends.len(), second)),
    }
}
