//! E0277

use std::sync::{Arc, Mutex};
use std::thread;

use stage::{Clock, EventLoop, Handle, Time};

#[allow(dead_code, clippy::type_complexity)]
#[path = "../stage.rs"]
mod stage;

pub fn run_and_stop(clock: &Clock, handle: &Arc<Handle>) {
    let event_loop = EventLoop::new(clock, handle);
    let event_loop: &EventLoop = &event_loop;
    thread::scope(|scope| {
        scope.spawn(|| event_loop.stop());
        event_loop.run_forever();
    });
}

fn main() {
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    run_and_stop(&clock, &Arc::new(Handle::default()));
}
