//! Exercise 7.2, solved.
//!
//! `take` leaves an empty queue behind: the batch is what was ready when the turn began, and no entry of it is in the queue
//! any more when its task is polled. A wake in a poll is a new entry, and the next turn takes that.
//!
//! The `let … else` takes the task out of its place, and the borrow ends with that line. So the task may spawn in its poll,
//! which borrows `tasks` again. `None` in the place is a task that is over, and the entry was of a wake that came too late.
//! A task that is pending goes back; one that is ready is dropped at the end of the round, when nothing is borrowed.
//!
//! asyncio does it with a count: `_run_once` looks how long `_ready` is, and takes so many entries off the front.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use crate::lock::Mutex;

pub type Task = Pin<Box<dyn Future<Output = ()>>>;

#[derive(Default)]
pub struct EventLoop {
    /// The numbers of the tasks that were woken.
    ready: Arc<Mutex<Vec<usize>>>,
    /// Each task has its number as its place. `None`: it is over.
    tasks: RefCell<Vec<Option<Task>>>,
}

impl EventLoop {
    pub fn spawn(&self, task: Task) {
        let mut tasks = self.tasks.borrow_mut();
        self.ready.lock().unwrap().push(tasks.len());
        tasks.push(Some(task));
    }

    pub fn turn(&self) {
        let batch = std::mem::take(&mut *self.ready.lock().unwrap());
        for number in batch {
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
    ready: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Ticket {
    fn wake(self: Arc<Self>) {
        let mut ready = self.ready.lock().unwrap();
        if !ready.contains(&self.number) {
            ready.push(self.number);
        }
    }
}
