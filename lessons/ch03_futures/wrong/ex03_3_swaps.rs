//! Breaks rule 3.5: it puts the last future into the place of one that is ready, and so changes the order.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

pub type Work = Pin<Box<dyn Future<Output = String>>>;

/// Polls all futures, round after round, until each is ready. Returns their results in the order of the futures.
pub fn run(mut futures: Vec<Work>) -> Vec<String> {
    let mut context = Context::from_waker(Waker::noop());
    let mut results: Vec<Option<String>> = futures.iter().map(|_| None).collect();
    let mut places: Vec<usize> = (0..futures.len()).collect();
    while !futures.is_empty() {
        let mut at = 0;
        while at < futures.len() {
            if let Poll::Ready(word) = futures[at].as_mut().poll(&mut context) {
                results[places.swap_remove(at)] = Some(word);
                drop(futures.swap_remove(at));
            } else {
                at += 1;
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
