//! Breaks rule 3.1: it counts to the end within one poll, and is never pending.

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
        while self.left > 0 {
            self.left -= 1;
        }
        Poll::Ready("lift-off")
    }
}
