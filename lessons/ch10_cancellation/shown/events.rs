//! What the stage tells from the cancel on, when a task that sleeps for an hour is cancelled after a second.

use std::cell::Cell;
use std::sync::Mutex;

use stage::{Clock, EventLoop, Time, do_some_work, tell};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

thread_local! {
    static IS_SHOWN: Cell<bool> = const { Cell::new(false) };
}

struct Named(&'static str);

impl Drop for Named {
    fn drop(&mut self) {
        tell(&format!("({} is dropped)", self.0));
    }
}

fn main() {
    stage::PLAYER.get_or_init(|| |event, _| {
        IS_SHOWN.set(IS_SHOWN.get() || event.starts_with("cancel"));
        if IS_SHOWN.get() {
            println!("{event}");
        }
    });
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    let event_loop = EventLoop::new(&clock);
    let task = event_loop.spawn("hour", async {
        let _first = Named("first");
        let _second = Named("second");
        do_some_work(&clock, 3600).await;
    });
    event_loop.run_until_complete(async {
        do_some_work(&clock, 1).await;
        tell(&format!("(cancel says {})", task.cancel()));
            tell(&format!("(it has ended: {:?})", task.await));
    });
}
