//! Breaks rule 7.2: its wake does not search, so three wakes are three entries and three polls.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::lock::Mutex;

pub type Task = Pin<Box<dyn Future<Output = ()>>>;

pub trait Spawn {
    fn spawn(&self, task: Task);
}

#[derive(Default)]
pub struct EventLoop {
    /// The numbers of the tasks that were woken.
    ready: Arc<Mutex<VecDeque<usize>>>,
    /// Each task that is not over has a slot, which is empty while it is polled.
    pub slots: RefCell<HashMap<usize, Option<Task>>>,
    spawned: Cell<usize>,
}

impl Spawn for EventLoop {
    fn spawn(&self, task: Task) {
        let number = self.spawned.replace(self.spawned.get() + 1);
        self.slots.borrow_mut().insert(number, Some(task));
        self.ready.lock().unwrap().push_back(number);
    }
}

impl EventLoop {
    pub fn turn(&self) {
        let batch = self.ready.lock().unwrap().len();
        for number in (0..batch).map_while(|_| self.ready.lock().unwrap().pop_front()) {
            let Some(mut task) = self.slots.borrow_mut().get_mut(&number).and_then(Option::take) else { continue };
            let waker = Waker::from(Arc::new(Ticket { number, ready: self.ready.clone() }));
            let polled = task.as_mut().poll(&mut Context::from_waker(&waker));
            if polled.is_pending() {
                self.slots.borrow_mut().insert(number, Some(task));
            } else {
                self.slots.borrow_mut().remove(&number);
                drop(task);
            }
        }
    }
}

/// Spawns a task when it is dropped.
struct Last(Rc<dyn Spawn>);

impl Drop for Last {
    fn drop(&mut self) {
        self.0.spawn(Box::pin(async {}));
    }
}

/// A task with which `spawn` panics.
pub fn reproduce(event_loop: Rc<dyn Spawn>) -> Task {
    let last = Last(event_loop);
    Box::pin(poll_fn(move |_| {
        let _ = &last;
        Poll::Ready(())
    }))
}

struct Ticket {
    number: usize,
    ready: Arc<Mutex<VecDeque<usize>>>,
}

impl Wake for Ticket {
    fn wake(self: Arc<Self>) {
        self.ready.lock().unwrap().push_back(self.number);
    }
}
