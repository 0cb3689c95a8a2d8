//! Exercise 9.2, solved.
//!
//! The iterator's `collect()` makes it work: `map` alone makes no task until somebody asks for the next one, and the
//! loop below would ask only after its await. With `collect()` all tasks are there before the first await, and each of
//! them runs whether somebody awaits its handle or not. So it does no harm to await the handles one after the other.
//! While the first runs the others run as well, and those that end early keep their outcomes for the handle. After the
//! longest has ended no await waits any more.
//!
//! An `Outcome` goes into the list as it is, also an `Err`. Whoever returned at the first of them would hide the others,
//! and whoever unwrapped one would panic as well.

use std::pin::Pin;

use crate::event_loop::{Outcome, spawn};

/// A piece of work: a future in a box.
pub type Work = Pin<Box<dyn Future<Output = u32>>>;

pub async fn gather_settled(futures: Vec<Work>) -> Vec<Outcome<u32>> {
    let tasks: Vec<_> = futures.into_iter().map(spawn).collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await);
    }
    outcomes
}
