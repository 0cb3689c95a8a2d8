//! Exercise 1.2, extend: about 5 minutes.
//!
//! In Python, `yield from` lets another generator do the yielding:
//!
//! ```python
//! def both(first, second):
//!     a = yield from first
//!     b = yield from second
//!     return (a, b)
//! ```
//!
//! Write `resume` of `Both`. It yields all that `first` yields, then all that `second` yields, and completes with the
//! two results. Add the fields or variants that you need; `new` and `resume` keep their signatures. Check it with
//! `cargo run -- check ch01 2`.

pub enum Resumed<Y, R> {
    Yielded(Y),
    Complete(R),
}

pub trait Generator {
    fn resume(&mut self) -> Resumed<u32, &'static str>;
}

pub struct Both<A, B> {
    first: A,
    second: B,
}

impl<A: Generator, B: Generator> Both<A, B> {
    pub fn new(first: A, second: B) -> Self {
        Both { first, second }
    }

    pub fn resume(&mut self) -> Resumed<u32, (&'static str, &'static str)> {
        let _ = (&mut self.first, &mut self.second);
        todo!("yield what the inner generators yield, then complete with both results")
    }
}
