//! The check of exercise 2.3.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex02_3.rs"]
mod exercise;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use checker::{Verdict, messages};
use exercise::{Clock, Generator, Resumed, When, reproduce, run};

fn main() -> ExitCode {
    checker::run(
        "ex02_3",
        &[
            ("2.1", nobody_is_resumed_before_its_time),
            ("2.2", wake_in_the_order_of_their_deadlines),
            ("2.4", looks_before_each_resume),
            ("2.7", is_done_in_the_end),
        ],
    )
}

/// A run has at most so many looks, waits and resumes; past them it is ended from within.
const MOST: usize = 1_000_000;

const MICROSECOND: Duration = Duration::from_micros(1);
const MILLISECOND: Duration = Duration::from_millis(1);

struct EndOfRun;

#[derive(Clone, Copy, PartialEq)]
enum State {
    Ready,
    Sleeping { from: Duration, until: Duration },
    Complete,
}

/// One sleep that is over.
struct Wake {
    number: usize,
    asked: Duration,
    after: Duration,
    /// How often others were resumed between the deadline and this.
    others: usize,
}

/// What is seen of a run: its clock counts, its generators say where they are.
#[derive(Default)]
struct Seen {
    time: Cell<Duration>,
    looks: Cell<u64>,
    waits: Cell<usize>,
    /// When each resume began.
    resumes: RefCell<Vec<Duration>>,
    states: RefCell<Vec<State>>,
    wakes: RefCell<Vec<Wake>>,
    ended_from_within: Cell<bool>,
}

impl Seen {
    fn unfinished(&self) -> usize {
        self.states.borrow().iter().filter(|state| **state != State::Complete).count()
    }

    /// The first that was resumed too early, by so much at least.
    fn early(&self, at_least: Duration) -> Option<String> {
        let wakes = self.wakes.borrow();
        let early = wakes.iter().find(|wake| wake.after + at_least <= wake.asked)?;
        Some(messages::resumed_early(&format!("generator {}", early.number), early.asked, early.after))
    }

    fn end_if_too_many(&self) {
        if self.looks.get() as usize + self.waits.get() + self.resumes.borrow().len() > MOST {
            panic_any(EndOfRun);
        }
    }
}

struct Virtual(Rc<Seen>);

impl Clock for Virtual {
    fn now(&self) -> Duration {
        self.0.looks.set(self.0.looks.get() + 1);
        self.0.end_if_too_many();
        self.0.time.set(self.0.time.get() + MICROSECOND);
        self.0.time.get()
    }

    fn wait_until(&self, deadline: Duration) {
        self.0.waits.set(self.0.waits.get() + 1);
        self.0.end_if_too_many();
        self.0.time.set(self.0.time.get().max(deadline));
    }
}

/// Sees when the generator in it is resumed, and what it yields.
struct Watched {
    number: usize,
    inner: Box<dyn Generator>,
    seen: Rc<Seen>,
}

impl Generator for Watched {
    fn resume(&mut self, clock: &dyn Clock) -> Resumed {
        let seen = &self.seen;
        let (place, now) = (self.number - 1, seen.time.get());
        let state = seen.states.borrow()[place];
        if let State::Sleeping { from, until } = state {
            let others = seen.resumes.borrow().iter().filter(|time| **time >= until).count();
            let wake = Wake { number: self.number, asked: until - from, after: now - from, others };
            seen.wakes.borrow_mut().push(wake);
        }
        seen.resumes.borrow_mut().push(now);
        seen.end_if_too_many();
        let resumed = self.inner.resume(clock);
        let now = seen.time.get();
        seen.states.borrow_mut()[place] = match resumed {
            Resumed::Yielded(When::Now) => State::Ready,
            Resumed::Yielded(When::After(time)) => State::Sleeping { from: now, until: now.saturating_add(time) },
            Resumed::Complete => State::Complete,
        };
        resumed
    }
}

type Scheduler = fn(&dyn Clock, Vec<Box<dyn Generator>>);

fn watch(scheduler: Scheduler, generators: Vec<Box<dyn Generator>>) -> Rc<Seen> {
    let states = RefCell::new(vec![State::Ready; generators.len()]);
    let seen = Rc::new(Seen { states, ..Seen::default() });
    let watched = |(number, inner)| Box::new(Watched { number, inner, seen: seen.clone() }) as Box<dyn Generator>;
    let generators = (1..).zip(generators).map(watched).collect();
    match catch_unwind(AssertUnwindSafe(|| scheduler(&Virtual(seen.clone()), generators))) {
        Ok(()) => {}
        Err(payload) if payload.is::<EndOfRun>() => seen.ended_from_within.set(true),
        Err(payload) => resume_unwind(payload),
    }
    seen
}

