//! The check of exercise 9.2.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex09_2.rs"]
mod exercise;

use std::cell::RefCell;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::task::{Context, Poll};

use checker::{Verdict, messages};
use event_loop::{End, Outcome};
use exercise::{Work, gather_settled};

fn main() -> ExitCode {
    checker::run(
        "ex09_2",
        &[
            ("9.2", all_run_side_by_side),
            ("9.5", waits_for_all_and_hides_nothing),
            ("9.1", each_outcome_has_its_place),
            ("9.6", nothing_is_ready_at_once),
        ],
    )
}

/// An event loop with a clock of its own: while nobody is ready, the time of the earliest timer comes.
mod event_loop {
    use std::any::Any;
    use std::cell::{Cell, RefCell};
    use std::collections::{BTreeMap, VecDeque};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::pin::Pin;
    use std::rc::Rc;
    use std::sync::{Arc, Mutex};
    use std::task::{Context, Poll, Wake, Waker};

    use crate::checker::endless;

    /// How a task ended: with its result, or with a panic.
    pub type Outcome<T> = std::thread::Result<T>;

    /// No run of a check has so many polls of one task without an event; past it the run is ended from within.
    pub const TOO_MANY: usize = 10_000;

    struct Ticket {
        number: usize,
        is_ready: Mutex<bool>,
    }

    static READY: Mutex<VecDeque<Arc<Ticket>>> = Mutex::new(VecDeque::new());

    impl Wake for Ticket {
        fn wake(self: Arc<Self>) {
            let was_ready = std::mem::replace(&mut *self.is_ready.lock().unwrap(), true);
            if !was_ready {
                READY.lock().unwrap().push_back(self);
            }
        }
    }

    type Running = Pin<Box<dyn Future<Output = ()>>>;

    thread_local! {
        static TASKS: RefCell<BTreeMap<usize, Running>> = const { RefCell::new(BTreeMap::new()) };
        static SPAWNED: Cell<usize> = const { Cell::new(0) };
        static NOW: Cell<u64> = const { Cell::new(0) };
        /// By the second, and by who waits for it.
        static TIMERS: RefCell<BTreeMap<(u64, usize), Waker>> = const { RefCell::new(BTreeMap::new()) };
        /// Polls of tasks and of handles since the clock moved last.
        static POLLS: Cell<usize> = const { Cell::new(0) };
    }

    struct Slot<T> {
        outcome: RefCell<Option<Outcome<T>>>,
        waiter: RefCell<Option<Waker>>,
    }

    /// The handle of a task.
    #[must_use = "a handle is a future of how its task ends"]
    pub struct Task<T>(Rc<Slot<T>>);

    impl<T> Future for Task<T> {
        type Output = Outcome<T>;

        fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome<T>> {
            count_poll();
            let outcome = self.0.outcome.take();
            if let Some(outcome) = outcome {
                return Poll::Ready(outcome);
            }
            let old = self.0.waiter.replace(Some(context.waker().clone()));
            drop(old);
            Poll::Pending
        }
    }

    fn count_poll() {
        POLLS.with(|polls| endless::count(polls, TOO_MANY));
    }

    /// Makes a task of a future. It runs from the next turn on, whether somebody awaits its handle or not.
    pub fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Task<T> {
        let slot = Rc::new(Slot { outcome: RefCell::new(None), waiter: RefCell::new(None) });
        let (task, mut future) = (Task(slot.clone()), Box::pin(future));
        start(Box::pin(async move {
            let outcome = std::future::poll_fn(|context| {
                match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
                    Ok(poll) => poll.map(Ok),
                    Err(panic) => Poll::Ready(Err(panic)),
                }
            });
            let outcome = outcome.await;
            drop(future);
            slot.outcome.replace(Some(outcome));
            let waiter = slot.waiter.take();
            if let Some(waiter) = waiter {
                waiter.wake();
            }
        }));
        task
    }

    fn start(future: Running) {
        let number = SPAWNED.get();
        SPAWNED.set(number + 1);
        TASKS.with_borrow_mut(|tasks| tasks.insert(number, future));
        Arc::new(Ticket { number, is_ready: Mutex::new(false) }).wake();
    }

    pub fn now() -> u64 {
        NOW.get()
    }

    /// Wakes when that second has come. Who asks again gets no second timer.
    pub fn wake_at(second: u64, who: usize, waker: Waker) {
        let old = TIMERS.with_borrow_mut(|timers| timers.insert((second, who), waker));
        drop(old);
    }

    /// How many tasks were made, with the main tasks of all runs.
    pub fn spawned() -> usize {
        SPAWNED.get()
    }

    /// How the main task ended.
    pub enum End<T> {
        Ready(T),
        /// Nobody is ready, no timer is left, and it was pending.
        Stalled,
        /// Tasks and handles were polled without end while the clock stood still.
        Endless,
        Panicked(Box<dyn Any + Send>),
    }

    /// Runs a future as the main task, until it ends.
    pub fn run<T: 'static, F: Future<Output = T> + 'static>(make: impl FnOnce() -> F + 'static) -> End<T> {
        READY.lock().unwrap().clear();
        drop((TASKS.take(), TIMERS.take()));
        NOW.set(0);
        POLLS.set(0);
        let end = Rc::new(RefCell::new(None));
        let told = end.clone();
        // Made within its first poll, so that what a function does before its future is polled is part of the run.
        let main = async move { make().await };
        let mut main = Box::pin(main);
        start(Box::pin(std::future::poll_fn(move |context| {
            let over = match catch_unwind(AssertUnwindSafe(|| main.as_mut().poll(context))) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(result)) => End::Ready(result),
                Err(payload) => End::Panicked(payload),
            };
            told.replace(Some(over));
            Poll::Ready(())
        })));
        loop {
            let next = READY.lock().unwrap().pop_front();
            if let Some(ticket) = next {
                poll(ticket);
            } else if let Some(((second, _), waker)) = TIMERS.with_borrow_mut(BTreeMap::pop_first) {
                POLLS.set(0);
                NOW.set(second);
                waker.wake();
            } else {
                end.borrow_mut().get_or_insert(End::Stalled);
            }
            // Whoever caught that panic.
            if POLLS.get() > TOO_MANY {
                return End::Endless;
            }
            if let Some(end) = end.take() {
                return end;
            }
        }
    }

    fn poll(ticket: Arc<Ticket>) {
        *ticket.is_ready.lock().unwrap() = false;
        POLLS.set(POLLS.get() + 1);
        let task = TASKS.with_borrow_mut(|tasks| tasks.remove(&ticket.number));
        let Some(mut task) = task else { return };
        let number = ticket.number;
        let waker = Waker::from(ticket);
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            TASKS.with_borrow_mut(|tasks| tasks.insert(number, task));
        }
    }
}

