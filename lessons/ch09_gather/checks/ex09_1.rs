//! The check of exercise 9.1.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex09_1.rs"]
mod exercise;

use std::pin::pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::task::Poll;

use checker::contract::Probe;
use checker::handles::{self, Log};
use checker::{Verdict, endless, messages};
use exercise::Gather;
use tasks::Task;

fn main() -> ExitCode {
    checker::run(
        "ex09_1",
        &[
            ("9.1", each_result_has_its_place),
            ("9.4", each_poll_asks_all),
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
    pub type Task = crate::checker::handles::Task<String>;
}

/// When the gather is polled.
#[derive(Clone, Copy, PartialEq)]
enum Polled {
    /// Once after each step.
    Always,
    /// At the beginning, and when the waker of its latest poll was called.
    Woken,
}

struct Run {
    log: Rc<Log>,
    results: Option<Vec<String>>,
    /// The tasks that had not ended when it was ready.
    running: Vec<usize>,
    /// Ready only in a poll that came when nothing was left to happen.
    is_late: bool,
    is_endless: bool,
    /// The first poll that called its own waker and returned pending.
    woke_itself: Option<usize>,
    /// The first poll after a wake that was given no result and returned pending, and whom it did not ask.
    did_not_ask: Option<(usize, Vec<usize>)>,
}

/// Each task ends in its step, counted from 0; those of step 0 before the first poll.
fn run(ends: &[usize], when: Polled) -> Run {
    let log = Rc::<Log>::default();
    let (tasks, slots): (Vec<_>, Vec<_>) = (1..=ends.len()).map(|number| Task::new(number, &log)).unzip();
    let mut gather = pin!(Gather::new(tasks));
    checker::calls("`poll`");
    let mut run = Run {
        log,
        results: None,
        running: vec![],
        is_late: false,
        is_endless: false,
        woke_itself: None,
        did_not_ask: None,
    };
    let last = ends.iter().max().copied().unwrap_or(0);
    let (mut is_woken, mut polls) = (true, 0);
    let mut latest = Probe::new();
    for step in 0..=last + ends.len() + 3 {
        (0..ends.len())
            .filter(|place| ends[*place] == step)
            .for_each(|place| slots[place].end(format!("result {}", place + 1)));
        is_woken |= latest.wakes() > 0;
        if !is_woken && when == Polled::Woken && step <= last {
            continue;
        }
        // Who wakes itself is polled again, within limits.
        for _ in 0..10 {
            polls += 1;
            run.log.begin_poll();
            let given = run.log.given.get();
            let probe = Probe::new();
            match endless::ends(|| probe.poll(gather.as_mut())) {
                Some(Poll::Ready(results)) => {
                    run.results = Some(results);
                    run.running = (1..=ends.len()).filter(|number| ends[number - 1] > step).collect();
                    run.is_late = !is_woken;
                    return run;
                }
                Some(Poll::Pending) if is_woken && given == run.log.given.get() => {
                    let asked = run.log.asked.borrow();
                    let open = slots.iter().filter(|slot| !slot.has_given.get()).map(|slot| slot.number);
                    let not_asked: Vec<usize> = open.filter(|number| !asked.contains(number)).collect();
                    if !not_asked.is_empty() {
                        run.did_not_ask.get_or_insert((polls, not_asked));
                    }
                }
                Some(Poll::Pending) => {}
                None => {
                    run.is_endless = true;
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

/// In which step each of the tasks ends.
fn cases() -> Vec<Vec<usize>> {
    let mixed = |tasks: usize| (0..tasks).map(move |place| 1 + (place * 7 + 3) % tasks).collect();
    vec![
        mixed(25),
        (1..=25).collect(),
        (1..=25).rev().collect(),
        (0..25).map(|place| place * 7 % 25 / 3).collect(),
        vec![0; 25],
        vec![2; 25],
        (0..25).map(|place| if place == 12 { 4 } else { 0 }).collect(),
        vec![3],
    ]
}

fn each_result_has_its_place() -> Verdict {
    for ends in cases() {
        let run = run(&ends, Polled::Always);
        // Those are rules 9.3's and 3.1's.
        if run.log.late.get().is_some() || run.is_endless {
            continue;
        }
        let Some(results) = run.results else {
            return Err(messages::gathered_and_not_ready(ends.len(), run.log.given.get()));
        };
        if !run.running.is_empty() {
            return Err(messages::gathered_too_soon(ends.len(), &run.running));
        }
        let expected: Vec<String> = (1..=ends.len()).map(|number| format!("result {number}")).collect();
        messages::first_difference("the results, in the order of the tasks", &expected, &results)?;
    }
    Ok(())
}

/// A poll that was given a result may leave the others to the next one, as long as that comes: rule 5.1's.
fn each_poll_asks_all() -> Verdict {
    for ends in cases() {
        if let Some((poll, not_asked)) = run(&ends, Polled::Woken).did_not_ask {
            return Err(messages::gather_did_not_ask(poll, ends.len(), &not_asked));
        }
    }
    Ok(())
}

fn polls_nobody_again() -> Verdict {
    for ends in cases() {
        if let Some(task) = run(&ends, Polled::Always).log.late.get() {
            return Err(messages::handle_polled_again(task, ends.len()));
        }
    }
    Ok(())
}

fn nothing_is_ready_at_once() -> Verdict {
    let mut gather = pin!(Gather::new(vec![]));
    checker::calls("`poll`");
    match Probe::new().poll(gather.as_mut()) {
        Poll::Ready(results) if results.is_empty() => Ok(()),
        Poll::Ready(results) => Err(messages::nothing_gave_something(results.len())),
        Poll::Pending => Err(messages::nothing_was_pending()),
    }
}

fn each_poll_returns() -> Verdict {
    match cases().iter().find(|ends| run(ends, Polled::Always).is_endless) {
        Some(ends) => Err(messages::polls_on_and_on(ends.len(), handles::TOO_MANY)),
        None => Ok(()),
    }
}

fn is_woken_when_it_can_go_on() -> Verdict {
    for ends in cases() {
        let run = run(&ends, Polled::Woken);
        if run.log.late.get().is_none() && run.is_late {
            return Err(messages::gather_sleeps_for_ever("`Gather`", ends.len()));
        }
    }
    Ok(())
}

fn wakes_nobody_itself() -> Verdict {
    for ends in cases() {
        if let Some(poll) = run(&ends, Polled::Always).woke_itself {
            return Err(messages::wakes_itself_in("`Gather`", poll));
        }
    }
    Ok(())
}
