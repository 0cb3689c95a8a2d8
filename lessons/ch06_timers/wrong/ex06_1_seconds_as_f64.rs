//! Breaks rule 6.3: it compares seconds as f64, which has sixteen digits: far from zero, deadlines that are close are the same number.

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
        let order = other.deadline.as_secs_f64().total_cmp(&self.deadline.as_secs_f64());
        order.then(other.number.cmp(&self.number))
    }
}

/// `BinaryHeap` asks for this one, too. It says the same.
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