/// The scheduler as it was handed out.
fn handed_out(clock: &dyn Clock, generators: Vec<Box<dyn Generator>>) {
    let mut ready: VecDeque<Box<dyn Generator>> = generators.into();
    let mut sleepers: Vec<(Duration, Box<dyn Generator>)> = Vec::new();
    while !ready.is_empty() || !sleepers.is_empty() {
        if ready.is_empty() {
            clock.wait_until(sleepers[0].0);
        }
        let now = clock.now();
        while sleepers.first().is_some_and(|(deadline, _)| *deadline <= now) {
            ready.push_back(sleepers.remove(0).1);
        }
        let Some(mut generator) = ready.pop_front() else { continue };
        match generator.resume(clock) {
            Resumed::Yielded(When::Now) => ready.push_back(generator),
            Resumed::Yielded(When::After(time)) => {
                let deadline = now.saturating_add(time);
                let place = sleepers.partition_point(|(other, _)| *other <= deadline);
                sleepers.insert(place, (deadline, generator));
            }
            Resumed::Complete => {}
        }
    }
}

/// In each resume it works for so many milliseconds, then yields; `None`: to go on now.
struct Plan(std::vec::IntoIter<(u64, Option<u64>)>);

impl Generator for Plan {
    fn resume(&mut self, clock: &dyn Clock) -> Resumed {
        let Some((work, sleep)) = self.0.next() else { return Resumed::Complete };
        if work > 0 {
            clock.wait_until(clock.now() + Duration::from_millis(work));
        }
        Resumed::Yielded(sleep.map_or(When::Now, |time| When::After(Duration::from_millis(time))))
    }
}

fn plan(steps: Vec<(u64, Option<u64>)>) -> Box<dyn Generator> {
    Box::new(Plan(steps.into_iter()))
}

fn nobody_is_resumed_before_its_time() -> Verdict {
    let generators = reproduce();
    let count = generators.len();
    let seen = watch(handed_out, generators);
    if seen.early(MILLISECOND).is_none() {
        return Err(messages::reproduces_nobody_early(count, seen.resumes.borrow().len()));
    }
    let works_and_sleeps =
        |n: u64| plan((0..3).map(|time| ((n + time) % 4 * 1000, Some(500 * (1 + (n * 7 + time) % 25)))).collect());
    for generators in [reproduce(), vec![plan(vec![(3000, Some(1000))])], (0..25).map(works_and_sleeps).collect()] {
        if let Some(early) = watch(run, generators).early(MICROSECOND) {
            return Err(early);
        }
    }
    Ok(())
}

/// While the last one works the deadlines of all others come: they are due at one look.
fn wake_in_the_order_of_their_deadlines() -> Verdict {
    let times: Vec<u64> = (0..25).map(|n| 100 * (1 + n * 7 % 25)).collect();
    let sleepers = times.iter().map(|time| plan(vec![(0, Some(*time))]));
    let seen = watch(run, sleepers.chain([plan(vec![(10_000, None)])]).collect());
    let seen: Vec<usize> = seen.wakes.borrow().iter().map(|wake| wake.number).collect();
    let mut expected: Vec<usize> = (1..=25).collect();
    expected.sort_by_key(|number| times[number - 1]);
    expected.truncate(seen.len());
    let what = "25 sleepers, and one who works until all of their deadlines have come: whom the scheduler resumed";
    messages::first_difference(what, &expected, &seen)
}

/// While 25 work in turn for a millisecond each, the first one sleeps twenty times.
fn looks_before_each_resume() -> Verdict {
    let sleeper = plan(vec![(0, Some(5)); 20]);
    let busy = (0..25).map(|_| plan(vec![(1, None); 40]));
    let seen = watch(run, [sleeper].into_iter().chain(busy).collect());
    let most = seen.wakes.borrow().iter().map(|wake| wake.others).max().unwrap_or(0);
    if most > 25 { Err(messages::resumed_late(25, most)) } else { Ok(()) }
}

fn is_done_in_the_end() -> Verdict {
    let mixed = || (0..25).map(|n| plan(vec![(n % 3, Some(1 + n * 7 % 25)), (0, None)]));
    for generators in [vec![], vec![plan(vec![])], vec![plan(vec![(0, Some(5))])], mixed().collect()] {
        let seen = watch(run, generators);
        let left = seen.unfinished();
        if seen.ended_from_within.get() {
            return Err(messages::run_did_not_return(left, seen.looks.get(), seen.waits.get()));
        }
        if left > 0 {
            return Err(messages::returned_too_soon(left));
        }
    }
    Ok(())
}
