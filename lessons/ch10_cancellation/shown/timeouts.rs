//! What a timeout drops: a future with its work, or only the handle of a task.

use std::cell::Cell;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use stage::{Clock, EventLoop, Time, do_some_work, timeout};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

async fn work(clock: &Arc<Clock>, done: &Cell<u64>) -> u64 {
    for second in 1..=4 {
        do_some_work(clock, 1).await;
        done.set(second);
    }
    done.get()
}

fn main() {
    stage::PLAYER.get_or_init(|| |_, _| ());
    println!("4 s of work             result   done by then  done a minute later");
    for (name, limit, is_task, is_cancelled) in [
        ("a future, within 5 s", 5000, false, false),
        ("a future, within 4 s", 4000, false, false),
        ("a future, within 2.5 s", 2500, false, false),
        ("a task, within 2.5 s", 2500, true, false),
        ("the same, cancelled", 2500, true, true),
        ("a future, within 0 s", 0, false, false),
    ] {
        let clock = Clock::new(Time::Virtual(Mutex::default()));
        let done = Cell::new(0);
        let event_loop = EventLoop::new(&clock);
        let (spawner, clock, done) = (event_loop.clone(), &clock, &done);
        let (result, by_then) = event_loop.run_until_complete(async move {
            let limit = Duration::from_millis(limit);
            let result = if is_task {
                let mut task = spawner.spawn("work", work(clock, done));
                let result = timeout(clock, limit, &mut task).await;
                if is_cancelled {
                    task.cancel();
                }
                result.map(Result::unwrap)
            } else {
                timeout(clock, limit, work(clock, done)).await
            };
            let by_then = done.get();
            do_some_work(clock, 60).await;
            (result, by_then)
        });
        println!("{name:23} {:8} {by_then} s           {} s", format!("{result:?}"), done.get());
    }
}
