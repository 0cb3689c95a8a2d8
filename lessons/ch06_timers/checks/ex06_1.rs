//! The check of exercise 6.1.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex06_1.rs"]
mod exercise;

use std::process::ExitCode;
use std::time::Duration;

use checker::{Verdict, messages};
use exercise::Entry;

fn main() -> ExitCode {
    checker::run("ex06_1", &[("6.3", fires_in_order)])
}

const NANOSECOND: Duration = Duration::from_nanos(1);
const MICROSECOND: Duration = Duration::from_micros(1);
const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Deadlines that are far apart, and ones that are the same but for the smallest part.
fn deadlines() -> Vec<Duration> {
    let mut deadlines =
        vec![Duration::ZERO, Duration::from_millis(u64::MAX), Duration::MAX - NANOSECOND, Duration::MAX];
    // The last two have more nanoseconds than a u64 can hold.
    let far = [1 << 24, 1 << 32, 20_000_000_000, 1 << 53].map(Duration::from_secs);
    for deadline in [MICROSECOND, MILLISECOND, SECOND, SECOND * 2, SECOND * 3600].into_iter().chain(far) {
        let near = [NANOSECOND, MICROSECOND, MILLISECOND].map(|more| deadline + more);
        deadlines.extend([deadline - NANOSECOND, deadline].into_iter().chain(near));
    }
    deadlines
}

/// In the order in which they fire.
fn entries() -> Vec<Entry> {
    let mut entries: Vec<(Duration, u64)> = Vec::new();
    for number in [1, 2, 3, 1000, 1_000_000, u64::MAX] {
        entries.extend(deadlines().into_iter().map(|deadline| (deadline, number)));
    }
    entries.sort();
    entries.dedup();
    entries.into_iter().map(|(deadline, number)| Entry { deadline, number }).collect()
}

/// `a` fires before `b`, or is the same.
fn compare(a: &Entry, b: &Entry) -> Verdict {
    let order = (b.deadline, b.number).cmp(&(a.deadline, a.number));
    for (a, b, expected) in [(a, b, order), (b, a, order.reverse())] {
        let seen = a.cmp(b);
        let (name_a, name_b) = (format!("{a:?}"), format!("{b:?}"));
        if seen != expected {
            return Err(messages::compared(&name_a, &name_b, expected, seen));
        }
        let seen = a.partial_cmp(b);
        if seen != Some(expected) {
            return Err(messages::compared_in_part(&name_a, &name_b, expected, seen));
        }
    }
    Ok(())
}

fn fires_in_order() -> Verdict {
    // First the pairs that are easy to read.
    let entry = |deadline, number| Entry { deadline, number };
    compare(&entry(SECOND, 2), &entry(SECOND * 2, 1))?;
    compare(&entry(SECOND, 1), &entry(SECOND, 2))?;
    compare(&entry(SECOND, 1), &entry(SECOND, 1))?;
    for more in [Duration::from_millis(400), MILLISECOND, MICROSECOND, NANOSECOND] {
        compare(&entry(SECOND, 2), &entry(SECOND + more, 1))?;
    }
    let entries = entries();
    for (place, a) in entries.iter().enumerate() {
        entries[place..].iter().try_for_each(|b| compare(a, b))?;
    }
    Ok(())
}
