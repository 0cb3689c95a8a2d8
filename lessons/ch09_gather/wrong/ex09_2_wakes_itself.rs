//! Breaks rule 9.2: while a task runs it wakes itself, and is polled without end.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use crate::event_loop::{Outcome, Task, spawn};

/// A piece of work: a future in a box.
pub type Work = Pin<Box<dyn Future<Output = u32>>>;

pub async fn gather_settled(futures: Vec<Work>) -> Vec<Outcome<u32>> {
    let mut tasks: Vec<Option<Task<u32>>> = futures.into_iter().map(|future| Some(spawn(future))).collect();
    let mut outcomes: Vec<Option<Outcome<u32>>> = tasks.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (task, outcome) in tasks.iter_mut().zip(&mut outcomes) {
            if let Some(Poll::Ready(ended)) = task.as_mut().map(|task| Pin::new(task).poll(context)) {
                *outcome = Some(ended);
                *task = None;
            }
        }
        if outcomes.iter().all(Option::is_some) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    outcomes.into_iter().flatten().collect()
}
