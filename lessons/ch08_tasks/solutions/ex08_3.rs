//! Exercise 8.3, solved.
//!
//! A waker had to reach the ready queue, and so it owned what the loop and the wakers share. But in that was the table
//! of all futures, too. A future that keeps its waker was its own owner, over ticket, `Shared` and table: the loop was
//! dropped, and one owner was left. It kept all other futures of the loop as well, and so did any waker that somebody
//! kept elsewhere. Here the table is the loop's, and a ticket owns the queue of numbers, in which no future is.
//!
//! The project crux had such a cycle (issue 268, "Memory leak due to circular reference in `Arc<Task>`"), and so had
//! unicycle (issue 30, "tasks storing wakers aren't dropped").
//!
//! A `Weak<Shared>` in the ticket is not enough: each wake makes an `Arc` of it for a moment, and if the loop is
//! dropped in that moment, the thread that wakes drops the futures. compio had that (issue 512, repaired by pull
//! request 513).
//!
//! The check also lets a table pass that stays in `Shared`, with a `Drop` of the loop that clears it. The futures are
//! gone then, whoever has a waker. It costs a second lock around each poll. The futures are dropped while that lock is
//! held, unless the table is taken out first: no `drop` of theirs may come back to it. And whoever adds a place where a
//! future is put in has to think of the `Drop`. Here there is one owner, and its end is theirs.

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
        loop {
            let next = self.ready.0.lock().unwrap().pop_front();
            let Some(number) = next else { return };
            // A task that is over may still be woken.
            let Some(mut work) = self.tasks.remove(&number) else { continue };
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
