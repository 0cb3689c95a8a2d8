//! Exercise 7.1, fill in: about 2 minutes.
//!
//! In the stage a wake searches the ready queue, and the longer the queue, the longer the search. Here it does not search:
//! each task has a flag, which is up while the task has an entry. `take`, which is given, takes the entries out and puts
//! their flags down. Write `wake`: the task has one entry, at the end of the queue unless it had one already, and the
//! loop's thread, which may be waiting in `take`, is notified.
//!
//! `take` takes the whole queue at once: a wake after it and before the poll is an entry, and costs a poll in vain. The second
//! sentence to rule 7.3 in the lesson, that an entry stays until its poll, is not asked for here.
//!
//! `Mutex` and `Condvar` are used as those of std are; `Mutex` has only `lock`. The check brings them along, so that it can
//! play the other threads. Check it with `cargo run -- check ch07 1`.

use std::sync::Arc;

use crate::lock::{Condvar, Mutex};

pub struct Ready {
    /// The numbers of the tasks that were woken.
    pub queue: Vec<usize>,
    /// For each task, by its number, whether it has an entry in the queue.
    pub is_queued: Vec<bool>,
}

pub struct Parker {
    pub ready: Mutex<Ready>,
    pub changed: Condvar,
}

impl Parker {
    pub fn new(tasks: usize) -> Arc<Self> {
        let ready = Ready { queue: Vec::new(), is_queued: vec![false; tasks] };
        Arc::new(Parker { ready: Mutex::new(ready), changed: Condvar::new() })
    }

    /// What the loop's thread calls: waits until somebody is ready, and takes all entries.
    pub fn take(&self) -> Vec<usize> {
        let mut ready = self.ready.lock().unwrap();
        while ready.queue.is_empty() {
            ready = self.changed.wait(ready).unwrap();
        }
        ready.is_queued.fill(false);
        std::mem::take(&mut ready.queue)
    }
}

/// Which task a waker is for, and where to put it.
pub struct Ticket {
    pub number: usize,
    pub parker: Arc<Parker>,
}

impl Ticket {
    /// Any thread may call this, also several at a time.
    pub fn wake(&self) {
        todo!("one entry for task {}, and a call for the loop's thread", self.number)
    }
}
