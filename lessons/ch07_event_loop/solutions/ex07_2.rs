//! Exercise 7.2, solved.
//!
//! The batch is a count, of the entries that are there when the turn begins, and each is taken off the front right before
//! its poll. So a wake of a task in its own poll is a new entry, and the next turn takes that. A wake of a task whose poll in
//! this turn is still to come finds its entry. `std::mem::take` of the whole queue would pass here, too: then such a wake
//! makes an entry, and costs a poll in vain in the next turn.
//!
//! The closure of `map_while` takes the lock and gives it back. A guard in the head of the `for` itself would live on.
//!
//! The `let … else` takes the task out of its place, and the borrow ends with that line. So the task may spawn in its poll,
//! which borrows `tasks` again. `None` in the place is a task that is over, and the entry was of a wake that came too late.
//! A task that is pending goes back; one that is ready is dropped at the end of the round, when nothing is borrowed.
//!
//! asyncio does the same: `_run_once` looks how long `_ready` is, and takes so many entries off the front.

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
        let batch = self.ready.lock().unwrap().len();
        for number in (0..batch).map_while(|_| self.ready.lock().unwrap().pop_front()) {
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
