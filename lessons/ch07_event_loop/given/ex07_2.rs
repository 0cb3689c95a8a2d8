//! Exercise 7.2, extend: about 5 minutes.
//!
//! The wakers of this loop put numbers into its ready queue, and `turn` does not look at them: it polls all its tasks, and
//! holds `tasks` while it does. Extend `turn`:
//!
//! 1. It polls the tasks that have an entry when it begins, each once, in the order of the entries, and nobody else.
//! 2. An entry leaves the queue right before its task is polled. Who becomes ready while the turn runs is for the next turn.
//! 3. A task may spawn, and wake itself and others, in its poll.
//! 4. An entry of a task that is over is passed over.
//!
//! All else stays as it is. A turn with nobody to poll returns at once: here somebody else parks. Of rule 7.6 only the polls
//! are looked at, and of rule 7.3 only that the entry is gone: to take the whole queue at once is not counted as wrong.
//!
//! `Mutex` is used as the one of std is, and has only `lock`; the check brings it along, so that it can see when it is held.
//! Check it with `cargo run -- check ch07 2`.

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
        self.ready.lock().unwrap().clear();
        for (number, place) in self.tasks.borrow_mut().iter_mut().enumerate() {
            let Some(task) = place else { continue };
            if task.as_mut().poll(&mut Context::from_waker(&self.waker(number))).is_ready() {
                *place = None;
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
