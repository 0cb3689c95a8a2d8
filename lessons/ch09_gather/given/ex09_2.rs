//! Exercise 9.2, extend: about 5 minutes.
//!
//! `gather_settled` takes futures, as asyncio's `gather` takes coroutines, and makes a task of each. This one makes the
//! next task when the one before has ended, and stops at the first panic. Extend it:
//!
//! - all tasks run side by side from the beginning,
//! - it waits for all, and gives how each of them ended, in the order of the futures.
//!
//! The check brings an event loop along. `spawn(future)` makes a task of a future, and returns its handle, a
//! `Task<u32>`. To await that gives an `Outcome<u32>`: `Ok` with the result, or `Err` with the panic. Check it with
//! `cargo run -- check ch09 2`.

use std::pin::Pin;

use crate::event_loop::{Outcome, spawn};

/// A piece of work: a future in a box.
pub type Work = Pin<Box<dyn Future<Output = u32>>>;

pub async fn gather_settled(futures: Vec<Work>) -> Vec<Outcome<u32>> {
    let mut outcomes = Vec::new();
    for future in futures {
        let outcome = spawn(future).await;
        let is_panic = outcome.is_err();
        outcomes.push(outcome);
        if is_panic {
            break;
        }
    }
    outcomes
}
