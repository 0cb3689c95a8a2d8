//! What the loop of chapter 7 cannot do: the result of another task, a panic, and a task that nobody will wake.

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use stage::{Clock, EventLoop, Time, do_some_work};

#[allow(dead_code)]
#[path = "../../ch07_event_loop/stage.rs"]
mod stage;

/// A task puts its result into a cell, and main looks there again and again. It gives up after a thousand looks.
fn result() {
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    let (place, looks) = (Cell::new(None), Cell::new(0));
    let event_loop = EventLoop::new(&clock);
    event_loop.spawn("work", async { place.set(Some(do_some_work(&clock, 1).await)) });
    let result = event_loop.run_until_complete(poll_fn(|context| {
        looks.set(looks.get() + 1);
        match place.take() {
            None if looks.get() < 1000 => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            result => Poll::Ready(result),
        }
    }));
    println!("main looks {} times: {result:?}, clock {:.3}", looks.get(), clock.now().as_secs_f64());
}

/// Ten tasks, and the first of them panics.
fn panics() {
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    let (over, event_loop) = (Cell::new(0), EventLoop::new(&clock));
    event_loop.spawn("first", async { panic!("on purpose") });
    for _ in 0..9 {
        event_loop.spawn("other", async { over.set(over.get() + 1) });
    }
    let outcome = catch_unwind(AssertUnwindSafe(|| event_loop.run_until_complete(async {})));
    let word = if outcome.is_err() { "panics" } else { "returns" };
    println!("the first of ten tasks panics: the loop {word}, over are {} of the 9 others", over.get());
}

/// On the real clock, in a thread of its own: this thread will not wait for ever.
fn nobody_wakes() {
    let (done, is_done) = channel();
    thread::spawn(move || {
        let clock = Clock::new(Time::Real(Instant::now()));
        EventLoop::new(&clock).run_until_complete(pending::<()>());
        done.send(())
    });
    let answer = is_done.recv_timeout(Duration::from_millis(300));
    println!("nobody will wake main: after 300 ms {}", if answer.is_err() { "no answer" } else { "it is over" });
}

fn main() {
    set_hook(Box::new(|_| {}));
    result();
    panics();
    nobody_wakes();
}
