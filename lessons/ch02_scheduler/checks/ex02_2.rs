//! The check of exercise 2.2.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex02_2.rs"]
mod exercise;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use checker::{Verdict, messages};
use exercise::{Clock, Generator, Resumed, When, run};

fn main() -> ExitCode {
    checker::run(
        "ex02_2",
        &[
            ("2.1", nobody_is_resumed_before_its_time),
            ("2.5", waits_once_for_the_earliest),
            ("2.7", is_done_in_the_end),
        ],
    )
}

/// A run has at most so many looks and waits; past them it is ended from within.
const MOST_LOOKS: u64 = 10_000_000;
const MOST_WAITS: usize = 100_000;
/// The same when all are complete.
const MOST_AFTER_THE_END: u64 = 1_000;

const MICROSECOND: Duration = Duration::from_micros(1);
const MILLISECOND: Duration = Duration::from_millis(1);

struct EndOfRun;

#[derive(Clone, Copy, PartialEq)]
enum State {
    Ready,
    Sleeping { from: Duration, until: Duration },
    Complete,
}

/// What is seen of a run: its clock counts, its generators say where they are.
#[derive(Default)]
struct Seen {
    time: Cell<Duration>,
    /// Whether a wait comes back half way.
    is_early: bool,
    states: RefCell<Vec<State>>,
    looks: Cell<u64>,
    waits: Cell<usize>,
    resumes: Cell<u64>,
    sleeps: Cell<usize>,
    /// Looks and waits when all were complete.
    after_the_end: Cell<u64>,
    waits_for_nobody: Cell<usize>,
    ended_from_within: Cell<bool>,
    /// The first resume too early.
    early: RefCell<Option<String>>,
    /// The first wait that was not needed, or not for this time.
    bad_wait: RefCell<Option<String>>,
}

impl Seen {
    fn unfinished(&self) -> usize {
        self.states.borrow().iter().filter(|state| **state != State::Complete).count()
    }

    fn count_after_the_end(&self) {
        self.after_the_end.set(self.after_the_end.get() + 1);
        if self.after_the_end.get() > MOST_AFTER_THE_END {
            panic_any(EndOfRun);
        }
    }

    fn bad_wait(&self, until: Duration) -> Option<String> {
        let states = self.states.borrow();
        let ready = states.iter().filter(|state| **state == State::Ready).count();
        if ready > 0 {
            return Some(messages::waited_although_ready(ready, until));
        }
        let deadlines = states.iter().filter_map(|state| match state {
            State::Sleeping { until, .. } => Some(*until),
            _ => None,
        });
        // The scheduler's own deadline is later by what its looks take.
        let earliest = deadlines.min().filter(|earliest| until < *earliest || until > *earliest + MILLISECOND)?;
        Some(messages::waited_for_another_time(until, earliest))
    }
}

struct Virtual(Rc<Seen>);

impl Clock for Virtual {
    fn now(&self) -> Duration {
        let seen = &self.0;
        seen.time.set(seen.time.get() + MICROSECOND);
        if seen.unfinished() == 0 {
            seen.count_after_the_end();
        } else {
            seen.looks.set(seen.looks.get() + 1);
        }
        if seen.looks.get() > MOST_LOOKS {
            panic_any(EndOfRun);
        }
        seen.time.get()
    }

    fn wait_until(&self, deadline: Duration) {
        let seen = &self.0;
        if seen.unfinished() == 0 {
            seen.waits_for_nobody.set(seen.waits_for_nobody.get() + 1);
            seen.count_after_the_end();
        } else {
            seen.waits.set(seen.waits.get() + 1);
            let bad_wait = seen.bad_wait(deadline);
            let mut first = seen.bad_wait.borrow_mut();
            *first = first.take().or(bad_wait);
        }
        if seen.waits.get() > MOST_WAITS {
            panic_any(EndOfRun);
        }
        let left = deadline.saturating_sub(seen.time.get());
        let time = if seen.is_early && left > MILLISECOND { left / 2 } else { left };
        seen.time.set(seen.time.get() + time);
    }
}

/// Yields what is in its plan, then completes.
struct Spy {
    number: usize,
    plan: std::vec::IntoIter<When>,
    seen: Rc<Seen>,
}

