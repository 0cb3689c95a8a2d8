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

/// Sleeps of so many seconds as one future.
fn sleeps<'a>(clock: &'a Arc<Clock>, seconds: &[u64]) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    seconds.iter().fold(Box::pin(async {}), |others, second| {
        let work = do_some_work(clock, *second);
        Box::pin(async move {
            join(others, work).await;
        })
    })
}

fn show(seconds: &[u64]) {
    TOLD.take();
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    block_on(&clock, sleeps(&clock, seconds));
    let [polls, timers, wakes, clones] = ["poll", "timer", "wake", "clone"].map(count);

    // On the real clock, one poll of as many hours. Each timer thread has a clone of the clock for as long as it runs.
    let clock = Clock::new(Time::Real(Instant::now()));
    let mut future = sleeps(&clock, &vec![3600; seconds.len()]);
    let _ = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let threads = Arc::strong_count(&clock) - 1;
    drop(future);
    let dropped = Instant::now();
    while Arc::strong_count(&clock) > 1 && dropped.elapsed() < Duration::from_secs(10) {
        std::thread::yield_now();
    }
    let after = Arc::strong_count(&clock) - 1;
    println!("{:6} {polls:6} {timers:7} {wakes:6} {clones:7} {threads:8} {after:13}", seconds.len());
}

fn main() {
    stage::PLAYER.get_or_init(|| listen);
    println!("sleeps  polls  timers  wakes  clones  threads  after a drop");
    for number in [1, 3, 10, 20] {
        show(&Vec::from_iter(1..=number));
    }
    println!("of 1 s each:");
    show(&[1; 20]);
}
