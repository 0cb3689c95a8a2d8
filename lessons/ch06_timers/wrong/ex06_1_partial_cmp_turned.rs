//! Breaks rule 6.3: `partial_cmp` is turned round, and that is the one that the heap asks.

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
        Some(other.cmp(self))
    }
}