impl Generator for Spy {
    fn resume(&mut self) -> Resumed {
        let seen = &self.seen;
        seen.resumes.set(seen.resumes.get() + 1);
        let now = seen.time.get();
        let mut states = seen.states.borrow_mut();
        if let State::Sleeping { from, until } = states[self.number - 1] {
            if now < until {
                let who = format!("generator {}", self.number);
                seen.early.borrow_mut().get_or_insert(messages::resumed_early(&who, until - from, now - from));
            }
        }
        let next = self.plan.next();
        states[self.number - 1] = match next {
            Some(When::Now) => State::Ready,
            Some(When::After(time)) => {
                seen.sleeps.set(seen.sleeps.get() + 1);
                State::Sleeping { from: now, until: now + time }
            }
            None => State::Complete,
        };
        next.map_or(Resumed::Complete, Resumed::Yielded)
    }
}

fn watch(plans: Vec<Vec<When>>, is_early: bool) -> Rc<Seen> {
    let states = RefCell::new(vec![State::Ready; plans.len()]);
    let seen = Rc::new(Seen { is_early, states, ..Seen::default() });
    let spy = |(number, plan): (usize, Vec<When>)| {
        Box::new(Spy { number, plan: plan.into_iter(), seen: seen.clone() }) as Box<dyn Generator>
    };
    let generators = (1..).zip(plans).map(spy).collect();
    let outcome = catch_unwind(AssertUnwindSafe(|| run(&Virtual(seen.clone()), generators)));
    match outcome {
        Ok(()) => {}
        Err(payload) if payload.is::<EndOfRun>() => seen.ended_from_within.set(true),
        Err(payload) => resume_unwind(payload),
    }
    seen
}

fn after(milliseconds: usize) -> When {
    When::After(Duration::from_millis(milliseconds as u64))
}

/// 25 that sleep for so many milliseconds times a number of their own, some of them twice, some with pauses.
fn many(milliseconds: usize) -> Vec<Vec<When>> {
    let plan = |n: usize| {
        let pauses = (0..n % 4).map(|_| When::Now);
        let sleeps = [1 + n * 7 % 25, 1 + n * 11 % 25].into_iter().take(1 + n % 2);
        pauses.chain(sleeps.map(|times| after(times * milliseconds))).collect()
    };
    (0..25).map(plan).collect()
}

fn nobody_is_resumed_before_its_time() -> Verdict {
    for is_early in [false, true] {
        if let Some(early) = watch(many(2), is_early).early.take() {
            return Err(early);
        }
    }
    Ok(())
}

fn waits_once_for_the_earliest() -> Verdict {
    let three = || [1000, 2000, 4000].map(|time| vec![after(time)]).into();
    let busy = || vec![vec![after(1000)], (0..25).map(|_| When::Now).collect()];
    let cases = [
        ("three sleeps, of 1, 2 and 4 seconds", three()),
        ("a sleep of 1 second, and one that pauses 25 times", busy()),
        ("25 generators that sleep and pause", many(100)),
    ];
    for (who, plans) in cases {
        let seen = watch(plans, false);
        if let Some(bad_wait) = seen.bad_wait.take() {
            return Err(bad_wait);
        }
        let (looks, waits, sleeps) = (seen.looks.get(), seen.waits.get(), seen.sleeps.get());
        if looks > 10 * (seen.resumes.get() + waits as u64) {
            return Err(messages::looked_in_vain(who, looks, waits));
        }
        if waits > sleeps {
            return Err(messages::waited_so_often(sleeps, waits));
        }
    }
    Ok(())
}

fn is_done_in_the_end() -> Verdict {
    let cases = [
        vec![],
        vec![vec![], vec![]],
        vec![vec![When::Now, When::Now], vec![]],
        vec![vec![after(5)]],
        vec![vec![after(5)], vec![], vec![When::Now, after(20), When::Now]],
    ];
    for is_early in [false, true] {
        for plans in cases.iter().map(|plans| plans.iter().map(|plan| copy(plan)).collect()).chain([many(2)]) {
            let seen = watch(plans, is_early);
            let left = seen.unfinished();
            if seen.waits_for_nobody.get() > 0 {
                return Err(messages::waited_for_nobody(seen.waits_for_nobody.get()));
            }
            if seen.ended_from_within.get() {
                return Err(messages::run_did_not_return(
                    left,
                    seen.looks.get() + seen.after_the_end.get(),
                    seen.waits.get(),
                ));
            }
            if left > 0 {
                return Err(messages::returned_too_soon(left));
            }
        }
    }
    Ok(())
}

fn copy(plan: &[When]) -> Vec<When> {
    plan.iter().map(|when| if let When::After(time) = when { When::After(*time) } else { When::Now }).collect()
}
