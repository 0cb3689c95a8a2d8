//! Exercise 4.2, solved.
//!
//! A local variable is a field of the future if it is still alive at an `.await`. `page` was alive until the end of the
//! loop's body, and the pause is in that body. In a block of its own it is gone before the pause, and only `sum`, the
//! range and `read` are carried across. A function that is no `async fn`, `fn sum_of(page: &[u8]) -> u64`, called with
//! `&read(number)`, does the same. A `Box` passes too: the future carries 8 bytes, and the page is on the heap for as long
//! as the box is alive, here across the pause.

use std::pin::Pin;
use std::task::{Context, Poll};

pub const PAGE: usize = 4096;

/// Pending once.
#[derive(Default)]
pub struct YieldNow {
    has_paused: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.has_paused {
            return Poll::Ready(());
        }
        self.has_paused = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The sum of all bytes. `read` is called once for each page, with its number: 0, 1, …
pub async fn checksum(read: impl Fn(usize) -> [u8; PAGE], pages: usize) -> u64 {
    let mut sum = 0;
    for number in 0..pages {
        {
            let page = read(number);
            for byte in &page {
                sum += u64::from(*byte);
            }
        }
        YieldNow::default().await;
    }
    sum
}
