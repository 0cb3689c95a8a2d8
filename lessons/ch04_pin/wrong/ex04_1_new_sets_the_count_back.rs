//! Breaks rule 1.2: each new one sets the count of all back to zero, which is right as long as there is one at a time.

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
        POLLS.store(0, Ordering::Relaxed);
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
