//! The matrix of failures: what fails, in which place, before or after the others end; what each gather makes of it.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::{Arc, Mutex};

use stage::{Clock, EventLoop, Outcome, Task, Time, do_some_work, gather, gather_settled, try_gather};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

thread_local! {
    /// Tasks that ran to their end, and results of theirs that were dropped without being returned.
    static OVER: Cell<usize> = const { Cell::new(0) };
    static LOST: Cell<usize> = const { Cell::new(0) };
}

/// A result, which counts if nobody gets it.
struct Value(u64);

impl Drop for Value {
    fn drop(&mut self) {
        if self.0 != 0 {
            LOST.set(LOST.get() + 1);
        }
    }
}

#[derive(Clone, Copy)]
enum Failure {
    Error,
    Panic,
}

type Work = Task<Result<Value, &'static str>>;

async fn work(clock: &Arc<Clock>, x: u64, failing: u64, failure: Failure) -> Result<Value, &'static str> {
    do_some_work(clock, x).await;
    match failure {
        Failure::Error if x == failing => return Err("error"),
        Failure::Panic if x == failing => panic!("on purpose"),
        _ => OVER.set(OVER.get() + 1),
    }
    Ok(Value(x))
}

/// The result as a word. Whoever has it has got it.
fn word(result: Result<Value, &'static str>) -> String {
    match result {
        Ok(mut value) => std::mem::take(&mut value.0).to_string(),
        Err(error) => error.to_owned(),
    }
}

fn outcome_word(outcome: Outcome<Result<Value, &'static str>>) -> String {
    outcome.map_or("panic".to_owned(), word)
}

fn list(words: impl Iterator<Item = String>) -> String {
    format!("[{}]", Vec::from_iter(words).join(", "))
}

async fn with_gather(tasks: [Work; 3]) -> String {
    list(gather(tasks).await.into_iter().map(word))
}

async fn with_try_gather(tasks: [Work; 3]) -> String {
    match try_gather(tasks).await {
        Ok(values) => list(values.into_iter().map(|value| word(Ok(value)))),
        Err(error) => error.to_owned(),
    }
}

async fn with_gather_settled(tasks: [Work; 3]) -> String {
    list(gather_settled(tasks).await.into_iter().map(outcome_word))
}

/// One cell: when main is over and with what, and how many results nobody got by the end of all tasks.
fn cell<F: Future<Output = String>>(
    order: [u64; 3],
    failing: u64,
    failure: Failure,
    waits: fn([Work; 3]) -> F,
) -> String {
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    let event_loop = EventLoop::new(&clock);
    let tasks = order.map(|x| event_loop.spawn("work", work(&clock, x, failing, failure)));
    let main = catch_unwind(AssertUnwindSafe(|| event_loop.run_until_complete(waits(tasks))));
    let end = format!("{} s: {}", clock.now().as_secs(), main.unwrap_or("panics".to_owned()));
    event_loop.run_until_complete(do_some_work(&clock, 60));
    match LOST.take() {
        0 => end,
        lost => format!("{end}, {lost} lost"),
    }
}

fn main() {
    stage::PLAYER.get_or_init(|| |_, _| ());
    set_hook(Box::new(|_| {}));
    for (name, failure) in [("an error", Failure::Error), ("a panic", Failure::Panic)] {
        println!("{name:16} gather               try_gather           gather_settled");
        for (failing, order) in [(1, [1, 2, 4]), (1, [4, 2, 1]), (4, [4, 2, 1]), (4, [1, 2, 4])] {
            let one = cell(order, failing, failure, with_gather);
            let two = cell(order, failing, failure, with_try_gather);
            let three = cell(order, failing, failure, with_gather_settled);
            println!("  {failing} of {order:?} {one:20} {two:20} {three}");
        }
    }
    println!("in these 24 runs {} of the 48 others ran to their end", OVER.take());
}
