//! Breaks rule 9.1: each task appends its own outcome when it ends, so the first to end has the first place.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;

use crate::event_loop::{Outcome, spawn};

/// A piece of work: a future in a box.
pub type Work = Pin<Box<dyn Future<Output = u32>>>;

pub async fn gather_settled(futures: Vec<Work>) -> Vec<Outcome<u32>> {
    let outcomes = Rc::new(RefCell::new(Vec::new()));
    let mut tasks = Vec::new();
    for future in futures {
        let (inner, outcomes) = (spawn(future), outcomes.clone());
        tasks.push(spawn(async move {
            let outcome = inner.await;
            outcomes.borrow_mut().push(outcome);
        }));
    }
    for task in tasks {
        let _ = task.await;
    }
    outcomes.take()
}
