//! Breaks rule 3.4: it polls the parts with a context of its own, whose waker does nothing.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

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

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
        let mut context = Context::from_waker(Waker::noop());
        while let Some(part) = self.parts.first_mut() {
            match Pin::new(part).poll(&mut context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(number) => {
                    self.sum += number;
                    self.parts.remove(0);
                }
            }
        }
        Poll::Ready(self.sum)
    }
}
