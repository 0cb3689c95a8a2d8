//! Breaks rule 9.2: it makes ten tasks, waits for them, and makes the next ten.

use std::pin::Pin;

use crate::event_loop::{Outcome, spawn};

/// A piece of work: a future in a box.
pub type Work = Pin<Box<dyn Future<Output = u32>>>;

pub async fn gather_settled(futures: Vec<Work>) -> Vec<Outcome<u32>> {
    let mut outcomes = Vec::new();
    let mut futures = futures.into_iter().peekable();
    while futures.peek().is_some() {
        let tasks: Vec<_> = futures.by_ref().take(10).map(spawn).collect();
        for task in tasks {
            outcomes.push(task.await);
        }
    }
    outcomes
}
