//! Breaks rule 3.4: it keeps the waker of its first poll, and polls the parts with that one ever after.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

pub struct Total<F> {
    parts: Vec<F>,
    sum: u32,
    waker: Option<Waker>,
}

impl<F> Total<F> {
    pub fn new(parts: Vec<F>) -> Self {
        Total { parts, sum: 0, waker: None }
    }
}

impl<F: Future<Output = u32> + Unpin> Future for Total<F> {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        let waker = self.waker.get_or_insert_with(|| context.waker().clone()).clone();
        let mut context = Context::from_waker(&waker);
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
