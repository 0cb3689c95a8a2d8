//! Exercise 11.1, fill in: about 2 minutes.
//!
//! A thread sends a job to a loop that may be parked. Write both sides: `call_soon_threadsafe` puts the job into the inbox
//! and wakes the loop. `batch` is the part of a turn that comes before the polls. In whatever order the steps of the two
//! come, each job is run once, and the jobs of a thread are run in the order in which it sent them. A job may send another.
//! `wake`, `turn` and `park` are finished.
//!
//! `Mutex` and `Condvar` are used as those of std are, `job.run()` runs a job, and `poll` polls a task. The check brings them
//! along, and goes through every order of the steps of the loop and of the threads that send. No thread is started, so
//! nothing hangs. Check it with `cargo run -- check ch11 1`.

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
        let _ = (&self.inbox, job);
        todo!("put the job into the inbox, put an entry 0 into the ready queue, and notify the loop: in which order?")
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
        todo!("count the entries, and take the jobs out of the inbox: in which order? Then run the jobs.")
    }
}
