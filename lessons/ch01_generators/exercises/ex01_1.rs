//! Exercise 1.1, fill in: about 2 minutes.
//!
//! In Python this generator is five lines:
//!
//! ```python
//! def ticks(last):
//!     for n in range(1, last + 1):
//!         yield n
//!     return "done"
//! ```
//!
//! Here it is a machine. Write `resume`: it yields 1, 2, … up to `last`, one number each time, and then completes
//! with `"done"`. Check it with `cargo run -- check ch01 1`.

pub enum Resumed<Y, R> {
    Yielded(Y),
    Complete(R),
}

pub struct Ticks {
    /// The last number that it yields.
    pub last: u32,
    /// The number that it yielded before it paused; 0 at the start.
    pub at: u32,
}

impl Ticks {
    pub fn new(last: u32) -> Self {
        Ticks { last, at: 0 }
    }

    pub fn resume(&mut self) -> Resumed<u32, &'static str> {
        todo!("yield the next number, or complete")
    }
}
