//! Breaks rule 9.5: it collects into a `Result`, and the first panic takes the place of all results.

use std::pin::Pin;

use crate::event_loop::{Outcome, spawn};

/// A piece of work: a future in a box.
pub type Work = Pin<Box<dyn Future<Output = u32>>>;

pub async fn gather_settled(futures: Vec<Work>) -> Vec<Outcome<u32>> {
    let tasks: Vec<_> = futures.into_iter().map(spawn).collect();

    let mut outcomes: Vec<Outcome<u32>> = Vec::new();
    for task in tasks {
        outcomes.push(task.await);
    }
    let results: Outcome<Vec<u32>> = outcomes.into_iter().collect();
    match results {
        Ok(results) => results.into_iter().map(Ok).collect(),
        Err(panic) => vec![Err(panic)],
    }
}
