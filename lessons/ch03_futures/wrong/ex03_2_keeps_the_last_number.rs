//! Breaks rule 1.2: it puts the number of a part in the place of the sum.

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
        while let Some(part) = self.parts.first_mut() {
            match Pin::new(part).poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(number) => {
                    self.sum = number;
                    self.parts.remove(0);
                }
            }
        }
        Poll::Ready(self.sum)
    }
}
