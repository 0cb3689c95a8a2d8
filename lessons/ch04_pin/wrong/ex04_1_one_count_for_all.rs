//! Breaks rule 1.2: what counts the polls is no field of its own, so all of them count together.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

/// How often it was polled.
static POLLS: AtomicUsize = AtomicUsize::new(0);

pub struct Counted<F> {
    inner: Pin<Box<F>>,
}

impl<F: Future> Counted<F> {
    pub fn new(inner: F) -> Self {
        Counted { inner: Box::pin(inner) }
    }
}

impl<F: Future> Future for Counted<F> {
    type Output = (F::Output, usize);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        POLLS.fetch_add(1, Ordering::Relaxed);
        match self.inner.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready((output, POLLS.load(Ordering::Relaxed))),
            Poll::Pending => Poll::Pending,
        }
    }
}
