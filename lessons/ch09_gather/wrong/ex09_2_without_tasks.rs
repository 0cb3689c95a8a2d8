//! Breaks rule 9.5: it polls the futures side by side in its own task, and the panic of one ends all of them.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use crate::event_loop::Outcome;

/// A piece of work: a future in a box.
pub type Work = Pin<Box<dyn Future<Output = u32>>>;

pub async fn gather_settled(futures: Vec<Work>) -> Vec<Outcome<u32>> {
    let mut futures = futures;
    let mut outcomes: Vec<Option<Outcome<u32>>> = futures.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, outcome) in futures.iter_mut().zip(&mut outcomes).filter(|(_, outcome)| outcome.is_none()) {
            if let Poll::Ready(result) = future.as_mut().poll(context) {
                *outcome = Some(Ok(result));
            }
        }
        if outcomes.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outcomes.into_iter().flatten().collect()
}
