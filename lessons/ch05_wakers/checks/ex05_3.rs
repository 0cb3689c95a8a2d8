//! The check of exercise 5.3.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex05_3.rs"]
mod exercise;

use std::cell::Cell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use checker::{Verdict, messages};
use exercise::{Thread, block_on, reproduce};

fn main() -> ExitCode {
    checker::run("ex05_3", &[("5.5", a_wake_during_a_poll_is_kept), ("5.6", a_call_is_kept_and_looked_for)])
}

/// No run of a check has so many polls or parks; past it the run is ended from within.
const TOO_MANY: usize = 10_000;

/// How a run ended that did not end in a result.
#[derive(Clone, Copy, PartialEq)]
enum End {
    SleepsForEver,
    TooMany,
}

/// What comes while the thread sleeps.
#[derive(Clone, Copy)]
enum Event {
    /// Somebody calls the waker, so many times.
    Call(usize),
    /// `park` returns, and nobody has called.
    Nothing,
}

/// A thread that does not really sleep: while it does, what comes next happens, and when nothing comes any more, it
/// would sleep for ever.
#[derive(Default)]
struct Model {
    has_token: AtomicBool,
    events: Mutex<Vec<Event>>,
    waker: Mutex<Option<Waker>>,
    parks: Mutex<usize>,
    /// Whether an event has called since the future looked last.
    was_called: AtomicBool,
}

impl Model {
    /// Events in the order in which they come.
    fn new(events: &[Event]) -> Arc<Self> {
        Arc::new(Model { events: Mutex::new(events.iter().rev().copied().collect()), ..Model::default() })
    }
}

impl Thread for Model {
    fn park(&self) {
        let mut parks = self.parks.lock().unwrap();
        *parks += 1;
        if *parks > TOO_MANY {
            drop(parks);
            panic_any(End::TooMany);
        }
        drop(parks);
        while !self.has_token.swap(false, Ordering::SeqCst) {
            let next = self.events.lock().unwrap().pop();
            match next {
                None => panic_any(End::SleepsForEver),
                Some(Event::Nothing) => return,
                Some(Event::Call(times)) => {
                    let waker = self.waker.lock().unwrap().clone();
                    self.was_called.store(true, Ordering::SeqCst);
                    (0..times).for_each(|_| waker.iter().for_each(Waker::wake_by_ref));
                }
            }
        }
    }

    fn unpark(&self) {
        self.has_token.store(true, Ordering::SeqCst);
    }
}

/// What happens in each poll but the last.
#[derive(Clone, Copy, PartialEq)]
enum During {
    /// The waker is kept, and called by an event.
    Nothing,
    /// The waker is called so many times.
    Calls(usize),
    /// The waker is called, and then other code in the poll parks for a reason of its own.
    CallAndPark,
}

/// A future that is pending so many times, and each time until its waker is called; how often it was polled.
fn pauses(model: &Arc<Model>, during: Vec<During>) -> (impl Future<Output = ()>, Rc<Cell<usize>>) {
    let (model, polls) = (model.clone(), Rc::new(Cell::new(0)));
    let (counted, mut place) = (polls.clone(), 0);
    let future = poll_fn(move |context| {
        // A token left over would make `park` return without a reason: that is for rule 5.6 to arrange.
        model.has_token.store(false, Ordering::SeqCst);
        counted.set(counted.get() + 1);
        if counted.get() > TOO_MANY {
            panic_any(End::TooMany);
        }
        if place > 0 && during[place - 1] == During::Nothing && !model.was_called.swap(false, Ordering::SeqCst) {
            return Poll::Pending;
        }
        let Some(now) = during.get(place) else { return Poll::Ready(()) };
        place += 1;
        *model.waker.lock().unwrap() = Some(context.waker().clone());
        match now {
            During::Nothing => {}
            During::Calls(times) => (0..*times).for_each(|_| context.waker().wake_by_ref()),
            During::CallAndPark => {
                context.waker().wake_by_ref();
                model.park();
            }
        }
        Poll::Pending
    });
    (future, polls)
}

