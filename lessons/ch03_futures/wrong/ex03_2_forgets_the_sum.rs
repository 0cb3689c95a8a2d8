//! Breaks rule 1.2: it adds up in a variable of its own, which is gone when it is pending.

use std::pin::Pin;
use std::task::{Context, Poll};

pub struct Total<F> {
    parts: Vec<F>,
}

impl<F> Total<F> {
    pub fn new(parts: Vec<F>) -> Self {
        Total { parts }
    }
}

impl<F: Future<Output = u32> + Unpin> Future for Total<F> {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        let mut sum = 0;
        while let Some(part) = self.parts.first_mut() {
            match Pin::new(part).poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(number) => {
                    sum += number;
                    self.parts.remove(0);
                }
            }
        }
        Poll::Ready(sum)
    }
}
