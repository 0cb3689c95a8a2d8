//! What becomes of the tasks that are left when a loop is closed, or is let go without that.

use std::cell::Cell;
use std::future::pending;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex};

use stage::{Clock, EventLoop, Time, do_some_work};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

thread_local! {
    static ALIVE: Cell<u32> = const { Cell::new(0) };
    /// The turns in which `close` has cancelled.
    static CLOSES: Cell<u32> = const { Cell::new(0) };
}

struct Held;

impl Held {
    fn new() -> Held {
        ALIVE.set(ALIVE.get() + 1);
        Held
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        ALIVE.set(ALIVE.get() - 1);
    }
}

/// When it is dropped it spawns a task that has the next one, so many times.
struct Again<'a> {
    event_loop: Weak<EventLoop<'a>>,
    times: u32,
    _held: Held,
}

impl<'a> Again<'a> {
    fn spawn(event_loop: &Rc<EventLoop<'a>>, times: u32) {
        let again = Again { event_loop: Rc::downgrade(event_loop), times, _held: Held::new() };
        drop(event_loop.spawn("again", async move {
            let _again = again;
            pending::<()>().await;
        }));
    }
}

impl Drop for Again<'_> {
    fn drop(&mut self) {
        if self.times > 0 {
            Again::spawn(&self.event_loop.upgrade().unwrap(), self.times - 1);
        }
    }
}

/// Each of the tasks sleeps for an hour; `keeps_the_loop`: and has an `Rc` of the loop that owns it.
fn leave_ten<'a>(event_loop: &Rc<EventLoop<'a>>, clock: &'a Arc<Clock>, keeps_the_loop: bool) {
    for _ in 0..10 {
        let own = keeps_the_loop.then(|| event_loop.clone());
        drop(event_loop.spawn("hour", async move {
            let (_own, _held) = (own, Held::new());
            do_some_work(clock, 3600).await;
        }));
    }
    event_loop.run_until_complete(do_some_work(clock, 1));
}

fn main() {
    stage::PLAYER.get_or_init(|| |event, _| CLOSES.set(CLOSES.get() + u32::from(event == "close")));
    println!("ten tasks are left                    their values");
    for (name, keeps_the_loop, is_closed) in [
        ("the loop is dropped", false, false),
        ("each owns the loop, which is dropped", true, false),
        ("each owns the loop, which is closed", true, true),
    ] {
        let clock = Clock::new(Time::Virtual(Mutex::default()));
        let event_loop = EventLoop::new(&clock);
        leave_ten(&event_loop, &clock, keeps_the_loop);
        if is_closed {
            event_loop.close();
        }
        drop(event_loop);
        println!("{name:37} {:2} alive at {} s", ALIVE.take(), clock.now().as_secs());
        CLOSES.set(0);
    }

    let clock = Clock::new(Time::Virtual(Mutex::default()));
    let event_loop = EventLoop::new(&clock);
    Again::spawn(&event_loop, 3);
    event_loop.close();
    println!("a destructor spawns, three times: {} turns, {} alive", CLOSES.take(), ALIVE.take());
}
