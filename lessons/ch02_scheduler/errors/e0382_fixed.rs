//! The twin of e0382.rs: first the resume, then the queue, according to what came back.

use std::collections::VecDeque;

/// A generator that pauses so many times.
pub struct Pauses {
    pub left: u32,
}

impl Pauses {
    /// Whether it yielded; else it is complete.
    pub fn resume(&mut self) -> bool {
        self.left -= 1;
        self.left > 0
    }
}

pub fn run(mut ready: VecDeque<Pauses>) {
    while let Some(mut generator) = ready.pop_front() {
        if generator.resume() {
            ready.push_back(generator);
        }
    }
}

fn main() {
    run(VecDeque::from([Pauses { left: 2 }, Pauses { left: 1 }]));
}
