//! Breaks rule 6.3: it counts nanoseconds in a u64, which has room for 584 years, and `as` throws the rest away.

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
        let nanoseconds = |entry: &Entry| entry.deadline.as_nanos() as u64;
        nanoseconds(other).cmp(&nanoseconds(self)).then(other.number.cmp(&self.number))
    }
}

/// `BinaryHeap` asks for this one, too. It says the same.
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
