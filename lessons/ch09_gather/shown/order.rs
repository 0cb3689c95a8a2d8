//! When each result is taken, and where it is in the end.

use std::cell::RefCell;
use std::panic::Location;
use std::sync::{Arc, Mutex};

use stage::{Clock, EventLoop, Time, do_some_work, gather};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

thread_local! {
    static CLOCK: RefCell<Option<Arc<Clock>>> = const { RefCell::new(None) };
}

/// Prints who has given a result, and when.
fn listen(event: &str, _: &'static Location<'static>) {
    if let Some(number) = event.strip_prefix("join ") {
        let now = CLOCK.with_borrow(|clock| clock.as_ref().map(|clock| clock.now()));
        println!("{} s: task {number} gives its result", now.unwrap_or_default().as_secs());
    }
}

fn main() {
    stage::PLAYER.get_or_init(|| listen);
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    CLOCK.set(Some(clock.clone()));
    let event_loop = EventLoop::new(&clock);
    let tasks = [4, 1, 2].map(|x| event_loop.spawn("work", do_some_work(&clock, x)));
    println!("{:?}", event_loop.run_until_complete(gather(tasks)));
}
