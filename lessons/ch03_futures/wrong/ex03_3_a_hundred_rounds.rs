//! Breaks rule 3.5: it makes a hundred rounds, and a future may need more.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

pub type Work = Pin<Box<dyn Future<Output = String>>>;

/// Polls all futures, round after round, until each is ready. Returns their results in the order of the futures.
pub fn run(mut futures: Vec<Work>) -> Vec<String> {
    let mut context = Context::from_waker(Waker::noop());
    let mut results: Vec<Option<String>> = futures.iter().map(|_| None).collect();
    for _ in 0..100 {
        for (future, result) in futures.iter_mut().zip(&mut results).filter(|(_, result)| result.is_none()) {
            if let Poll::Ready(word) = future.as_mut().poll(&mut context) {
                *result = Some(word);
            }
        }
    }
    results.into_iter().flatten().collect()
}

/// The first is ready in round 1, and the second makes a round 2 necessary.
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
