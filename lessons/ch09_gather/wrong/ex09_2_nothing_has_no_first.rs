//! Breaks rule 9.6: it takes the first handle out before the loop, and of no tasks there is none.

use std::pin::Pin;

use crate::event_loop::{Outcome, spawn};

/// A piece of work: a future in a box.
pub type Work = Pin<Box<dyn Future<Output = u32>>>;

pub async fn gather_settled(futures: Vec<Work>) -> Vec<Outcome<u32>> {
    let mut tasks: Vec<_> = futures.into_iter().map(spawn).collect();
    let mut outcomes = vec![tasks.remove(0).await];
    for task in tasks {
        outcomes.push(task.await);
    }
    outcomes
}
