//! The twin of e0282.rs: it names the type of the error.

use std::num::ParseIntError;

use stage::{EventLoop, try_gather};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

pub fn parse(event_loop: &EventLoop<'_>) {
    let tasks = ["1", "2", "x"].map(|text| {
        event_loop.spawn(text, async move {
            let number: u32 = text.parse()?;
            Ok::<_, ParseIntError>(number)
        })
    });
    drop(try_gather(tasks));
}

fn main() {
    let clock = stage::Clock::new(stage::Time::Virtual(std::sync::Mutex::default()));
    parse(&EventLoop::new(&clock));
}
