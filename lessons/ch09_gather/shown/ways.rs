//! The article's three sleeps: not spawned, spawned and awaited one after the other, spawned and gathered.

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

/// Prints what the stage says, and when.
fn listen(event: &str, _: &'static Location<'static>) {
    if let Some(line) = event.strip_prefix("say ") {
        let now = CLOCK.with_borrow(|clock| clock.as_ref().map(|clock| clock.now()));
        println!("  {} s: {line}", now.unwrap_or_default().as_secs());
    }
}

/// Runs one of the ways on a clock of its own.
fn run(title: &str, way: fn(&Arc<Clock>)) {
    println!("{title}:");
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    CLOCK.set(Some(clock.clone()));
    way(&clock);
    println!("  {} s: all are over", clock.now().as_secs());
}

fn main() {
    stage::PLAYER.get_or_init(|| listen);

    run("three futures, awaited one after the other", |clock| {
        let futures = [1, 2, 4].map(|x| do_some_work(clock, x));
        EventLoop::new(clock).run_until_complete(async {
            for future in futures {
                future.await;
            }
        });
    });

    run("three tasks, awaited one after the other", |clock| {
        let event_loop = EventLoop::new(clock);
        let tasks = [1, 2, 4].map(|x| event_loop.spawn("work", do_some_work(clock, x)));
        event_loop.run_until_complete(async {
            for task in tasks {
                task.await.unwrap();
            }
        });
    });

    run("three tasks, gathered", |clock| {
        let event_loop = EventLoop::new(clock);
        let tasks = [1, 2, 4].map(|x| event_loop.spawn("work", do_some_work(clock, x)));
        event_loop.run_until_complete(gather(tasks));
    });
}