/// What the works have seen, each by its number less one.
struct Log {
    /// The second of the first poll.
    began: RefCell<Vec<Option<u64>>>,
    over: RefCell<Vec<bool>>,
}

/// Sleeps so many seconds, and ends with its result or with a panic. Polled after its end it is pending.
struct Piece {
    number: u32,
    plan: Plan,
    deadline: Option<u64>,
    log: Rc<Log>,
}

#[derive(Clone, Copy)]
struct Plan {
    seconds: u64,
    panics: bool,
}

impl Future for Piece {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        let now = event_loop::now();
        let deadline = self.deadline.unwrap_or(now + self.plan.seconds);
        self.deadline = Some(deadline);
        let place = self.number as usize - 1;
        self.log.began.borrow_mut()[place].get_or_insert(now);
        if self.log.over.borrow()[place] {
            return Poll::Pending;
        }
        if now < deadline {
            event_loop::wake_at(deadline, place, context.waker().clone());
            return Poll::Pending;
        }
        self.log.over.borrow_mut()[place] = true;
        if self.plan.panics {
            // Past the hook, which keeps the panics of the exercise.
            resume_unwind(Box::new(panic_of(self.number)));
        }
        Poll::Ready(result_of(self.number))
    }
}

/// Unlike the order of the tasks, so that to sort the results does not bring them into their places.
fn result_of(number: u32) -> u32 {
    100 + number * 7 % 31
}

fn panic_of(number: u32) -> String {
    format!("task {number} panicked")
}

struct Run {
    log: Rc<Log>,
    end: End<Vec<Outcome<u32>>>,
    spawned: usize,
}

fn run(plans: &[Plan]) -> Run {
    let (began, over) = (RefCell::new(vec![None; plans.len()]), RefCell::new(vec![false; plans.len()]));
    let log = Rc::new(Log { began, over });
    let piece = |(number, plan): (u32, &Plan)| -> Work {
        Box::pin(Piece { number, plan: *plan, deadline: None, log: log.clone() })
    };
    let works: Vec<Work> = (1..).zip(plans).map(piece).collect();
    checker::calls("`gather_settled`");
    let before = event_loop::spawned();
    let end = event_loop::run(|| gather_settled(works));
    // One is the main task.
    Run { log, end, spawned: event_loop::spawned() - before - 1 }
}

const TASKS: usize = 25;

/// Each second from 1 to 25 once, in another order than that of the tasks.
fn mixed(place: usize) -> u64 {
    1 + (place as u64 * 7 + 3) % TASKS as u64
}

fn plans(seconds: impl Fn(usize) -> u64, panics: impl Fn(usize) -> bool) -> Vec<Plan> {
    (0..TASKS).map(|place| Plan { seconds: seconds(place), panics: panics(place) }).collect()
}

/// Runs in which no task panics.
fn peaceful() -> Vec<Vec<Plan>> {
    let none = |_| false;
    let mut all = vec![
        plans(mixed, none),
        plans(|place| 1 + place as u64, none),
        plans(|place| 25 - place as u64, none),
        plans(|_| 2, none),
        plans(|_| 0, none),
    ];
    all.push(vec![Plan { seconds: 3, panics: false }]);
    all
}

