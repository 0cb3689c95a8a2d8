//! Breaks rule 3.1: its result is one poll too few, because it counts only the polls that were pending.

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
        match self.inner.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready((output, self.polls)),
            Poll::Pending => {
                self.polls += 1;
                Poll::Pending
            }
        }
    }
}
