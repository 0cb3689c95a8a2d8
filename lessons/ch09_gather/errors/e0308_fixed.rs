//! The twin of e0308.rs: what is in the array are handles, which have one type.

use stage::{EventLoop, Task};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

pub fn start(event_loop: &EventLoop<'_>) -> [Task<u32>; 2] {
    [event_loop.spawn("work", async { 1 }), event_loop.spawn("work", async { 2 })]
}

fn main() {
    let clock = stage::Clock::new(stage::Time::Virtual(std::sync::Mutex::default()));
    drop(start(&EventLoop::new(&clock)));
}
