//! Breaks rule 3.3: when a part is ready it pauses before it goes on with the next.

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
        let Some(part) = self.parts.first_mut() else { return Poll::Ready(self.sum) };
        match Pin::new(part).poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(number) => {
                self.sum += number;
                self.parts.remove(0);
                if self.parts.is_empty() { Poll::Ready(self.sum) } else { Poll::Pending }
            }
        }
    }
}
