//! Exercise 2.1, fill in: about 2 minutes.
//!
//! The list of the sleepers: for each its deadline, and the number of its task. `earliest` and `take_due` look at the
//! front of the list only. Write `add`, so that what they find there is right: the earliest deadline first, and among
//! sleepers with the same deadline the one that was added first. Check it with `cargo run -- check ch02 1`.

use std::time::Duration;

#[derive(Default)]
pub struct Sleepers {
    /// Deadline and task.
    list: Vec<(Duration, usize)>,
}

impl Sleepers {
    pub fn add(&mut self, deadline: Duration, task: usize) {
        // Only to silence a warning: delete it.
        let _ = (deadline, task);
        todo!("put the two into the list, at their place")
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
