//! Breaks rule 4.3: it polls with a context of its own, whose waker wakes nobody.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

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
        let _ = context;
        self.polls += 1;
        match self.inner.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Poll::Ready((output, self.polls)),
            Poll::Pending => Poll::Pending,
        }
    }
}
