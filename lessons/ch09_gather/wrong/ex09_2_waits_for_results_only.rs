//! Breaks rule 9.5: it takes the results only, and waits for ever for one of a task that has panicked.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use crate::event_loop::{Outcome, Task, spawn};

/// A piece of work: a future in a box.
pub type Work = Pin<Box<dyn Future<Output = u32>>>;

pub async fn gather_settled(futures: Vec<Work>) -> Vec<Outcome<u32>> {
    let mut tasks: Vec<Task<u32>> = futures.into_iter().map(spawn).collect();
    let mut outcomes: Vec<Option<Outcome<u32>>> = tasks.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (task, outcome) in tasks.iter_mut().zip(&mut outcomes).filter(|(_, outcome)| outcome.is_none()) {
            if let Poll::Ready(Ok(r)) = Pin::new(task).poll(context) {
                *outcome = Some(Ok(r));
            }
        }
        if outcomes.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outcomes.into_iter().flatten().collect()
}
