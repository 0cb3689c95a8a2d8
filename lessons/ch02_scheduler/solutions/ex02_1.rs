//! Exercise 2.1, solved.
//!
//! The list is sorted at every moment, so `partition_point` finds the place with few comparisons: it is the number of
//! sleepers that stay in front of the new one. Those with the same deadline came earlier and stay in front too, which is
//! the `=` in `<=`.

use std::time::Duration;

#[derive(Default)]
pub struct Sleepers {
    /// Deadline and task.
    list: Vec<(Duration, usize)>,
}

impl Sleepers {
    pub fn add(&mut self, deadline: Duration, task: usize) {
        let place = self.list.partition_point(|(other, _)| *other <= deadline);
        self.list.insert(place, (deadline, task));
    }

    /// Until when to wait, if somebody sleeps.
    pub fn earliest(&self) -> Option<Duration> {
        self.list.first().map(|(deadline, _)| *deadline)
    }

    /// Takes out of the list all whose deadline has come.
    pub fn take_due(&mut self, now: Duration) -> Vec<usize> {
        let mut due = Vec::new();
        while self.list.first().is_some_and(|(deadline, _)| *deadline <= now) {
            let (_, task) = self.list.remove(0);
            due.push(task);
        }
        due
    }
}
