//! Breaks rule 9.5: it says that a task panicked, and what the panic said is lost.

use std::pin::Pin;

use crate::event_loop::{Outcome, spawn};

/// A piece of work: a future in a box.
pub type Work = Pin<Box<dyn Future<Output = u32>>>;

pub async fn gather_settled(futures: Vec<Work>) -> Vec<Outcome<u32>> {
    let tasks: Vec<_> = futures.into_iter().map(spawn).collect();

    let mut outcomes: Vec<Outcome<u32>> = Vec::new();
    for task in tasks {
        outcomes.push(task.await.map_err(|_| Box::new("a task panicked") as _));
    }
    outcomes
}
