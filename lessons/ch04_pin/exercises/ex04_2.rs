//! Exercise 4.2, extend: about 5 minutes.
//!
//! `checksum` adds up all bytes of a number of pages, and pauses after each page, so that others have their turn. It
//! works, and its future weighs more than a page. So does each future that awaits it.
//!
//! Make the future weigh at most 256 bytes. It still reads one page after the other, pauses after each, and has the same
//! result; `PAGE` and `YieldNow` stay as they are. What is measured is the size of the future itself. A box is allowed:
//! then the bytes are on the heap for as long as the box is alive. Check it with `cargo run -- check ch04 2`.

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
        let page = read(number);
        for byte in &page {
            sum += u64::from(*byte);
        }
        YieldNow::default().await;
    }
    sum
}
