//! Exercise 1.3, find the bug: about 15 minutes.
//!
//! This scheduler belongs to a program with a window. Between two rounds the program looks whether somebody has
//! clicked:
//!
//! ```text
//! while scheduler.round() > 0 {
//!     look_for_clicks();
//! }
//! ```
//!
//! With some generators the window freezes. The widely used crate futures-rs had this defect in its set of futures:
//! issue 2047, "FuturesUnordered never yields".
//!
//! 1. Reproduce it: let `reproduce` return generators with which one call of `round` does not return. Each single
//!    `resume` has to return.
//! 2. Repair `round`.
//!
//! Check it with `cargo run -- check ch01 3`.

use std::collections::VecDeque;

#[derive(PartialEq)]
pub enum Resumed {
    Yielded,
    Complete,
}

pub trait Generator {
    fn resume(&mut self) -> Resumed;
}

#[derive(Default)]
pub struct Scheduler {
    ready: VecDeque<Box<dyn Generator>>,
}

impl Scheduler {
    pub fn add(&mut self, generator: Box<dyn Generator>) {
        self.ready.push_back(generator);
    }

    /// Lets each generator run to its next pause, in turn. Returns how many are not complete.
    pub fn round(&mut self) -> usize {
        while let Some(mut generator) = self.ready.pop_front() {
            if generator.resume() == Resumed::Yielded {
                self.ready.push_back(generator);
            }
        }
        self.ready.len()
    }
}

/// Generators with which one call of the scheduler above does not return.
pub fn reproduce() -> Vec<Box<dyn Generator>> {
    todo!("a generator, or several, with which `round` does not return")
}
