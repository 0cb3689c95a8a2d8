//! Exercise 3.3, find the bug: about 15 minutes.
//!
//! This loop polls its futures in rounds, with a waker that does nothing, until all are ready, and returns their results
//! in the order of the futures. With some futures it panics:
//!
//! ```text
//! `async fn` resumed after completion
//! ```
//!
//! A runtime that many have learnt from had a defect of this kind; the solution's file says which.
//!
//! 1. Reproduce it: let `reproduce` return futures with which this loop panics. Use `work`.
//! 2. Repair `run`. A future that is not ready is polled once in each round, in the order of the list.
//!
//! Check it with `cargo run -- check ch03 3`.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

pub type Work = Pin<Box<dyn Future<Output = String>>>;

/// Polls all futures, round after round, until each is ready. Returns their results in the order of the futures.
pub fn run(mut futures: Vec<Work>) -> Vec<String> {
    let mut context = Context::from_waker(Waker::noop());
    let mut results: Vec<Option<String>> = futures.iter().map(|_| None).collect();
    while results.iter().any(|result| result.is_none()) {
        for (future, result) in futures.iter_mut().zip(&mut results) {
            if let Poll::Ready(word) = future.as_mut().poll(&mut context) {
                *result = Some(word);
            }
        }
    }
    results.into_iter().flatten().collect()
}

/// Futures with which the loop above panics.
pub fn reproduce() -> Vec<Work> {
    todo!("futures such as Box::pin(work(3)), in a `vec!`")
}

/// Is pending so many times, then ready.
pub async fn work(pauses: u32) -> String {
    for _ in 0..pauses {
        YieldNow { has_yielded: false }.await;
    }
    format!("ready after {pauses} pauses")
}

struct YieldNow {
    has_yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.has_yielded {
            return Poll::Ready(());
        }
        self.has_yielded = true;
        Poll::Pending
    }
}
