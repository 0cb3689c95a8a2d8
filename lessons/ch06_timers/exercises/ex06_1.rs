//! Exercise 6.1, fill in: about 2 minutes.
//!
//! The timers of a clock are in a `BinaryHeap`, and that has its greatest entry on top. Write `cmp`, so that the entry
//! which fires first is on top: the one with the earliest deadline, and of those with the same deadline the one that
//! arrived first. Check it with `cargo run -- check ch06 1`.

use std::cmp::Ordering;
use std::time::Duration;

#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    pub deadline: Duration,
    /// 1 for the timer that arrived first, 2 for the next one, and so on.
    pub number: u64,
}

impl Ord for Entry {
    /// `Ordering::Greater`: `self` is nearer to the top than `other`. `Ordering::Equal`: they are the same in both fields.
    fn cmp(&self, other: &Self) -> Ordering {
        todo!("which of {self:?} and {other:?} is nearer to the top")
    }
}

/// `BinaryHeap` asks for this one, too. It says the same.
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
