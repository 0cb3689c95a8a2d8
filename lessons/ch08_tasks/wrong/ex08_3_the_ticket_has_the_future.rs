//! Breaks rule 8.6: each ticket has its own future instead of the whole table, and so each waker is the owner of one.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::lock::Mutex;

pub type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a waker points to.
struct Ticket {
    work: Mutex<Option<Work>>,
    ready: Arc<Mutex<VecDeque<Arc<Ticket>>>>,
}

impl Wake for Ticket {
    fn wake(self: Arc<Self>) {
        let mut ready = self.ready.lock().unwrap();
        if !ready.iter().any(|other| Arc::ptr_eq(other, &self)) {
            ready.push_back(self.clone());
        }
    }
}

pub struct EventLoop {
    ready: Arc<Mutex<VecDeque<Arc<Ticket>>>>,
}

impl EventLoop {
    pub fn new() -> Self {
        EventLoop { ready: Arc::default() }
    }

    /// Makes a task of a future, and puts it into the ready queue.
    pub fn spawn(&mut self, work: Work) {
        Arc::new(Ticket { work: Mutex::new(Some(work)), ready: self.ready.clone() }).wake();
    }

    /// Polls the tasks in the ready queue until it is empty.
    pub fn run(&mut self) {
        loop {
            let next = self.ready.lock().unwrap().pop_front();
            let Some(ticket) = next else { return };
            let work = ticket.work.lock().unwrap().take();
            // A task that is over may still be woken.
            let Some(mut work) = work else { continue };
            let waker = Waker::from(ticket.clone());
            if work.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Pending {
                *ticket.work.lock().unwrap() = Some(work);
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
