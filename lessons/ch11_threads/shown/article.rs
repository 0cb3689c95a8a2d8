//! The article's second program in the article's own order: the thread first, then what it has to do.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use stage::{Clock, EventLoop, Handle, Time, do_some_work};

#[allow(dead_code, clippy::type_complexity)]
#[path = "../stage.rs"]
mod stage;

fn more_work(x: u64) {
    println!("More work {x}");
    thread::sleep(Duration::from_secs(x));
    println!("Finished more work {x}");
}

fn main() {
    let start = Instant::now();
    let clock = Clock::new(Time::Real(start));
    let handle = Arc::new(Handle::default());
    let (for_loop, loop_clock) = (handle.clone(), clock.clone());
    let t = thread::spawn(move || EventLoop::new(&loop_clock, &for_loop).run_forever());
    println!("TIME: {:.3}", start.elapsed().as_secs_f64());

    let tasks = [6, 4].map(|x| {
        let clock = clock.clone();
        handle.submit("do_some_work", move || async move { println!("{}", do_some_work(&clock, x).await) })
    });
    println!("submitted: {:.3}", start.elapsed().as_secs_f64());
    for task in tasks {
        task.result().unwrap();
    }
    println!("Time: {:.3}", start.elapsed().as_secs_f64());

    handle.call_soon_threadsafe(|_| more_work(1));
    handle.call_soon_threadsafe(|event_loop| event_loop.stop());
    println!("sent: {:.3}", start.elapsed().as_secs_f64());
    t.join().unwrap();
    println!("The thread is over: {:.3}", start.elapsed().as_secs_f64());
}
