//! Exercise 4.1, fill in: about 2 minutes.
//!
//! `Counted` is a future around another one. It is ready when that is, with its result and the number of polls that this
//! took; the poll that was ready counts too. It takes every future, also one that is not `Unpin`: the inner future is in a
//! box, and the box keeps it in its place.
//!
//! Write `poll`. Check it with `cargo run -- check ch04 1`.

use std::pin::Pin;
use std::task::{Context, Poll};

pub struct Counted<F> {
    inner: Pin<Box<F>>,
    /// How often it was polled.
    polls: usize,
}

impl<F: Future> Counted<F> {
    pub fn new(inner: F) -> Self {
        Counted { inner: Box::pin(inner), polls: 0 }
    }
}

impl<F: Future> Future for Counted<F> {
    type Output = (F::Output, usize);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let _ = (&mut self.polls, context);
        todo!("count, poll the inner future, and pass on what it says")
    }
}
