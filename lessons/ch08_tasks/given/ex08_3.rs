//! Exercise 8.3, find the bug: about 15 minutes.
//!
//! This loop runs its tasks as it should, and when it is dropped, so are the futures of the tasks that still wait. Not
//! always: with some futures nothing is dropped, and what they own, a file, a connection, stays open until the program
//! ends.
//!
//! 1. Reproduce it: let `reproduce` return a future that is still there after its loop was dropped. The check gives it
//!    to `spawn`, calls `run`, and drops the loop.
//! 2. Repair the loop. The future of a task is dropped as soon as it was ready, and at the latest with its loop,
//!    whoever has a waker then, on whatever thread. Wakes work as they do now.
//!
//! `new`, `spawn` and `run` keep their signatures, and the ready queue stays in a `Mutex` of `crate::lock`; all else may
//! change. That `Mutex` is used as the one of std is. The check brings it along, so that it sees what happens around a
//! lock. Check it with `cargo run -- check ch08 3`.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::lock::Mutex;

pub type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What the loop and the wakers of its tasks share.
struct Shared {
    /// The futures of all tasks that are not over, but for the one that is polled.
    tasks: Mutex<HashMap<usize, Work>>,
    /// The numbers of the tasks that were woken.
    ready: Mutex<VecDeque<usize>>,
}

impl Shared {
    fn enqueue(&self, number: usize) {
        let mut ready = self.ready.lock().unwrap();
        if !ready.contains(&number) {
            ready.push_back(number);
        }
    }
}

/// What a waker points to.
struct Ticket {
    number: usize,
    shared: Arc<Shared>,
}

impl Wake for Ticket {
    fn wake(self: Arc<Self>) {
        self.shared.enqueue(self.number);
    }
}

pub struct EventLoop {
    spawned: usize,
    shared: Arc<Shared>,
}

impl EventLoop {
    pub fn new() -> Self {
        let shared = Shared { tasks: Mutex::new(HashMap::new()), ready: Mutex::new(VecDeque::new()) };
        EventLoop { spawned: 0, shared: Arc::new(shared) }
    }

    /// Makes a task of a future, and puts it into the ready queue.
    pub fn spawn(&mut self, work: Work) {
        self.spawned += 1;
        self.shared.tasks.lock().unwrap().insert(self.spawned, work);
        self.shared.enqueue(self.spawned);
    }

    /// Polls the tasks in the ready queue until it is empty.
    pub fn run(&mut self) {
        loop {
            let next = self.shared.ready.lock().unwrap().pop_front();
            let Some(number) = next else { return };
            let task = self.shared.tasks.lock().unwrap().remove(&number);
            // A task that is over may still be woken.
            let Some(mut work) = task else { continue };
            let waker = Waker::from(Arc::new(Ticket { number, shared: self.shared.clone() }));
            if work.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Pending {
                self.shared.tasks.lock().unwrap().insert(number, work);
            }
        }
    }
}

/// A future that is still there after the loop was dropped.
pub fn reproduce() -> Work {
    todo!("a future that its loop leaves behind")
}
