//! What a timeout drops: a future with its work, or only the handle of a task.

use std::cell::Cell;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use stage::{Clock, EventLoop, Time, do_some_work, timeout};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

#[derive(Clone, Copy)]
enum Given {
    Future,
    Task,
    /// `&mut task`; when the time is over, the task is cancelled.
    LentAndCancelled,
    /// `&mut task`; when the time is over, the task is awaited once more.
    LentAndAwaited,
}

use Given::*;

async fn work(clock: &Arc<Clock>, seconds: u64, done: &Cell<u64>) -> u64 {
    for second in 1..=seconds {
        do_some_work(clock, 1).await;
        done.set(second);
    }
    done.get()
}

fn main() {
    stage::PLAYER.get_or_init(|| |_, _| ());
    println!("work                     result        done by then  done a minute later");
    for (name, seconds, limit, given) in [
        ("4 s, within 5 s", 4, 5000, Future),
        ("4 s, within 4 s", 4, 4000, Future),
        ("4 s, within 2.5 s", 4, 2500, Future),
        ("a task, within 2.5 s", 4, 2500, Task),
        ("the same, cancelled", 4, 2500, LentAndCancelled),
        ("the same, awaited again", 4, 2500, LentAndAwaited),
        ("0 s, within 0 s", 0, 0, Future),
    ] {
        let clock = Clock::new(Time::Virtual(Mutex::default()));
        let done = Cell::new(0);
        let event_loop = EventLoop::new(&clock);
        let (spawner, clock, done) = (event_loop.clone(), &clock, &done);
        let (result, by_then) = event_loop.run_until_complete(async move {
            let limit = Duration::from_millis(limit);
            let work = work(clock, seconds, done);
            match given {
                Future => (format!("{:?}", timeout(clock, limit, work).await), done.get()),
                Task => {
                    let task = spawner.spawn("work", work);
                    (format!("{:?}", timeout(clock, limit, task).await.map(Result::unwrap)), done.get())
                }
                LentAndCancelled => {
                    let mut task = spawner.spawn("work", work);
                    let result = timeout(clock, limit, &mut task).await;
                    task.cancel();
                    (format!("{:?}", result.map(Result::unwrap)), done.get())
                }
                LentAndAwaited => {
                    let mut task = spawner.spawn("work", work);
                    let result = timeout(clock, limit, &mut task).await;
                    let by_then = done.get();
                    let later = task.await;
                    (format!("{:?}, then {}", result.map(Result::unwrap), later.unwrap()), by_then)
                }
            }
        });
        event_loop.run_until_complete(do_some_work(clock, 60));
        println!("{name:24} {result:13} {by_then} s           {} s", done.get());
    }
}
