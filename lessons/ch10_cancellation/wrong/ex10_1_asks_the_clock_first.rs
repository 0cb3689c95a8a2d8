//! Breaks rule 10.5: it asks the clock first, and throws away a result that is there in the last moment.

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
        if Pin::new(sleep).poll(context).is_ready() {
            *future = None;
            return Poll::Ready(None);
        }
        match future {
            Some(future) => future.as_mut().poll(context).map(Some),
            None => Poll::Ready(None),
        }
    }
}
