//! The article's second program in the article's own order: the thread first, then what it has to do. Each thread keeps
//! its lines, with the time, until both are over: between the lines of two threads no order is fixed.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use stage::{Clock, EventLoop, Handle, Time, do_some_work};

#[allow(dead_code, clippy::type_complexity)]
#[path = "../stage.rs"]
mod stage;

static START: OnceLock<Instant> = OnceLock::new();

thread_local! {
    static SAID: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn say(text: &str) {
    let time = START.get_or_init(Instant::now).elapsed().as_secs_f64();
    SAID.with_borrow_mut(|said| said.push(format!("{time:.3} s  {text}")));
}

fn more_work(x: u64) {
    say(&format!("More work {x}"));
    thread::sleep(Duration::from_secs(x));
    say(&format!("Finished more work {x}"));
}

fn main() {
    stage::PLAYER.get_or_init(|| |event, _| event.strip_prefix("say ").into_iter().for_each(say));
    let clock = Clock::new(Time::Real(*START.get_or_init(Instant::now)));
    let handle = Arc::new(Handle::default());
    let (for_loop, loop_clock) = (handle.clone(), clock.clone());
    let t = thread::spawn(move || {
        EventLoop::new(&loop_clock, &for_loop).run_forever();
        SAID.take()
    });
    say("TIME");

    let tasks = [6, 4].map(|x| {
        let clock = clock.clone();
        handle.submit("do_some_work", move || async move { say(&do_some_work(&clock, x).await) })
    });
    say("submitted");
    for task in tasks {
        task.result().unwrap();
    }
    say("Time");

    handle.call_soon_threadsafe(|_| more_work(1));
    handle.call_soon_threadsafe(|event_loop| event_loop.stop());
    say("sent");
    let of_the_loop = t.join().unwrap();
    say("the loop's thread is over");
    for (thread, said) in [("main", SAID.take()), ("the loop", of_the_loop)] {
        println!("{thread}:");
        said.iter().for_each(|line| println!("  {line}"));
    }
}
