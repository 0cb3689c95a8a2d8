//! Breaks rule 4.3: it keeps the waker of its first poll and hands that on in all later ones too.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

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
    waker: Option<Waker>,
}

impl Repeat {
    pub fn new(make: Maker, times: usize) -> Self {
        Repeat { make, times, results: Vec::new(), next: None, waker: None }
    }
}

impl Future for Repeat {
    type Output = Vec<u32>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<u32>> {
        let waker = self.waker.get_or_insert_with(|| context.waker().clone()).clone();
        while self.results.len() < self.times {
            let mut next = self.next.take().unwrap_or_else(|| (self.make)());
            match next.as_mut().poll(&mut Context::from_waker(&waker)) {
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
