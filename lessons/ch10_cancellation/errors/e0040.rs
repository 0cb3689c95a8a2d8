//! E0040

use std::sync::{Arc, Mutex};

use stage::{Clock, Sleep, Time};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

pub fn give_up(mut sleep: Sleep<'_>) {
    sleep.drop();
}

fn main() {
    let clock: Arc<Clock> = Clock::new(Time::Virtual(Mutex::default()));
    drop(clock);
}
