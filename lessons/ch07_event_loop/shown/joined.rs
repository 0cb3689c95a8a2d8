//! The stage itself, counted: sleeps of 1, 2, … n seconds, all in one task, or a task for each.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use stage::{Clock, EventLoop, Time, counted, do_some_work, join};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

/// How often the sleeps are polled, all together.
fn polls(sleeps: u64, is_joined: bool) -> usize {
    let sum = Cell::new(0);
    let clock: Arc<Clock> = Clock::new(Time::Virtual(Mutex::default()));
    let sleep = async |second| {
        let (_, polls) = counted(do_some_work(&clock, second)).await;
        sum.set(sum.get() + polls);
    };
    let event_loop = EventLoop::new(&clock);
    if is_joined {
        let nothing: Pin<Box<dyn Future<Output = ()>>> = Box::pin(async {});
        let all = (1..=sleeps).fold(nothing, |others, second| {
            let sleep = sleep(second);
            Box::pin(async move {
                join(others, sleep).await;
            })
        });
        event_loop.run_until_complete(all);
    } else {
        (1..sleeps).for_each(|second| event_loop.spawn("sleep", sleep(second)));
        event_loop.run_until_complete(sleep(sleeps));
    }
    sum.get()
}

fn main() {
    stage::PLAYER.get_or_init(|| |_, _| ());
    println!("sleeps  polls in one task  polls in a task each");
    for sleeps in [1, 3, 10, 20, 100] {
        println!("{sleeps:6} {:18} {:21}", polls(sleeps, true), polls(sleeps, false));
    }
}
