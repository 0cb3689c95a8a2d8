//! Breaks rule 4.5: `PAGE` is smaller, and what is alive across the pause is what it was.

use std::pin::Pin;
use std::task::{Context, Poll};

pub const PAGE: usize = 128;

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
        let page = read(number);
        for byte in &page {
            sum += u64::from(*byte);
        }
        YieldNow::default().await;
    }
    sum
}