/// Whether the run ended with a result.
fn run(code: impl FnOnce()) -> Result<(), End> {
    catch_unwind(AssertUnwindSafe(code)).map_err(|payload| match payload.downcast::<End>() {
        Ok(end) => *end,
        Err(payload) => resume_unwind(payload),
    })
}

fn a_wake_during_a_poll_is_kept() -> Verdict {
    reproduction()?;
    no_wake_is_lost()
}

/// Calls in the polls, between them, once and several times; never a `park` that returns without a call.
fn no_wake_is_lost() -> Verdict {
    let mixed: Vec<During> =
        (0..24).map(|place| if place % 3 == 0 { During::Nothing } else { During::Calls(place % 3) }).collect();
    for during in [vec![During::Calls(1); 24], vec![During::Calls(3); 24], vec![During::Nothing; 24], mixed] {
        let from_outside = during.iter().filter(|during| **during == During::Nothing).count();
        let events: Vec<Event> = (0..from_outside).map(|place| Event::Call(1 + place % 3)).collect();
        let model = Model::new(&events);
        let (future, polls) = pauses(&model, during);
        match run(|| block_on(model.clone(), future)) {
            Err(End::SleepsForEver) => return Err(messages::sleeps_for_ever(polls.get())),
            _ if polls.get() != 25 => return Err(messages::polled_so_often(25, polls.get())),
            _ => {}
        }
    }
    Ok(())
}

fn a_call_is_kept_and_looked_for() -> Verdict {
    let model = Model::new(&[Event::Nothing, Event::Nothing, Event::Call(1)].repeat(24));
    let (future, polls) = pauses(&model, vec![During::Nothing; 24]);
    // A run that was ended from within polls without sleeping: rule 5.5.
    if run(|| block_on(model.clone(), future)).is_ok() && polls.get() != 25 {
        return Err(messages::did_not_look(25, polls.get()));
    }
    // Whether a wake during a poll is kept at all is rule 5.5's.
    if no_wake_is_lost().is_err() {
        return Ok(());
    }
    let model = Model::new(&[]);
    let (future, polls) = pauses(&model, vec![During::CallAndPark; 24]);
    match run(|| block_on(model.clone(), future)) {
        Err(End::SleepsForEver) => Err(messages::token_was_taken(polls.get())),
        _ => Ok(()),
    }
}

/// The student's future, on the `block_on` that was handed out and on one without the defect.
fn reproduction() -> Verdict {
    let repaired = Model::new(&[]);
    if run(|| resets(&repaired, true, reproduce())).is_err() {
        return Err(messages::reproduces_without_the_defect().to_owned());
    }
    let given = Model::new(&[]);
    match run(|| resets(&given, false, reproduce())) {
        Err(End::SleepsForEver) => Ok(()),
        _ => Err(messages::reproduces_no_lost_wake().to_owned()),
    }
}

struct Signal {
    is_called: AtomicBool,
    thread: Arc<Model>,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.is_called.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// The `block_on` that was handed out, or the same with the flag reset before the poll.
fn resets(thread: &Arc<Model>, before: bool, mut future: Pin<Box<dyn Future<Output = ()>>>) {
    let signal = Arc::new(Signal { is_called: AtomicBool::new(false), thread: thread.clone() });
    let waker = Waker::from(signal.clone());
    for _ in 0..TOO_MANY {
        if before {
            signal.is_called.store(false, Ordering::SeqCst);
        }
        let mut pinned = pin!(&mut future);
        if pinned.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            return;
        }
        if !before {
            signal.is_called.store(false, Ordering::SeqCst);
        }
        while !signal.is_called.load(Ordering::SeqCst) {
            thread.park();
        }
    }
    panic_any(End::TooMany);
}
