//! Breaks rule 2.2: among sleepers with the same deadline the one that came last is first.

use std::time::Duration;

#[derive(Default)]
pub struct Sleepers {
    /// Deadline and task.
    list: Vec<(Duration, usize)>,
}

impl Sleepers {
    pub fn add(&mut self, deadline: Duration, task: usize) {
        let place = self.list.partition_point(|(other, _)| *other < deadline);
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
