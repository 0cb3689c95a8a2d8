//! The twin of e0373.rs: the closure has a counted pointer of its own.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

pub struct Clock;

impl Clock {
    /// Whether there is more to do.
    pub fn watch(&self) -> bool {
        false
    }
}

pub fn start(clock: &Arc<Clock>) -> JoinHandle<()> {
    let clock = clock.clone();
    thread::spawn(move || while clock.watch() {})
}

fn main() {
    start(&Arc::new(Clock)).join().unwrap();
}
