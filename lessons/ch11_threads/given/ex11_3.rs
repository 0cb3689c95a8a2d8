//! Exercise 11.3, find the bug: about 15 minutes.
//!
//! A loop that closes drops the jobs in its inbox, and whatever comes later: whoever waits for a job is told by its
//! destructor that it was refused. It was tried out with threads, thousands of times, and nothing was wrong. Then, once,
//! a thread waited for ever for a job that was neither run nor dropped.
//!
//! 1. Reproduce it: one thread calls `call_soon_threadsafe` with a job, and the loop calls `close`. Their steps are
//!    numbered below. Let `reproduce` return an order of these steps after which the job is neither run nor dropped.
//! 2. Repair the `Handle`: each job is run or dropped, in whatever order the steps come. A loop that is not closed keeps
//!    its jobs and runs them in the order in which a thread sent them. A destructor may send another job. `close` returns.
//!
//! `new`, `call_soon_threadsafe`, `take` and `close` keep their signatures; all else may change. `AtomicBool`, `Mutex` and
//! `Condvar` are used as those of std are. The check brings them along, and goes through every order of the steps. Check
//! it with `cargo run -- check ch11 3`.

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
        // Step 2: locks, takes all out, and lets go.
        let refused = std::mem::take(&mut *self.inbox.lock().unwrap());
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
    todo!("three steps of the sender and two of the loop, in an order that loses the job")
}
