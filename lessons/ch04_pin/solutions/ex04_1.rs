//! Exercise 4.1, solved.
//!
//! `self.inner.as_mut()` makes a `Pin<&mut F>` of the `Pin<Box<F>>`: a pin for one poll, of a future that stays where it
//! is. `poll` takes that pin by value, so the next poll makes another. The context goes along, because whoever wakes this
//! task has to learn of it from the inner future.

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
        self.polls += 1;
        match self.inner.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready((output, self.polls)),
            Poll::Pending => Poll::Pending,
        }
    }
}
