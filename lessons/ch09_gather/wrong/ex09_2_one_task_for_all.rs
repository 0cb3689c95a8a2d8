//! Breaks rule 9.2: it makes one task that awaits the futures one after the other.

use std::pin::Pin;

use crate::event_loop::{Outcome, spawn};

/// A piece of work: a future in a box.
pub type Work = Pin<Box<dyn Future<Output = u32>>>;

pub async fn gather_settled(futures: Vec<Work>) -> Vec<Outcome<u32>> {
    let mut outcomes = Vec::new();
    let all = spawn(async move {
        for future in futures {
            outcomes.push(spawn(future).await);
        }
        outcomes
    });
    match all.await {
        Ok(outcomes) => outcomes,
        Err(_) => Vec::new(),
    }
}
