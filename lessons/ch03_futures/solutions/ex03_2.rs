//! Exercise 3.2, solved.
//!
//! A part that is ready is taken out of the list, so nobody polls it again, and its number is in `sum`, which outlives the
//! pauses. The loop around it is the `for` of the `async fn`: after a part that is ready comes the next one, in the same
//! poll; a part that is pending ends the poll, and the next poll begins with it. (`remove(0)` moves all other parts by one
//! place. They are `Unpin`, so they may move; a `VecDeque` would not have to move them.)

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
                    self.sum += number;
                    self.parts.remove(0);
                }
            }
        }
        Poll::Ready(self.sum)
    }
}
