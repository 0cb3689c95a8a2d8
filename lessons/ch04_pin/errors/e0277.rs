//! E0277

use std::pin::Pin;
use std::task::{Context, Poll};

/// Two futures as one, each a field.
pub struct Join<A, B> {
    pub a: A,
    pub b: B,
}

impl<A: Future, B: Future> Join<A, B> {
    /// Polls both. Whether both are ready.
    pub fn poll_both(&mut self, context: &mut Context<'_>) -> bool {
        let a = Pin::new(&mut self.a).poll(context);
        let b = Pin::new(&mut self.b).poll(context);
        matches!((a, b), (Poll::Ready(_), Poll::Ready(_)))
    }
}

fn main() {}
