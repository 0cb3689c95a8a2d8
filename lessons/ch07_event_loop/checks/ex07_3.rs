//! The check of exercise 7.3.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex07_3.rs"]
mod exercise;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use checker::turns::{self, Breach, Loop};
use checker::{Verdict, is_todo, last_panic, lock, messages};
use exercise::{EventLoop, Spawn, Task, reproduce};

fn main() -> ExitCode {
    checker::run(
        "ex07_3",
        &[
            ("7.6", holds_nothing),
            ("4.6", || only("4.6")),
            ("7.3", || only("7.3")),
            ("7.4", || only("7.4")),
            ("7.5", || only("7.5")),
            ("7.2", || only("7.2")),
            ("7.7", no_slot_is_left),
        ],
    )
}

impl Loop for EventLoop {
    fn put_in(&self, task: Task) {
        Spawn::spawn(self, task);
    }

    fn take_a_turn(&self) {
        let turn: fn(&EventLoop) = EventLoop::turn;
        turn(self);
    }
}

/// The first breach of this rule: the others are other rules'. The reproduction was looked at before.
fn first(rule: &str, breaches: Vec<Breach>) -> Verdict {
    let breach = breaches.into_iter().find(|breach| breach.rule == rule);
    breach.map_or(Ok(()), |breach| Err(messages::now_turn(&breach.seen)))
}

fn only(rule: &str) -> Verdict {
    first(rule, turns::breaches(|| Rc::new(EventLoop::default())))
}

fn holds_nothing() -> Verdict {
    reproduction()?;
    only("7.6")?;
    first("7.6", turns::breaches_when_dropped(|| Rc::new(EventLoop::default())))
}

fn no_slot_is_left() -> Verdict {
    only("7.7")?;
    let event_loop = EventLoop::default();
    let is_over = Rc::new(Cell::new(0));
    for task in 0..TASKS {
        let (is_over, mut polls) = (is_over.clone(), 0);
        let future = poll_fn(move |context: &mut Context<'_>| {
            polls += 1;
            if polls == 1 && task % 2 == 0 {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            is_over.set(is_over.get() + 1);
            Poll::Ready(())
        });
        Spawn::spawn(&event_loop, Box::pin(future));
    }
    // As many as a loop needs that polls one task in each.
    (0..2 * TASKS).for_each(|_| EventLoop::turn(&event_loop));
    let left = event_loop.slots.borrow().len();
    if is_over.get() == TASKS && left > 0 {
        return Err(messages::now_turn(&messages::slots_are_left(TASKS, left)));
    }
    Ok(())
}

const TASKS: usize = 25;

/// Past so many polls, or calls of `spawn`, a reproduction has no end.
const TOO_MANY: usize = 1_000;

/// The loop as it was handed out. Where that would panic, it takes notice.
#[derive(Default)]
struct HandedOut {
    ready: Arc<Mutex<VecDeque<usize>>>,
    tasks: RefCell<BTreeMap<usize, Task>>,
    spawned: Cell<usize>,
    /// `slots` is borrowed, and code of a task runs.
    holds: Cell<bool>,
    is_polling: Cell<bool>,
    calls_in_polls: Cell<usize>,
    calls_under_the_borrow: Cell<usize>,
    calls_at_other_times: Cell<usize>,
}

impl Spawn for HandedOut {
    fn spawn(&self, task: Task) {
        let calls = match (self.holds.get(), self.is_polling.get()) {
            (true, _) => &self.calls_under_the_borrow,
            (false, true) => &self.calls_in_polls,
            (false, false) => &self.calls_at_other_times,
        };
        calls.set(calls.get() + 1);
        if self.holds.get() || self.spawned.get() > TOO_MANY {
            // A destructor that runs here could spawn again, without end.
            std::mem::forget(task);
            return;
        }
        let number = self.spawned.replace(self.spawned.get() + 1);
        self.tasks.borrow_mut().insert(number, task);
        self.ready.lock().unwrap().push_back(number);
    }
}

impl HandedOut {
    /// Polls whoever is ready, until nobody is or `spawn` was called under the borrow.
    fn run(&self) {
        for _ in 0..TOO_MANY {
            let next = self.ready.lock().unwrap().pop_front();
            let Some(number) = next else { return };
            let Some(mut task) = self.tasks.borrow_mut().remove(&number) else { continue };
            let waker = Waker::from(Arc::new(Ticket { number, ready: self.ready.clone() }));
            self.is_polling.set(true);
            let polled = task.as_mut().poll(&mut Context::from_waker(&waker));
            self.is_polling.set(false);
            if polled.is_pending() {
                self.tasks.borrow_mut().insert(number, task);
            } else {
                self.holds.set(true);
                drop(task);
                self.holds.set(false);
            }
            if self.calls_under_the_borrow.get() > 0 {
                return;
            }
        }
    }
}

struct Ticket {
    number: usize,
    ready: Arc<Mutex<VecDeque<usize>>>,
}

impl Wake for Ticket {
    fn wake(self: Arc<Self>) {
        let mut ready = self.ready.lock().unwrap();
        if !ready.contains(&self.number) {
            ready.push_back(self.number);
        }
    }
}

fn reproduction() -> Verdict {
    let event_loop = Rc::new(HandedOut::default());
    let spawner = event_loop.clone();
    let task = match catch_unwind(AssertUnwindSafe(|| reproduce(spawner))) {
        Ok(task) => task,
        Err(payload) if is_todo(&*payload) => resume_unwind(payload),
        Err(_) => return Err(messages::reproduce_panicked(&last_panic())),
    };
    let before = event_loop.calls_at_other_times.get();
    event_loop.spawn(task);
    if catch_unwind(AssertUnwindSafe(|| event_loop.run())).is_err() {
        return Err(messages::reproduction_panicked(&last_panic()));
    }
    if event_loop.calls_under_the_borrow.get() > 0 {
        return Ok(());
    }
    let left = event_loop.tasks.borrow().len();
    let in_polls = event_loop.calls_in_polls.get();
    Err(messages::reproduces_no_panic(in_polls, left == 0 && has_a_destructor(), before, left))
}

/// Whether a destructor of the task spawns when the task is dropped without a poll. One of a value that its first poll
/// makes is not found.
fn has_a_destructor() -> bool {
    let event_loop = Rc::new(HandedOut::default());
    let spawner = event_loop.clone();
    let Ok(task) = catch_unwind(AssertUnwindSafe(|| reproduce(spawner))) else { return false };
    let before = event_loop.calls_at_other_times.get();
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(task)));
    dropped.is_ok() && event_loop.calls_at_other_times.get() > before
}
