//! Breaks rule 4.3: it wakes its own task in each poll that is pending, so the task is polled without end.

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
            Poll::Pending => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}
