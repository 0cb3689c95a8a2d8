//! Breaks rule 11.7: who sends waits until the inbox is empty, and a loop that closes does not tell it.

use crate::job::Job;
use crate::threads::{Condvar, Mutex};

/// What other threads have of a loop.
pub struct Handle {
    /// Whether the loop is closed, and what it has not taken yet.
    inbox: Mutex<(bool, Vec<Job>)>,
    changed: Condvar,
}

impl Handle {
    pub fn new() -> Self {
        Handle { inbox: Mutex::new((false, Vec::new())), changed: Condvar::new() }
    }

    /// Any thread: has the loop run a job. A loop that is closed drops it.
    pub fn call_soon_threadsafe(&self, job: Job) {
        let mut inbox = self.inbox.lock().unwrap();
        if inbox.0 {
            return;
        }
        inbox.1.push(job);
        self.changed.notify_all();
        while !inbox.1.is_empty() {
            inbox = self.changed.wait(inbox).unwrap();
        }
    }

    /// The loop's thread: waits for jobs, and takes them.
    pub fn take(&self) -> Vec<Job> {
        let mut inbox = self.inbox.lock().unwrap();
        while inbox.1.is_empty() {
            inbox = self.changed.wait(inbox).unwrap();
        }
        self.changed.notify_all();
        std::mem::take(&mut inbox.1)
    }

    /// The loop's thread, at its end: drops the jobs that are left, and all that come later.
    pub fn close(&self) {
        let refused = std::mem::replace(&mut *self.inbox.lock().unwrap(), (true, Vec::new()));
        drop(refused);
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
