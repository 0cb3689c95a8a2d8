//! Breaks rule 3.2: it catches the panic of a future that is polled after it was ready.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

pub type Work = Pin<Box<dyn Future<Output = String>>>;

/// Polls all futures, round after round, until each is ready. Returns their results in the order of the futures.
pub fn run(mut futures: Vec<Work>) -> Vec<String> {
    let mut context = Context::from_waker(Waker::noop());
    let mut results: Vec<Option<String>> = futures.iter().map(|_| None).collect();
    while results.iter().any(|result| result.is_none()) {
        for (future, result) in futures.iter_mut().zip(&mut results) {
            let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context)));
            if let Ok(Poll::Ready(word)) = polled {
                *result = Some(word);
            }
        }
    }
    results.into_iter().flatten().collect()
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
