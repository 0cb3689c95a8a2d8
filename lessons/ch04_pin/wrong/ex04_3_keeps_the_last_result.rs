//! Breaks rule 3.1: it is ready with the right number of results, and each of them is the last one.

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
    /// The work that is under way.
    next: Option<Work>,
}

impl Repeat {
    pub fn new(make: Maker, times: usize) -> Self {
        Repeat { make, times, results: Vec::new(), next: None }
    }
}

impl Future for Repeat {
    type Output = Vec<u32>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<u32>> {
        while self.results.len() < self.times {
            let mut next = self.next.take().unwrap_or_else(|| (self.make)());
            match next.as_mut().poll(context) {
                Poll::Ready(result) => {
                    let count = self.results.len() + 1;
                    self.results = vec![result; count];
                }
                Poll::Pending => {
                    self.next = Some(next);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(std::mem::take(&mut self.results))
    }
}

/// Pending once, then ready with 7.
struct OnePause {
    has_paused: bool,
}

impl Future for OnePause {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        if self.has_paused {
            return Poll::Ready(7);
        }
        self.has_paused = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// One pause is enough: each new future is pending at its first poll, and has no second one.
pub fn reproduce() -> Maker {
    Box::new(|| Box::pin(OnePause { has_paused: false }))
}
