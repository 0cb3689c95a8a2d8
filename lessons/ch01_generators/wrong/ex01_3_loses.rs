//! Breaks rule 1.7: it takes the whole queue for its round, and gives back only those that are complete: none.

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
        for mut generator in std::mem::take(&mut self.ready) {
            if generator.resume() == Resumed::Complete {
                self.ready.push_back(generator);
            }
        }
        self.ready.clear();
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
