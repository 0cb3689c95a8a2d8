//! The check of exercise 2.1.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex02_1.rs"]
mod exercise;

use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use checker::{Verdict, messages};
use exercise::Sleepers;

fn main() -> ExitCode {
    checker::run("ex02_1", &[("2.2", wake_in_the_order_of_their_deadlines)])
}

#[derive(Clone, Copy, PartialEq)]
struct Sleeper {
    deadline: Duration,
    task: usize,
}

impl fmt::Debug for Sleeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} (deadline {:?})", self.task, self.deadline)
    }
}

fn wake_in_the_order_of_their_deadlines() -> Verdict {
    let seconds = |sleepers: &[(u64, usize)]| {
        sleepers
            .iter()
            .map(|(deadline, task)| Sleeper { deadline: Duration::from_secs(*deadline), task: *task })
            .collect()
    };
    let few: Vec<Sleeper> = seconds(&[(4, 1), (1, 2), (2, 3)]);
    all_at_once("three with deadlines of 4 s, 1 s and 2 s, added in this order", &few)?;
    let same: Vec<Sleeper> = seconds(&(0..25).map(|n| (3, 1 + n * 7 % 25)).collect::<Vec<_>>());
    all_at_once("25 with the same deadline, added in the order 1, 8, 15, …", &same)?;
    let many: Vec<Sleeper> = seconds(&(0..40).map(|n| (1 + (n * 3 % 7) as u64, 1 + n * 11 % 40)).collect::<Vec<_>>());
    all_at_once("40 with deadlines from 1 s to 7 s, added in the order 1, 12, 23, …", &many)?;
    in_turn(&many)
}

/// In the order in which they should wake: `sort_by_key` leaves those with the same deadline in their order.
fn sorted(sleepers: &[Sleeper]) -> Vec<Sleeper> {
    let mut sorted = sleepers.to_vec();
    sorted.sort_by_key(|sleeper| sleeper.deadline);
    sorted
}

fn all_at_once(who: &str, sleepers: &[Sleeper]) -> Verdict {
    let mut list = Sleepers::default();
    sleepers.iter().for_each(|sleeper| list.add(sleeper.deadline, sleeper.task));
    compare(who, &mut list, &sorted(sleepers), sleepers, Duration::from_secs(60))
}

/// Adds five, lets a second pass and takes those who are due, again and again: some are due as soon as they are added.
fn in_turn(sleepers: &[Sleeper]) -> Verdict {
    let (mut list, mut inside) = (Sleepers::default(), Vec::new());
    for (second, new) in (1..).zip(sleepers.chunks(5)) {
        let now = Duration::from_secs(second);
        new.iter().for_each(|sleeper| list.add(sleeper.deadline, sleeper.task));
        inside.extend_from_slice(new);
        let who = format!("five are added in each second (1, 12, 23, …), in second {second}");
        let due: Vec<Sleeper> = sorted(&inside).into_iter().filter(|sleeper| sleeper.deadline <= now).collect();
        let earliest = inside.iter().map(|sleeper| sleeper.deadline).min();
        if list.earliest() != earliest {
            return Err(messages::earliest_was(&who, earliest, list.earliest()));
        }
        compare(&who, &mut list, &due, sleepers, now)?;
        inside.retain(|sleeper| sleeper.deadline > now);
    }
    compare("in the end", &mut list, &sorted(&inside), sleepers, Duration::from_secs(60))
}

fn compare(who: &str, list: &mut Sleepers, expected: &[Sleeper], all: &[Sleeper], now: Duration) -> Verdict {
    let unknown = |task| Sleeper { deadline: Duration::MAX, task };
    let known = |task| all.iter().copied().find(|sleeper| sleeper.task == task).unwrap_or(unknown(task));
    let seen: Vec<Sleeper> = list.take_due(now).into_iter().map(known).collect();
    messages::first_difference(&format!("{who}: whom `take_due` takes out"), expected, &seen)
}
