//! The check of exercise 6.1.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex06_1.rs"]
mod exercise;

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::process::ExitCode;
use std::time::Duration;

use checker::{Verdict, messages};
use exercise::Entry;

fn main() -> ExitCode {
    checker::run("ex06_1", &[("6.3", fires_in_order)])
}

/// Deadlines in milliseconds, in the order of arrival: five in one second, many of them equal, one that never comes.
const DEADLINES: [u64; 28] = [
    3000,
    1000,
    2000,
    1000,
    1400,
    1200,
    u64::MAX,
    2000,
    1000,
    4000,
    1400,
    1000,
    0,
    3000,
    2000,
    1200,
    1000,
    0,
    4000,
    2000,
    1000,
    1200,
    3000,
    1400,
    1000,
    2000,
    0,
    1000,
];

fn entries(deadlines: &[u64]) -> Vec<Entry> {
    let entry = |(number, millis): (u64, &u64)| Entry { deadline: Duration::from_millis(*millis), number };
    (1..).zip(deadlines).map(entry).collect()
}

/// The numbers of the entries as the heap gives them. Where an entry is in the heap depends on when it was pushed, so a
/// check pushes them in several orders.
fn popped(mut entries: Vec<Entry>, order: usize) -> Vec<u64> {
    match order {
        0 => {}
        1 => entries.reverse(),
        turns => {
            let middle = turns * 5 % entries.len();
            entries.rotate_left(middle);
        }
    }
    let mut heap: BinaryHeap<Entry> = BinaryHeap::new();
    entries.into_iter().for_each(|entry| heap.push(entry));
    std::iter::from_fn(|| heap.pop()).map(|entry| entry.number).collect()
}

fn fires_in_order() -> Verdict {
    for [above, below] in [[(1000, 2), (2000, 1)], [(1000, 1), (1000, 2)]] {
        let [a, b] = [above, below].map(|(millis, number)| Entry { deadline: Duration::from_millis(millis), number });
        if (a.cmp(&b), b.cmp(&a)) != (Ordering::Greater, Ordering::Less) {
            return Err(messages::not_nearer_to_the_top(&format!("{a:?}"), &format!("{b:?}")));
        }
    }
    let cases: [(&str, Vec<u64>); 3] = [
        ("28 timers with some deadlines equal", DEADLINES.to_vec()),
        ("25 timers with the same deadline", vec![1000; 25]),
        ("25 timers, each earlier than the one before", (1..=25).rev().map(|second| second * 1000).collect()),
    ];
    for (what, deadlines) in cases {
        let mut expected: Vec<u64> = (1..=deadlines.len() as u64).collect();
        // A stable sort: among equal deadlines it keeps the order of arrival.
        expected.sort_by_key(|number| deadlines[*number as usize - 1]);
        for order in 0..5 {
            let seen = popped(entries(&deadlines), order);
            messages::first_difference(&format!("{what}: the numbers as they fire"), &expected, &seen)?;
        }
    }
    Ok(())
}
