//! A task is cancelled at each point of its life.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::panic::set_hook;
use std::sync::Mutex;

use stage::{Clock, Ended, EventLoop, Outcome, Task, Time, do_some_work};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

thread_local! {
    /// How far its code came, what its destructors did, what each `cancel` said, and its own handle.
    static STEPS: Cell<u32> = const { Cell::new(0) };
    static DROPS: Cell<u32> = const { Cell::new(0) };
    static SAID: RefCell<Vec<bool>> = const { RefCell::new(Vec::new()) };
    static OWN: RefCell<Option<Task<u32>>> = const { RefCell::new(None) };
}

struct Held(bool);

impl Drop for Held {
    fn drop(&mut self) {
        DROPS.set(DROPS.get() + 1);
        assert!(!self.0, "on purpose");
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Case {
    BeforeTheStart,
    Asleep,
    Itself,
    ItselfThenReady,
    Twice,
    AfterTheEnd,
    BadDestructor,
}

use Case::*;

/// One step to begin with, one behind the first pending await. It holds one value.
async fn work(held: Held, case: Case) -> u32 {
    let _held = held;
    if matches!(case, Itself | ItselfThenReady) {
        OWN.with_borrow(|own| cancel(own.as_ref().unwrap()));
    }
    STEPS.set(STEPS.get() + 1);
    if !matches!(case, ItselfThenReady | AfterTheEnd) {
        pending::<()>().await;
        STEPS.set(STEPS.get() + 1);
    }
    7
}

fn cancel(task: &Task<u32>) {
    let said = task.cancel();
    SAID.with_borrow_mut(|all| all.push(said));
}

fn word(outcome: Outcome<u32>) -> String {
    match outcome {
        Ok(value) => format!("Ok({value})"),
        Err(Ended::Panicked(_)) => "Panicked".to_owned(),
        Err(Ended::Cancelled) => "Cancelled".to_owned(),
    }
}

fn main() {
    stage::PLAYER.get_or_init(|| |_, _| ());
    set_hook(Box::new(|_| {}));
    println!("cancelled              cancel says    steps  drops  outcome");
    for (name, case) in [
        ("before its first poll", BeforeTheStart),
        ("while it waits", Asleep),
        ("by itself, then waits", Itself),
        ("by itself, then ready", ItselfThenReady),
        ("twice", Twice),
        ("after its end", AfterTheEnd),
        ("a destructor panics", BadDestructor),
    ] {
        let clock = Clock::new(Time::Virtual(Mutex::default()));
        let event_loop = EventLoop::new(&clock);
        let task = event_loop.spawn("work", work(Held(case == BadDestructor), case));
        if case == BeforeTheStart {
            cancel(&task);
        }
        OWN.set(Some(task));
        event_loop.run_until_complete(do_some_work(&clock, 1));
        let task = OWN.take().unwrap();
        if matches!(case, Asleep | Twice | AfterTheEnd | BadDestructor) {
            cancel(&task);
        }
        if case == Twice {
            cancel(&task);
        }
        let outcome = word(event_loop.run_until_complete(task));
        let said = format!("{:?}", SAID.take());
        println!("{name:22} {said:14} {:5}  {:5}  {outcome}", STEPS.take(), DROPS.take());
    }
}
