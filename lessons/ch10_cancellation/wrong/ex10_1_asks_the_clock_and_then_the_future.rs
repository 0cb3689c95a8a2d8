//! Breaks rule 10.5: it asks the clock first, and the future after it even when the time is over.

use std::pin::Pin;
use std::task::{Context, Poll};

use crate::clock::Sleep;

pub struct Timeout<F> {
    /// `None` when it was too slow, and is dropped.
    future: Option<Pin<Box<F>>>,
    sleep: Sleep,
}

impl<F: Future> Timeout<F> {
    pub fn new(sleep: Sleep, future: F) -> Self {
        Timeout { future: Some(Box::pin(future)), sleep }
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let Timeout { future, sleep } = self.get_mut();
        let is_over = Pin::new(sleep).poll(context).is_ready();
        if let Some(future) = future {
            if let Poll::Ready(result) = future.as_mut().poll(context) {
                return Poll::Ready(Some(result));
            }
        }
        if !is_over {
            return Poll::Pending;
        }
        *future = None;
        Poll::Ready(None)
    }
}
