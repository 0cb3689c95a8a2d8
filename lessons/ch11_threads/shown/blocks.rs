//! How late the timers of the other tasks are while something works for a second. The clock is the real one.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use stage::{Clock, EventLoop, Handle, Time, timeout};

#[allow(dead_code, clippy::type_complexity)]
#[path = "../stage.rs"]
mod stage;

const TICK: Duration = Duration::from_millis(10);

fn more_work() {
    thread::sleep(Duration::from_secs(1));
}

/// Sleeps a hundredth of a second again and again, for 1.2 s. How often it did, and how late it was at worst.
async fn ticks(clock: Arc<Clock>, begins: Sender<()>) -> (u32, Duration) {
    let (mut count, mut worst, begin) = (0, Duration::ZERO, clock.now());
    while clock.now() - begin < Duration::from_millis(1200) {
        let before = clock.now();
        // A future that is never ready, with a limit: a sleep.
        timeout(&clock, TICK, std::future::pending::<()>()).await;
        _ = begins.send(());
        (count, worst) = (count + 1, worst.max(clock.now() - before - TICK));
    }
    (count, worst)
}

fn main() {
    stage::PLAYER.get_or_init(|| |_, _| ());
    let clock = Clock::new(Time::Real(Instant::now()));
    for case in ["nothing else", "more_work in a job", "run_in_executor(more_work)"] {
        let handle = Arc::new(Handle::default());
        let (count, worst) = thread::scope(|scope| {
            scope.spawn(|| EventLoop::new(&clock, &handle).run_forever());
            let (inner, (begins, has_begun)) = (clock.clone(), channel());
            let ticks = handle.submit("ticks", move || ticks(inner, begins));
            has_begun.recv().unwrap();
            handle.call_soon_threadsafe(move |event_loop| match case {
                "more_work in a job" => more_work(),
                "run_in_executor(more_work)" => drop(event_loop.run_in_executor(more_work)),
                _ => {}
            });
            let result = ticks.result().unwrap();
            handle.call_soon_threadsafe(|event_loop| event_loop.stop());
            result
        });
        println!("{case:<27} {count:>3} ticks, the latest {:.3} s late", worst.as_secs_f64());
    }
}
