//! In which order jobs and tasks run, and what a stop still lets run.

use std::sync::{Arc, Mutex};

use stage::{Clock, EventLoop, Handle, Time};

#[allow(dead_code, clippy::type_complexity)]
#[path = "../stage.rs"]
mod stage;

fn main() {
    let (clock, handle) = (Clock::new(Time::Virtual(Mutex::default())), Arc::new(Handle::default()));
    let event_loop = EventLoop::new(&clock, &handle);
    for name in ["a", "b"] {
        event_loop.spawn(name, async move { println!("task {name}") });
    }
    for number in 1..=2 {
        handle.call_soon_threadsafe(move |event_loop| {
            println!("job {number}");
            event_loop.spawn("of a job", async move { println!("task of job {number}") });
        });
    }
    handle.call_soon_threadsafe(|event_loop| {
        println!("job 3 stops the loop");
        event_loop.stop();
    });
    handle.call_soon_threadsafe(|_| println!("job 4"));
    event_loop.run_forever();
    println!("run_forever has returned");
    handle.call_soon_threadsafe(|event_loop| event_loop.stop());
    event_loop.run_forever();
    println!("and once more");
}
