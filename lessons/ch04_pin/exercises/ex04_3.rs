//! Exercise 4.3, find the bug: about 15 minutes.
//!
//! `Repeat` does a piece of work so many times, one after the other, and is ready with all results. With some work it is
//! never ready. A real crate had this defect: thirtyfour, which drives web browsers, made a new future in each
//! `poll_next` of its streams of events and dropped it when that was pending (pull request 321 repaired it).
//!
//! 1. Reproduce it: let `reproduce` return what makes futures with which the `Repeat` below is not ready after 1,000
//!    polls. Each of the futures, polled alone, has to be ready within 10 polls.
//! 2. Repair `Repeat`. Add the fields that you need; `new` keeps its signature, and does not call `make`. There is one
//!    future at a time, and it is polled with the context of the poll that `Repeat` is in.
//!
//! Check it with `cargo run -- check ch04 3`.

use std::pin::Pin;
use std::task::{Context, Poll};

/// A piece of work: a future in a box.
pub type Work = Pin<Box<dyn Future<Output = u32>>>;

/// Makes a new piece of work each time.
pub type Maker = Box<dyn FnMut() -> Work>;

pub struct Repeat {
    make: Maker,
    times: usize,
    results: Vec<u32>,
}

impl Repeat {
    pub fn new(make: Maker, times: usize) -> Self {
        Repeat { make, times, results: Vec::new() }
    }
}

impl Future for Repeat {
    type Output = Vec<u32>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<u32>> {
        while self.results.len() < self.times {
            let mut next = (self.make)();
            match next.as_mut().poll(context) {
                Poll::Ready(result) => self.results.push(result),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(std::mem::take(&mut self.results))
    }
}

/// Makes futures with which the `Repeat` above is never ready.
pub fn reproduce() -> Maker {
    todo!("a closure in a box that returns a future in a box")
}
