//! Exercise 3.1, fill in: about 2 minutes.
//!
//! A leaf future that counts its polls. `Countdown::new(3)` is pending three times, and the fourth poll returns
//! `Poll::Ready("lift-off")`. Polled by hand:
//!
//! ```text
//! poll 1: Pending
//! poll 2: Pending
//! poll 3: Pending
//! poll 4: Ready("lift-off")
//! ```
//!
//! Write `poll`. Each call of it returns at once. Check it with `cargo run -- check ch03 1`.

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
        // Only to silence a warning: delete it.
        let _ = &mut self.left;
        todo!("pending, or ready")
    }
}
