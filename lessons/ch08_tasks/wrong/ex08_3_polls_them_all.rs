//! Breaks rule 5.5: it polls each task in the table once in each run, whoever was woken.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::lock::Mutex;

pub type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The numbers of the tasks that were woken. It is all that the loop and the wakers share.
struct Ready(Mutex<VecDeque<usize>>);

impl Ready {
    fn enqueue(&self, number: usize) {
        let mut ready = self.0.lock().unwrap();
        if !ready.contains(&number) {
            ready.push_back(number);
        }
    }
}

/// What a waker points to.
struct Ticket {
    number: usize,
    ready: Arc<Ready>,
}

impl Wake for Ticket {
    fn wake(self: Arc<Self>) {
        self.ready.enqueue(self.number);
    }
}

pub struct EventLoop {
    spawned: usize,
    /// The futures of all tasks that are not over, but for the one that is polled. Nobody else owns one.
    tasks: HashMap<usize, Work>,
    ready: Arc<Ready>,
}

impl EventLoop {
    pub fn new() -> Self {
        EventLoop { spawned: 0, tasks: HashMap::new(), ready: Arc::new(Ready(Mutex::new(VecDeque::new()))) }
    }

    /// Makes a task of a future, and puts it into the ready queue.
    pub fn spawn(&mut self, work: Work) {
        self.spawned += 1;
        self.tasks.insert(self.spawned, work);
        self.ready.enqueue(self.spawned);
    }

    /// Polls the tasks in the ready queue until it is empty.
    pub fn run(&mut self) {
        self.ready.0.lock().unwrap().clear();
        for (number, mut work) in std::mem::take(&mut self.tasks) {
            let waker = Waker::from(Arc::new(Ticket { number, ready: self.ready.clone() }));
            if work.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Pending {
                self.tasks.insert(number, work);
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
