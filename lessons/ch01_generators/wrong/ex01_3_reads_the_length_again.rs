//! Breaks rule 1.6: it asks for the length of the queue before each resume, and that has shrunk: some have no turn.

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
        let mut turn = 0;
        while turn < self.ready.len() {
            turn += 1;
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
