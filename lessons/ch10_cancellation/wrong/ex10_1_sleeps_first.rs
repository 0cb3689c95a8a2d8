//! Breaks rule 10.5: it waits until the time is over, and asks the future only then.

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
        if Pin::new(sleep).poll(context).is_pending() {
            return Poll::Pending;
        }
        let polled = future.as_mut().map(|future| future.as_mut().poll(context));
        *future = None;
        match polled {
            Some(Poll::Ready(result)) => Poll::Ready(Some(result)),
            _ => Poll::Ready(None),
        }
    }
}
