//! Exercise 3.2, extend: about 5 minutes.
//!
//! What the compiler makes of this `async fn`, by hand:
//!
//! ```text
//! async fn total(parts: Vec<F>) -> u32 {
//!     let mut sum = 0;
//!     for part in parts {
//!         sum += part.await;
//!     }
//!     sum
//! }
//! ```
//!
//! `poll` as it stands is the machine of one `.await`, that of the first part. Extend it to all of them, one after the
//! other: a part is polled for the first time when the one before it is ready. You may add fields; it can be done
//! without. `new` and `poll` keep their signatures. Check it with `cargo run -- check ch03 2`.

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
                Poll::Ready(self.sum)
            }
        }
    }
}
