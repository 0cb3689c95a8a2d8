//! The stage itself: a task that holds the loop which owns it. Is the loop freed when its user drops it?

use std::rc::Rc;
use std::sync::{Arc, Mutex};

use stage::{Clock, EventLoop, Time, do_some_work};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

fn is_freed(is_weak: bool, seconds: u64) -> bool {
    let clock: Arc<Clock> = Clock::new(Time::Virtual(Mutex::default()));
    let work = |seconds| do_some_work(&clock, seconds);
    let event_loop = EventLoop::new(&clock);
    let weak = Rc::downgrade(&event_loop);
    let (counted, uncounted) = ((!is_weak).then(|| event_loop.clone()), weak.clone());
    event_loop.spawn("late", async move {
        work(2).await;
        if let Some(spawner) = counted.or_else(|| uncounted.upgrade()) {
            spawner.call_soon(|| ());
        }
    });
    event_loop.run_until_complete(work(seconds));
    drop(event_loop);
    weak.strong_count() == 0
}

fn main() {
    stage::PLAYER.get_or_init(|| |_, _| ());
    println!("the task waits, with a clone of the Rc: the loop is freed: {}", is_freed(false, 1));
    println!("that task is over:                      the loop is freed: {}", is_freed(false, 3));
    println!("the task waits, with a Weak:            the loop is freed: {}", is_freed(true, 1));
}
