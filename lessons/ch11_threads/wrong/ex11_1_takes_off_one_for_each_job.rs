//! Breaks rule 7.4: it takes off as many entries as there are jobs, and those of tasks stay behind.

use std::collections::VecDeque;

use crate::job::{Job, poll};
use crate::threads::{Condvar, Mutex};

/// What other threads have of a loop.
pub struct Handle {
    inbox: Mutex<Vec<Job>>,
    /// The numbers of the tasks that were woken. No task has number 0: that entry only ends the park.
    ready: Mutex<VecDeque<usize>>,
    changed: Condvar,
}

impl Handle {
    pub fn new() -> Self {
        Handle { inbox: Mutex::new(Vec::new()), ready: Mutex::new(VecDeque::new()), changed: Condvar::new() }
    }

    /// Any thread: has the loop run a job in its next turn.
    pub fn call_soon_threadsafe(&self, job: Job) {
        self.inbox.lock().unwrap().push(job);
        self.ready.lock().unwrap().push_back(0);
        self.changed.notify_one();
    }

    /// Any thread: the task that has this number was woken.
    pub fn wake(&self, number: usize) {
        self.ready.lock().unwrap().push_back(number);
        self.changed.notify_one();
    }

    /// The loop's thread.
    pub fn turn(&self) {
        self.park();
        for number in (0..self.batch()).map_while(|_| self.ready.lock().unwrap().pop_front()) {
            poll(number);
        }
    }

    /// Waits until there is an entry in the ready queue.
    fn park(&self) {
        let mut ready = self.ready.lock().unwrap();
        while ready.is_empty() {
            ready = self.changed.wait(ready).unwrap();
        }
    }

    /// Counts the entries of this turn's batch, and runs the jobs that are in the inbox.
    fn batch(&self) -> usize {
        let jobs = std::mem::take(&mut *self.inbox.lock().unwrap());
        let count = jobs.len();
        jobs.into_iter().for_each(Job::run);
        count
    }
}
