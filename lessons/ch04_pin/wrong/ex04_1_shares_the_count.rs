//! Breaks rule 1.2: the count is in a `static`, which all that are alive share.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

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
        let polls = POLLS.fetch_add(1, Ordering::SeqCst) + 1;
        match self.inner.as_mut().poll(context) {
            Poll::Ready(output) => {
                POLLS.store(0, Ordering::SeqCst);
                Poll::Ready((output, polls))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}
