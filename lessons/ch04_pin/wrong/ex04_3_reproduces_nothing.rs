//! Breaks rule 4.6: its futures are ready at their first poll, and with those the defect does not show.

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
                Poll::Ready(result) => self.results.push(result),
                Poll::Pending => {
                    self.next = Some(next);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(std::mem::take(&mut self.results))
    }
}

/// Futures that never pause.
pub fn reproduce() -> Maker {
    Box::new(|| Box::pin(async { 7 }))
}
