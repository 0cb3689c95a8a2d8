//! Breaks rule 3.3: it polls all parts in each poll, and goes on to the next while one is pending.

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
        let mut sum = self.sum;
        self.parts.retain_mut(|part| match Pin::new(part).poll(context) {
            Poll::Pending => true,
            Poll::Ready(number) => {
                sum += number;
                false
            }
        });
        self.sum = sum;
        if self.parts.is_empty() { Poll::Ready(sum) } else { Poll::Pending }
    }
}