/// A piece of work counts its seconds from its first poll, so it is enough to look when each began.
fn all_run_side_by_side() -> Verdict {
    for plans in peaceful() {
        let run = run(&plans);
        match run.end {
            End::Ready(_) => {}
            End::Panicked(payload) => resume_unwind(payload),
            End::Endless => return Err(messages::gathers_without_end(event_loop::TOO_MANY)),
            End::Stalled => {
                let over = run.log.over.borrow().iter().filter(|is_over| **is_over).count();
                return Err(messages::gather_stalled(plans.len(), over));
            }
        }
        let began = run.log.began.borrow();
        if let Some((place, Some(second))) =
            began.iter().copied().enumerate().find(|(_, second)| second.is_some_and(|second| second > 0))
        {
            let message = if run.spawned == 0 { messages::nothing_was_spawned } else { messages::task_began_late };
            return Err(message(place + 1, plans.len(), second));
        }
    }
    Ok(())
}

/// First, last, one in the middle, several, all; the first to end and the last, and while others run.
fn stormy() -> Vec<Vec<Plan>> {
    let mut all = peaceful();
    for panicking in [0, 24, 12, 3, 14] {
        all.push(plans(mixed, |place| place == panicking));
        all.push(plans(|_| 2, |place| place == panicking));
    }
    all.push(plans(mixed, |place| place % 3 == 0));
    all.push(plans(|place| 25 - place as u64, |place| place % 2 == 0));
    all.push(plans(mixed, |_| true));
    all.push(vec![Plan { seconds: 1, panics: true }]);
    all
}

/// Its result, or the text of its panic; `None`: a panic that is no task's.
fn tag(outcome: &Outcome<u32>) -> Option<Result<u32, String>> {
    match outcome {
        Ok(result) => Some(Ok(*result)),
        Err(panic) => panic.downcast_ref::<String>().cloned().map(Err),
    }
}

fn tags(plans: &[Plan]) -> Vec<Option<Result<u32, String>>> {
    let tag =
        |(number, plan): (u32, &Plan)| Some(if plan.panics { Err(panic_of(number)) } else { Ok(result_of(number)) });
    (1..).zip(plans).map(tag).collect()
}

/// Whether each task's outcome is there once, in whatever place.
fn complete(plans: &[Plan], log: &Log, outcomes: &[Outcome<u32>]) -> Verdict {
    let mut left: Vec<_> = outcomes.iter().map(tag).collect();
    for (place, expected) in tags(plans).into_iter().enumerate() {
        match left.iter().position(|seen| *seen == expected) {
            Some(at) => drop(left.swap_remove(at)),
            None => {
                let panicked = plans.iter().filter(|plan| plan.panics).count();
                let who = messages::of_tasks(plans.len(), panicked, outcomes.len());
                return Err(match (log.over.borrow()[place], plans[place].panics) {
                    (false, _) => messages::outcome_not_awaited(&who, place + 1),
                    (true, panics) => messages::outcome_missing(&who, place + 1, panics),
                });
            }
        }
    }
    if left.is_empty() { Ok(()) } else { Err(messages::outcomes_too_many(plans.len(), outcomes.len())) }
}

fn waits_for_all_and_hides_nothing() -> Verdict {
    for plans in stormy() {
        let run = run(&plans);
        match run.end {
            End::Ready(outcomes) => complete(&plans, &run.log, &outcomes)?,
            End::Panicked(payload) => match payload.downcast::<String>() {
                Ok(text) if (1..).take(plans.len()).any(|number| *text == panic_of(number)) => {
                    // Where each future is awaited before the next is begun it is rule 9.2's.
                    if run.spawned == 0 && all_run_side_by_side().is_err() {
                        return Ok(());
                    }
                    let message =
                        if run.spawned == 0 { messages::panic_without_a_task } else { messages::panic_went_on };
                    return Err(message(plans.len(), &text));
                }
                Ok(payload) => resume_unwind(payload),
                Err(payload) => resume_unwind(payload),
            },
            // Whether it ends where no task panics is rule 9.2's.
            _ if all_ready(&peaceful()) => return Err(messages::ends_only_without_panics(plans.len())),
            _ => {}
        }
    }
    Ok(())
}

fn all_ready(all: &[Vec<Plan>]) -> bool {
    all.iter().all(|plans| matches!(run(plans).end, End::Ready(_)))
}

fn each_outcome_has_its_place() -> Verdict {
    for plans in stormy() {
        let Run { log, end: End::Ready(outcomes), .. } = run(&plans) else { continue };
        // What is missing is rule 9.5's.
        if complete(&plans, &log, &outcomes).is_ok() {
            let seen: Vec<_> = outcomes.iter().filter_map(tag).collect();
            let expected: Vec<_> = tags(&plans).into_iter().flatten().collect();
            messages::first_difference("the outcomes, in the order of the futures", &expected, &seen)?;
        }
    }
    Ok(())
}

fn nothing_is_ready_at_once() -> Verdict {
    match run(&[]).end {
        End::Ready(outcomes) if outcomes.is_empty() => Ok(()),
        End::Ready(outcomes) => Err(messages::nothing_gave_something(outcomes.len())),
        End::Panicked(payload) => resume_unwind(payload),
        _ => Err(messages::nothing_was_pending()),
    }
}
