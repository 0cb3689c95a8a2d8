//! Breaks rule 1.8: its generators are complete after a while, and then the round returned.

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

struct Long(u32);

impl Generator for Long {
    fn resume(&mut self) -> Resumed {
        self.0 -= 1;
        if self.0 == 0 { Resumed::Complete } else { Resumed::Yielded }
    }
}

/// A long one, but it ends.
pub fn reproduce() -> Vec<Box<dyn Generator>> {
    vec![Box::new(Long(50))]
}
