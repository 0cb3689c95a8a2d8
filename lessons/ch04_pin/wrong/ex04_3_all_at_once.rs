//! Breaks rule 4.6: it makes all pieces of work and polls them side by side, not one after the other.

use std::pin::Pin;
use std::task::{Context, Poll};

/// A piece of work: a future in a box.
pub type Work = Pin<Box<dyn Future<Output = u32>>>;

/// Makes a new piece of work each time.
pub type Maker = Box<dyn FnMut() -> Work>;

pub struct Repeat {
    make: Maker,
    times: usize,
    /// The work that is under way, and what it ended with.
    all: Vec<(Work, Option<u32>)>,
}

impl Repeat {
    pub fn new(make: Maker, times: usize) -> Self {
        Repeat { make, times, all: Vec::new() }
    }
}

impl Future for Repeat {
    type Output = Vec<u32>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<u32>> {
        while self.all.len() < self.times {
            let made = (self.make)();
            self.all.push((made, None));
        }
        for (work, result) in &mut self.all {
            if result.is_none() {
                if let Poll::Ready(seen) = work.as_mut().poll(context) {
                    *result = Some(seen);
                }
            }
        }
        match self.all.iter().map(|(_, result)| *result).collect() {
            Some(results) => Poll::Ready(results),
            None => Poll::Pending,
        }
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
