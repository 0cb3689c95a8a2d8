//! Breaks rule 3.1: it keeps the results in the order in which the futures were ready, not in that of the futures.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

pub type Work = Pin<Box<dyn Future<Output = String>>>;

/// Polls all futures, round after round, until each is ready. Returns their results in the order of the futures.
pub fn run(mut futures: Vec<Work>) -> Vec<String> {
    let mut context = Context::from_waker(Waker::noop());
    let mut results = Vec::new();
    while !futures.is_empty() {
        futures.retain_mut(|future| match future.as_mut().poll(&mut context) {
            Poll::Pending => true,
            Poll::Ready(word) => {
                results.push(word);
                false
            }
        });
    }
    results
}

/// Futures with which the loop above panics.
pub fn reproduce() -> Vec<Work> {
    vec![Box::pin(work(0)), Box::pin(work(1))]
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
