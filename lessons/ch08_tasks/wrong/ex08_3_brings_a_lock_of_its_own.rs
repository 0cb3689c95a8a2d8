//! Breaks rule 8.6: while it wakes a waker owns the table, and the lock is the one of std, so the check cannot come in there.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Wake, Waker};

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
    shared: Weak<Shared>,
}

impl Wake for Ticket {
    fn wake(self: Arc<Self>) {
        if let Some(shared) = self.shared.upgrade() {
            shared.enqueue(self.number);
        }
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
            let waker = Waker::from(Arc::new(Ticket { number, shared: Arc::downgrade(&self.shared) }));
            if work.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Pending {
                self.shared.tasks.lock().unwrap().insert(number, work);
            }
        }
    }
}

/// A future that is still there after the loop was dropped. It keeps its waker in itself, and waits.
pub fn reproduce() -> Work {
    let mut waker = None;
    Box::pin(poll_fn(move |context| {
        drop(waker.replace(context.waker().clone()));
        Poll::Pending
    }))
}
