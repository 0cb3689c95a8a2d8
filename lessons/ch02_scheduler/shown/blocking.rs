//! Who sleeps within a resume stops everybody: three sleeps, one after the other.

use std::cell::Cell;
use std::collections::VecDeque;

/// So many seconds have passed since the start.
struct Clock(Cell<u64>);

impl Clock {
    /// What `thread::sleep` does to the thread: nothing else happens on it until the time is over.
    fn sleep(&self, seconds: u64) {
        self.0.set(self.0.get() + seconds);
    }
}

struct Work {
    x: u64,
}

impl Work {
    /// It never yields: one resume, and it is complete.
    fn resume(&mut self, clock: &Clock) -> String {
        println!("{} s: waiting: {}", clock.0.get(), self.x);
        clock.sleep(self.x);
        format!("Done after {}s", self.x)
    }
}

fn main() {
    let clock = Clock(Cell::new(0));
    let mut ready = VecDeque::from([1, 2, 4].map(|x| Work { x }));
    while let Some(mut work) = ready.pop_front() {
        let word = work.resume(&clock);
        println!("{} s: {word}", clock.0.get());
    }
}
