//! The twin of e0040.rs: the function `drop` takes the value, so its destructor runs once.

use std::sync::{Arc, Mutex};

use stage::{Clock, Sleep, Time};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

pub fn give_up(sleep: Sleep<'_>) {
    drop(sleep);
}

fn main() {
    let clock: Arc<Clock> = Clock::new(Time::Virtual(Mutex::default()));
    drop(clock);
}
