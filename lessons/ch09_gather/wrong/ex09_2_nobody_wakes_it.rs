//! Breaks rule 9.2: it polls the handles with a waker that wakes nobody.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::event_loop::{Outcome, Task, spawn};

/// A piece of work: a future in a box.
pub type Work = Pin<Box<dyn Future<Output = u32>>>;

pub async fn gather_settled(futures: Vec<Work>) -> Vec<Outcome<u32>> {
    let mut tasks: Vec<Option<Task<u32>>> = futures.into_iter().map(|future| Some(spawn(future))).collect();
    let mut outcomes: Vec<Option<Outcome<u32>>> = tasks.iter().map(|_| None).collect();
    poll_fn(|_| {
        let mut context = Context::from_waker(Waker::noop());
        for (task, outcome) in tasks.iter_mut().zip(&mut outcomes) {
            if let Some(Poll::Ready(ended)) = task.as_mut().map(|task| Pin::new(task).poll(&mut context)) {
                *outcome = Some(ended);
                *task = None;
            }
        }
        if outcomes.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outcomes.into_iter().flatten().collect()
}
