//! Exercise 11.3, solved.
//!
//! The sender looked at the flag and pushed the job, and nothing held the two together. If the loop closed in between, it
//! emptied the inbox before the job was in it, and nobody looks into it again: the job is neither run nor dropped, and
//! whoever waits for its result waits for ever. The repair puts the flag behind the lock of the jobs. Either the sender
//! is there first, then `close` finds the job, or `close` is, then the sender finds the flag.
//!
//! What is refused is dropped when the lock is free: a destructor may send another job. In `close` the jobs are moved out
//! of the inbox, and dropped behind the statement that has the guard. In `call_soon_threadsafe` the guard is a local
//! variable, and those are dropped before the parameters.
//!
//! It can be done with the flag as it is: the sender looks once more after it has pushed, and if the loop is closed by
//! then, it empties the inbox itself.

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
        self.changed.notify_one();
    }

    /// The loop's thread: waits for jobs, and takes them.
    pub fn take(&self) -> Vec<Job> {
        let mut inbox = self.inbox.lock().unwrap();
        while inbox.1.is_empty() {
            inbox = self.changed.wait(inbox).unwrap();
        }
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
