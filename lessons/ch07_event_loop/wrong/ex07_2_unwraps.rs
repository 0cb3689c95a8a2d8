//! Breaks rule 7.7: it expects that the task of each entry is there, and panics when a task that is over was woken.

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
        let batch = std::mem::take(&mut *self.ready.lock().unwrap());
        for number in batch {
            let mut task = self.tasks.borrow_mut()[number].take().unwrap();
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
