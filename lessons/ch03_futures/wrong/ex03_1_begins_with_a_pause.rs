//! Breaks rule 3.1: its first poll only begins, and so it is pending once too often.

use std::pin::Pin;
use std::task::{Context, Poll};

pub struct Countdown {
    /// How often it has yet to be pending.
    left: u32,
    has_begun: bool,
}

impl Countdown {
    pub fn new(left: u32) -> Self {
        Countdown { left, has_begun: false }
    }
}

impl Future for Countdown {
    type Output = &'static str;

    /// Read `Pin<&mut Self>` as `&mut Self`: `self.left` is the field.
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<&'static str> {
        if !self.has_begun {
            self.has_begun = true;
            return Poll::Pending;
        }
        if self.left == 0 {
            return Poll::Ready("lift-off");
        }
        self.left -= 1;
        Poll::Pending
    }
}
