//! Breaks rule 7.4: it goes on until the queue is empty: a task that wakes itself is polled again in the same turn, perhaps for ever.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use crate::lock::Mutex;

pub type Task = Pin<Box<dyn Future<Output = ()>>>;

#[derive(Default)]
pub struct EventLoop {
    /// The numbers of the tasks that were woken.
    ready: Arc<Mutex<VecDeque<usize>>>,
    /// Each task has its number as its place. `None`: it is over.
    tasks: RefCell<Vec<Option<Task>>>,
}

impl EventLoop {
    pub fn spawn(&self, task: Task) {
        let mut tasks = self.tasks.borrow_mut();
        self.ready.lock().unwrap().push_back(tasks.len());
        tasks.push(Some(task));
    }

    pub fn turn(&self) {
        loop {
            let mut ready = self.ready.lock().unwrap();
            if ready.is_empty() {
                return;
            }
            let number = ready.pop_front().unwrap();
            drop(ready);
            let Some(mut task) = self.tasks.borrow_mut()[number].take() else { continue };
            if task.as_mut().poll(&mut Context::from_waker(&self.waker(number))).is_pending() {
                self.tasks.borrow_mut()[number] = Some(task);
            }
        }
    }

    fn waker(&self, number: usize) -> Waker {
        Waker::from(Arc::new(Ticket { number, ready: self.ready.clone() }))
    }
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
