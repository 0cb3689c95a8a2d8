//! Breaks rule 9.1: it takes the handles from the end of the list, and so their outcomes.

use std::pin::Pin;

use crate::event_loop::{Outcome, spawn};

/// A piece of work: a future in a box.
pub type Work = Pin<Box<dyn Future<Output = u32>>>;

pub async fn gather_settled(futures: Vec<Work>) -> Vec<Outcome<u32>> {
    let mut tasks: Vec<_> = futures.into_iter().map(spawn).collect();
    let mut outcomes = Vec::new();
    while let Some(task) = tasks.pop() {
        outcomes.push(task.await);
    }
    outcomes
}
