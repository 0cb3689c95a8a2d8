//! Breaks rule 11.7: `close` empties the inbox three times, and the sender comes after the third.

use std::sync::atomic::Ordering;

use crate::job::Job;
use crate::threads::{AtomicBool, Condvar, Mutex};

/// What other threads have of a loop.
pub struct Handle {
    is_closed: AtomicBool,
    /// What the loop has not taken yet.
    inbox: Mutex<Vec<Job>>,
    changed: Condvar,
}

impl Handle {
    pub fn new() -> Self {
        Handle { is_closed: AtomicBool::new(false), inbox: Mutex::new(Vec::new()), changed: Condvar::new() }
    }

    /// Any thread: has the loop run a job. A loop that is closed drops it.
    pub fn call_soon_threadsafe(&self, job: Job) {
        // Step 1 of the sender.
        if self.is_closed.load(Ordering::SeqCst) {
            return;
        }
        // Step 2: locks, pushes, and lets go.
        self.inbox.lock().unwrap().push(job);
        // Step 3.
        self.changed.notify_one();
    }

    /// The loop's thread: waits for jobs, and takes them.
    pub fn take(&self) -> Vec<Job> {
        let mut inbox = self.inbox.lock().unwrap();
        while inbox.is_empty() {
            inbox = self.changed.wait(inbox).unwrap();
        }
        std::mem::take(&mut *inbox)
    }

    /// The loop's thread, at its end: drops the jobs that are left, and all that come later.
    pub fn close(&self) {
        // Step 1 of the loop.
        self.is_closed.store(true, Ordering::SeqCst);
        let mut count = 0;
        while count < 3 {
            drop(std::mem::take(&mut *self.inbox.lock().unwrap()));
            count += 1;
        }
    }
}

/// Whose step it is.
#[derive(Clone, Copy, PartialEq)]
pub enum Step {
    Sender,
    Loop,
}

/// An order in which the job is neither run nor dropped.
pub fn reproduce() -> Vec<Step> {
    use Step::*;
    vec![Sender, Loop, Loop, Sender, Sender]
}
