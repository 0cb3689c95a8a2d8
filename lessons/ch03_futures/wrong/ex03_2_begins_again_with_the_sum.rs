//! Breaks rule 3.2: its index begins at 0 in each poll, and it adds those that were ready once more.

use std::pin::Pin;
use std::task::{Context, Poll};

pub struct Total<F> {
    parts: Vec<F>,
    sum: u32,
}

impl<F> Total<F> {
    pub fn new(parts: Vec<F>) -> Self {
        Total { parts, sum: 0 }
    }
}

impl<F: Future<Output = u32> + Unpin> Future for Total<F> {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        let this = &mut *self;
        for part in &mut this.parts {
            match Pin::new(part).poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(number) => this.sum += number,
            }
        }
        Poll::Ready(this.sum)
    }
}
