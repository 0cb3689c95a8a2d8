//! Breaks rule 9.5: it keeps the results only, and nobody learns of a panic.

use std::pin::Pin;

use crate::event_loop::{Outcome, spawn};

/// A piece of work: a future in a box.
pub type Work = Pin<Box<dyn Future<Output = u32>>>;

pub async fn gather_settled(futures: Vec<Work>) -> Vec<Outcome<u32>> {
    let tasks: Vec<_> = futures.into_iter().map(spawn).collect();

    let mut outcomes = Vec::new();
    for task in tasks {
        if let Ok(result) = task.await {
            outcomes.push(Ok(result));
        }
    }
    outcomes
}
