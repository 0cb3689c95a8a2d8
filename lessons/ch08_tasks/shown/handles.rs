//! The stage, line by line as it tells it: a handle that is awaited before its task is over, one after, one dropped.

use std::cell::RefCell;
use std::panic::Location;
use std::sync::Mutex;

use stage::{Clock, EventLoop, Time};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn listen(event: &str, _: &'static Location<'static>) {
    let is_of_the_run = event == "begin" || event == "end";
    if !is_of_the_run && !event.starts_with("task") {
        TOLD.with_borrow_mut(|told| told.push(event.to_owned()));
    }
}

/// A result that says when it is dropped.
struct Noisy;

impl Drop for Noisy {
    fn drop(&mut self) {
        TOLD.with_borrow_mut(|told| told.push("the result is dropped".to_owned()));
    }
}

fn main() {
    stage::PLAYER.get_or_init(|| listen);
    let clock = Clock::new(Time::Virtual(Mutex::default()));

    let event_loop = EventLoop::new(&clock);
    let spawner = event_loop.clone();
    event_loop.run_until_complete(async move { spawner.spawn("work", async { 42 }).await.unwrap() });
    println!("main is 1 and waits for 2:\n  {}", TOLD.take().join(", "));

    let event_loop = EventLoop::new(&clock);
    let task = event_loop.spawn("work", async { 42 });
    event_loop.run_until_complete(task).unwrap();
    println!("1 is over before main, 2, asks:\n  {}", TOLD.take().join(", "));

    let event_loop = EventLoop::new(&clock);
    drop(event_loop.spawn("work", async { Noisy }));
    event_loop.run_until_complete(async {});
    println!("the handle of 1 is dropped, main is 2:\n  {}", TOLD.take().join(", "));
}
