//! Exercise 1.3, solved.
//!
//! `round` took from the front and put back at the end of the same queue, until the queue was empty. A generator that
//! yields for ever is put back for ever, so the queue never is. The repair decides at the start of the round how many it
//! takes: what is put back meanwhile waits for the next round. handloop's own loop does the same; it remembers the last
//! task of its ready queue before it begins a turn.

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
        for _ in 0..self.ready.len() {
            let Some(mut generator) = self.ready.pop_front() else { break };
            if generator.resume() == Resumed::Yielded {
                self.ready.push_back(generator);
            }
        }
        self.ready.len()
    }
}

struct Forever;

impl Generator for Forever {
    fn resume(&mut self) -> Resumed {
        Resumed::Yielded
    }
}

/// One generator that is never complete is enough.
pub fn reproduce() -> Vec<Box<dyn Generator>> {
    vec![Box::new(Forever)]
}
