//! Breaks rule 3.1: it takes one off before it looks, and so is ready one poll too early.

use std::pin::Pin;
use std::task::{Context, Poll};

pub struct Countdown {
    /// How often it has yet to be pending.
    left: u32,
}

impl Countdown {
    pub fn new(left: u32) -> Self {
        Countdown { left }
    }
}

impl Future for Countdown {
    type Output = &'static str;

    /// Read `Pin<&mut Self>` as `&mut Self`: `self.left` is the field.
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<&'static str> {
        self.left -= 1;
        if self.left == 0 { Poll::Ready("lift-off") } else { Poll::Pending }
    }
}
