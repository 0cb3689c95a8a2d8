//! Breaks rule 3.3: it polls until the inner future is ready, and is itself never pending.

use std::pin::Pin;
use std::task::{Context, Poll};

pub struct Counted<F> {
    inner: Pin<Box<F>>,
    /// How often it was polled.
    polls: usize,
}

impl<F: Future> Counted<F> {
    pub fn new(inner: F) -> Self {
        Counted { inner: Box::pin(inner), polls: 0 }
    }
}

impl<F: Future> Future for Counted<F> {
    type Output = (F::Output, usize);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            self.polls += 1;
            if let Poll::Ready(output) = self.inner.as_mut().poll(context) {
                return Poll::Ready((output, self.polls));
            }
        }
    }
}
