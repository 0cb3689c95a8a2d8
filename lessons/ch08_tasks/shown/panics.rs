//! Panics on the stage: the other tasks go on, the panic is a result, and the task's values are gone before it is read.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::Mutex;

use stage::{Clock, EventLoop, Time};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

/// A value of a task, which says when it is dropped.
struct Value;

impl Drop for Value {
    fn drop(&mut self) {
        println!("  the task's value is dropped");
    }
}

fn main() {
    set_hook(Box::new(|panic| println!("  the hook: {}", panic.payload().downcast_ref::<&str>().unwrap_or(&""))));
    let clock = Clock::new(Time::Virtual(Mutex::default()));

    println!("the first of ten tasks panics, and main awaits it:");
    let (over, event_loop) = (Cell::new(0), EventLoop::new(&clock));
    let first = event_loop.spawn("first", async {
        let _value = Value;
        panic!("on purpose")
    });
    for _ in 0..9 {
        event_loop.spawn("other", async { over.set(over.get() + 1) });
    }
    let result: std::thread::Result<()> = event_loop.run_until_complete(first);
    let panic = result.unwrap_err();
    println!("  the result: a panic, {:?}", panic.downcast_ref::<&str>());
    println!("  over are {} of the 9 others", over.get());

    println!("a task panics, and its handle was dropped:");
    let event_loop = EventLoop::new(&clock);
    drop(event_loop.spawn("detached", async { panic!("seen by the hook alone") }));
    println!("  main returns {}", event_loop.run_until_complete(async { 42 }));

    println!("main itself panics:");
    let event_loop = EventLoop::new(&clock);
    let outcome = catch_unwind(AssertUnwindSafe(|| event_loop.run_until_complete::<()>(async { panic!("in main") })));
    println!("  run_until_complete panics: {:?}", outcome.unwrap_err().downcast_ref::<&str>());
}
