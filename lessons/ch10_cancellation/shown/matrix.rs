//! The matrix of chapter 9, with cancellation: who is cancelled, and what each gather makes of it.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use stage::{Clock, EventLoop, Outcome, Task, Time, do_some_work, gather, gather_settled, timeout, try_gather};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

thread_local! {
    /// The tasks that ran to their end.
    static OVER: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

type Work = Task<Result<u64, &'static str>>;

async fn work(clock: &Arc<Clock>, x: u64) -> Result<u64, &'static str> {
    do_some_work(clock, x).await;
    OVER.with_borrow_mut(|over| over.push(x));
    Ok(x)
}

fn list(words: impl Iterator<Item = String>) -> String {
    format!("[{}]", Vec::from_iter(words).join(", "))
}

fn outcome_word(outcome: Outcome<Result<u64, &'static str>>) -> String {
    outcome.map_or("cancelled".to_owned(), |result| result.unwrap().to_string())
}

async fn with_gather(tasks: [Work; 3]) -> String {
    list(gather(tasks).await.into_iter().map(|result| result.unwrap().to_string()))
}

async fn with_try_gather(tasks: [Work; 3]) -> String {
    list(try_gather(tasks).await.unwrap().into_iter().map(|value| value.to_string()))
}

async fn with_gather_settled(tasks: [Work; 3]) -> String {
    list(gather_settled(tasks).await.into_iter().map(outcome_word))
}

#[derive(Clone, Copy)]
enum Case {
    OneOfThem,
    GatherDropped,
    Gatherer,
}

/// One cell: when the wait is over and with what, and which tasks have run to their end a minute later.
fn cell<F: Future<Output = String>>(case: Case, waits: fn([Work; 3]) -> F) -> String {
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    let end = Cell::new(0);
    let event_loop = EventLoop::new(&clock);
    let tasks = [1, 2, 4].map(|x| event_loop.spawn("work", work(&clock, x)));
    let (spawner, clock, end) = (event_loop.clone(), &clock, &end);
    let main = async move {
        let word = match case {
            Case::OneOfThem => {
                tasks[1].cancel();
                waits(tasks).await
            }
            Case::GatherDropped => {
                timeout(clock, Duration::from_millis(1500), waits(tasks)).await.unwrap_or("dropped".to_owned())
            }
            Case::Gatherer => {
                let gatherer = spawner.spawn("gatherer", waits(tasks));
                do_some_work(clock, 1).await;
                gatherer.cancel();
                gatherer.await.unwrap_or("cancelled".to_owned())
            }
        };
        end.set(clock.now().as_millis());
        word
    };
    let word = catch_unwind(AssertUnwindSafe(|| event_loop.run_until_complete(main))).unwrap_or_else(|_| {
        end.set(clock.now().as_millis());
        "panics".to_owned()
    });
    event_loop.run_until_complete(do_some_work(clock, 60));
    format!("{:.1} s: {word}, {:?}", end.get() as f64 / 1000.0, OVER.take())
}

fn main() {
    stage::PLAYER.get_or_init(|| |_, _| ());
    set_hook(Box::new(|_| {}));
    for (name, case) in [
        ("the second task is cancelled at 0 s:", Case::OneOfThem),
        ("the gather is dropped at 1.5 s:", Case::GatherDropped),
        ("the task that gathers is cancelled at 1 s:", Case::Gatherer),
    ] {
        println!("{name}");
        println!("  gather          {}", cell(case, with_gather));
        println!("  try_gather      {}", cell(case, with_try_gather));
        println!("  gather_settled  {}", cell(case, with_gather_settled));
    }
}
