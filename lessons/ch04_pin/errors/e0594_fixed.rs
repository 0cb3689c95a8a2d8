//! The twin of e0594.rs: the type says that it may move.

use std::pin::Pin;
use std::task::{Context, Poll};

/// Half of a join: polls its future until that is ready, and keeps the result.
pub struct Half<F: Future> {
    pub inner: Pin<Box<F>>,
    pub result: Option<F::Output>,
}

/// A `Half` may move: its future stays where the box is, and the result is never pinned.
impl<F: Future> Unpin for Half<F> {}

impl<F: Future> Future for Half<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Poll::Ready(result) = self.inner.as_mut().poll(context) else { return Poll::Pending };
        self.result = Some(result);
        Poll::Ready(())
    }
}

fn main() {}
