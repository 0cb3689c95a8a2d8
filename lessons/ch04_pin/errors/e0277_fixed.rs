//! The twin of e0277.rs: each future is in a box, and stays there.

use std::pin::Pin;
use std::task::{Context, Poll};

/// Two futures as one, each in a box.
pub struct Join<A, B> {
    pub a: Pin<Box<A>>,
    pub b: Pin<Box<B>>,
}

impl<A: Future, B: Future> Join<A, B> {
    /// Polls both. Whether both are ready.
    pub fn poll_both(&mut self, context: &mut Context<'_>) -> bool {
        let a = self.a.as_mut().poll(context);
        let b = self.b.as_mut().poll(context);
        matches!((a, b), (Poll::Ready(_), Poll::Ready(_)))
    }
}

fn main() {}
