//! E0716

use std::sync::Mutex;
use std::time::Duration;

use stage::{Clock, EventLoop, Time, timeout};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

pub async fn limited() -> Option<u32> {
    let answer = timeout(&Clock::new(Time::Virtual(Mutex::default())), Duration::from_secs(1), async { 7 });
    answer.await
}

fn main() {
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    println!("{:?}", EventLoop::new(&clock).run_until_complete(limited()));
}
