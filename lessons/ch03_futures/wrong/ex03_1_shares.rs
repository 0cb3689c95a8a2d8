//! Breaks rule 1.2: it counts in a static, which all countdowns share.

use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
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
        static POLLS: AtomicU32 = AtomicU32::new(0);
        if POLLS.load(Ordering::Relaxed) == self.left {
            POLLS.store(0, Ordering::Relaxed);
            return Poll::Ready("lift-off");
        }
        POLLS.fetch_add(1, Ordering::Relaxed);
        Poll::Pending
    }
}
