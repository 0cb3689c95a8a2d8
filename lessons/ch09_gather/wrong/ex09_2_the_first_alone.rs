//! Breaks rule 9.2: it waits for the first, and makes tasks of the others afterwards.

use std::pin::Pin;

use crate::event_loop::{Outcome, spawn};

/// A piece of work: a future in a box.
pub type Work = Pin<Box<dyn Future<Output = u32>>>;

pub async fn gather_settled(futures: Vec<Work>) -> Vec<Outcome<u32>> {
    let mut futures = futures.into_iter();
    let mut outcomes = Vec::new();
    if let Some(first) = futures.next() {
        outcomes.push(spawn(first).await);
    }
    let tasks: Vec<_> = futures.map(spawn).collect();
    for task in tasks {
        outcomes.push(task.await);
    }
    outcomes
}
