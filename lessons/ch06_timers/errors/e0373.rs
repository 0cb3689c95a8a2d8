//! E0373

use std::thread::{self, JoinHandle};

pub struct Clock;

impl Clock {
    /// Whether there is more to do.
    pub fn watch(&self) -> bool {
        false
    }
}

pub fn start(clock: Clock) -> JoinHandle<()> {
    thread::spawn(|| while clock.watch() {})
}

fn main() {
    start(Clock).join().unwrap();
}
