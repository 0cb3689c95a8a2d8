//! Exercise 7.3, find the bug: about 15 minutes.
//!
//! This loop keeps a slot for each task. While a task is polled its slot is empty, and nothing is borrowed, so a task may
//! spawn another one in its poll. With most tasks all is well. With some, `spawn` panics: `slots` is borrowed already.
//! tokio-core, which came before tokio, had this defect in its loop, and who repaired it did not know how to reproduce it.
//!
//! 1. Reproduce it: let `reproduce` return a task with which `spawn` panics. It is the only task of a loop like this one,
//!    and may call `spawn`, which is all that `event_loop` lets it do.
//! 2. Repair `turn`. What it does otherwise is right, and stays so: rules 7.2 to 7.7. A task that is over is dropped, and
//!    no slot is left of it.
//!
//! `Mutex` is used as the one of std is, and has only `lock`; the check brings it along, so that it can see when it is held.
//! Check it with `cargo run -- check ch07 3`.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

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
            self.slots.borrow_mut().insert(number, Some(task));
            if polled.is_ready() {
                self.slots.borrow_mut().remove(&number);
            }
        }
    }
}

/// A task with which `spawn` panics.
pub fn reproduce(event_loop: Rc<dyn Spawn>) -> Task {
    let _ = event_loop;
    todo!("a future in a box")
}

struct Ticket {
    number: usize,
    ready: Arc<Mutex<VecDeque<usize>>>,
}

impl Wake for Ticket {
    fn wake(self: Arc<Self>) {
        let mut ready = self.ready.lock().unwrap();
        if !ready.contains(&self.number) {
            ready.push_back(self.number);
        }
    }
}
