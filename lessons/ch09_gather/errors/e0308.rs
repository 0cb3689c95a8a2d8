//! E0308

use stage::{EventLoop, Task};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

pub fn start(event_loop: &EventLoop<'_>) -> [Task<u32>; 2] {
    let works = [async { 1 }, async { 2 }];
    works.map(|work| event_loop.spawn("work", work))
}

fn main() {
    let clock = stage::Clock::new(stage::Time::Virtual(std::sync::Mutex::default()));
    drop(start(&EventLoop::new(&clock)));
}
