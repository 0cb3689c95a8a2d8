//! Breaks rule 4.2: it does not keep the inner future in its place, and so it takes only those that may move.

use std::pin::Pin;
use std::task::{Context, Poll};

pub struct Counted<F> {
    inner: F,
    /// How often it was polled.
    polls: usize,
}

impl<F: Future> Counted<F> {
    pub fn new(inner: F) -> Self {
        Counted { inner, polls: 0 }
    }
}

impl<F: Future + Unpin> Future for Counted<F> {
    type Output = (F::Output, usize);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.polls += 1;
        match Pin::new(&mut self.inner).poll(context) {
            Poll::Ready(output) => Poll::Ready((output, self.polls)),
            Poll::Pending => Poll::Pending,
        }
    }
}
