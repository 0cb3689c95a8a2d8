//! Breaks rule 9.5: it lets a panic go on, as `gather` does.

use std::pin::Pin;

use crate::event_loop::{Outcome, spawn};

/// A piece of work: a future in a box.
pub type Work = Pin<Box<dyn Future<Output = u32>>>;

pub async fn gather_settled(futures: Vec<Work>) -> Vec<Outcome<u32>> {
    let tasks: Vec<_> = futures.into_iter().map(spawn).collect();

    let mut outcomes = Vec::new();
    for task in tasks {
        match task.await {
            Ok(result) => outcomes.push(Ok(result)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
    outcomes
}
