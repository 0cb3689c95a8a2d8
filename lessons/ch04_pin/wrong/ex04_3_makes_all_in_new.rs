//! Breaks rule 4.6: `Repeat::new` makes all pieces of work, long before the turn of most of them.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A piece of work: a future in a box.
pub type Work = Pin<Box<dyn Future<Output = u32>>>;

/// Makes a new piece of work each time.
pub type Maker = Box<dyn FnMut() -> Work>;

pub struct Repeat {
    results: Vec<u32>,
    /// The first is the one that is under way.
    work: VecDeque<Work>,
}

impl Repeat {
    pub fn new(mut make: Maker, times: usize) -> Self {
        Repeat { results: Vec::new(), work: (0..times).map(|_| make()).collect() }
    }
}

impl Future for Repeat {
    type Output = Vec<u32>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<u32>> {
        while let Some(next) = self.work.front_mut() {
            match next.as_mut().poll(context) {
                Poll::Ready(result) => {
                    self.work.pop_front();
                    self.results.push(result);
                }
                Poll::Pending => return Poll::Pending,
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
