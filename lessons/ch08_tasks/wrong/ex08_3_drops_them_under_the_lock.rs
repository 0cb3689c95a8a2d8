//! Breaks rule 5.8: one lock is for table and queue, and when the loop is dropped it drops the futures while it holds that.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::lock::Mutex;

pub type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What the loop and the wakers of its tasks share.
struct Shared {
    /// The futures of all tasks that are not over, but for the one that is polled.
    tasks: HashMap<usize, Work>,
    /// The numbers of the tasks that were woken.
    ready: VecDeque<usize>,
}

fn enqueue(shared: &Mutex<Shared>, number: usize) {
    let mut shared = shared.lock().unwrap();
    if !shared.ready.contains(&number) {
        shared.ready.push_back(number);
    }
}

/// What a waker points to.
struct Ticket {
    number: usize,
    shared: Arc<Mutex<Shared>>,
}

impl Wake for Ticket {
    fn wake(self: Arc<Self>) {
        enqueue(&self.shared, self.number);
    }
}

pub struct EventLoop {
    spawned: usize,
    shared: Arc<Mutex<Shared>>,
}

impl EventLoop {
    pub fn new() -> Self {
        let shared = Shared { tasks: HashMap::new(), ready: VecDeque::new() };
        EventLoop { spawned: 0, shared: Arc::new(Mutex::new(shared)) }
    }

    /// Makes a task of a future, and puts it into the ready queue.
    pub fn spawn(&mut self, work: Work) {
        self.spawned += 1;
        self.shared.lock().unwrap().tasks.insert(self.spawned, work);
        enqueue(&self.shared, self.spawned);
    }

    /// Polls the tasks in the ready queue until it is empty.
    pub fn run(&mut self) {
        loop {
            let next = self.shared.lock().unwrap().ready.pop_front();
            let Some(number) = next else { return };
            let task = self.shared.lock().unwrap().tasks.remove(&number);
            // A task that is over may still be woken.
            let Some(mut work) = task else { continue };
            let waker = Waker::from(Arc::new(Ticket { number, shared: self.shared.clone() }));
            if work.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Pending {
                self.shared.lock().unwrap().tasks.insert(number, work);
            }
        }
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        self.shared.lock().unwrap().tasks.clear();
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
