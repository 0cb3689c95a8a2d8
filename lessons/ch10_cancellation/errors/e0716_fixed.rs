//! The twin of e0716.rs: the clock has a name, and lives as long as the future that borrows it.

use std::sync::Mutex;
use std::time::Duration;

use stage::{Clock, EventLoop, Time, timeout};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

pub async fn limited() -> Option<u32> {
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    let answer = timeout(&clock, Duration::from_secs(1), async { 7 });
    answer.await
}

fn main() {
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    println!("{:?}", EventLoop::new(&clock).run_until_complete(limited()));
}
