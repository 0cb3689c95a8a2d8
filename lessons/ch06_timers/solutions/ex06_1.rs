//! Exercise 6.1, solved.
//!
//! `other.deadline.cmp(&self.deadline)` is the order of the deadlines turned round: the earlier deadline is the greater
//! entry. `then` looks at its argument only where the first answer is `Equal`, so the numbers decide among equal
//! deadlines, and they are turned round as well. No two entries have the same number: the order leaves nothing open.
//! The stage gets the same from a tuple: it wraps (deadline, number) in `Reverse`.

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
        other.deadline.cmp(&self.deadline).then(other.number.cmp(&self.number))
    }
}

/// `BinaryHeap` asks for this one, too. It says the same.
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
