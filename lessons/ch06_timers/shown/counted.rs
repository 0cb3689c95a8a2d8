//! The stage itself, counted: polls, timers, wakes, and the threads beside the main one.

use std::cell::RefCell;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use stage::{Clock, Time, block_on, do_some_work, join};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn listen(event: &str, _: &'static Location<'static>) {
    TOLD.with_borrow_mut(|told| told.push(event.to_owned()));
}

fn count(word: &str) -> usize {
    TOLD.with_borrow(|told| told.iter().filter(|event| event.split(' ').next() == Some(word)).count())
}

/// Sleeps of 1, 2, … n seconds as one future.
fn sleeps<'a>(clock: &'a Arc<Clock>, count: u64) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    (1..=count).fold(Box::pin(async {}), |others, second| {
        Box::pin(async move {
            join(others, do_some_work(clock, second)).await;
        })
    })
}

fn main() {
    stage::PLAYER.get_or_init(|| listen);
    println!("sleeps  polls  timers  wakes  clones  threads  after a drop");
    for number in [1, 3, 10, 20] {
        TOLD.take();
        let clock = Clock::new(Time::Virtual(Mutex::default()));
        block_on(&clock, sleeps(&clock, number));
        let counts = ["poll", "timer", "wake", "clone"].map(count);

        // On the real clock, one poll. Each timer thread has a clone of the clock for as long as it runs.
        let clock = Clock::new(Time::Real(Instant::now()));
        let mut future = sleeps(&clock, number);
        let _ = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let threads = Arc::strong_count(&clock) - 1;
        drop(future);
        let dropped = Instant::now();
        while Arc::strong_count(&clock) > 1 && dropped.elapsed() < Duration::from_secs(10) {
            std::thread::yield_now();
        }
        let [polls, timers, wakes, clones] = counts;
        let after = Arc::strong_count(&clock) - 1;
        println!("{number:6} {polls:6} {timers:7} {wakes:6} {clones:7} {threads:8} {after:13}");
    }
}
