//! Breaks rule 7.2: it keeps the flags right and does not look at them: it searches the queue as the stage does.

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
        let mut ready = self.parker.ready.lock().unwrap();
        if !ready.queue.contains(&self.number) {
            ready.is_queued[self.number] = true;
            ready.queue.push(self.number);
            self.parker.changed.notify_one();
        }
    }
}
