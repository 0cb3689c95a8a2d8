//! Breaks rule 1.2: it counts in a variable of its own, which is gone when `poll` returns.

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
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<&'static str> {
        let mut left = self.left;
        if left == 0 {
            return Poll::Ready("lift-off");
        }
        left -= 1;
        println!("{left} left");
        Poll::Pending
    }
}
