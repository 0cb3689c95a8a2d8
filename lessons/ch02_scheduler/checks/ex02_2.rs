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
            ("2.2", wake_in_the_order_of_their_deadlines),
            ("2.3", those_who_are_due_are_ready),
            ("2.4", looks_before_each_resume),
            ("2.7", is_done_in_the_end),
        ],
    )
}

/// A run has at most so many looks and waits; past them it is ended from within.
const MOST_LOOKS: u64 = 10_000_000;
const MOST_WAITS: usize = 100_000;
/// On a clock on which a look takes no time, whoever spins sees the same time for ever.
const MOST_LOOKS_AT_NO_COST: u64 = 100_000;
/// So many waits in a row for a deadline that has come, and no resume between them.
const MOST_IN_VAIN: usize = 1_000;
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

#[derive(Clone, Copy, Default, PartialEq)]
enum Kind {
    /// A look takes a microsecond, and a wait lasts until the deadline.
    #[default]
    Exact,
    /// A wait comes back half way.
    Early,
    /// A look takes no time.
    Still,
}

/// What is seen of a run: its clock counts, its generators say where they are.
#[derive(Default)]
struct Seen {
    time: Cell<Duration>,
    clock: Kind,
    /// The first resume of this generator takes 10 seconds.
    worker: Option<usize>,
    states: RefCell<Vec<State>>,
    looks: Cell<u64>,
    waits: Cell<usize>,
    /// Whom `run` resumed, in order.
    resumes: RefCell<Vec<usize>>,
    /// When the worker began.
    work_began: Cell<Duration>,
    waits_in_vain: Cell<usize>,
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
        let looks = if self.clock == Kind::Still { Duration::ZERO } else { MILLISECOND };
        let earliest = deadlines.min().filter(|earliest| until < *earliest || until > *earliest + looks)?;
        Some(messages::waited_for_another_time(until, earliest))
    }
}

struct Virtual(Rc<Seen>);

impl Clock for Virtual {
    fn now(&self) -> Duration {
        let seen = &self.0;
        let is_still = seen.clock == Kind::Still;
        seen.time.set(seen.time.get() + if is_still { Duration::ZERO } else { MICROSECOND });
        if seen.unfinished() == 0 {
            seen.count_after_the_end();
        } else {
            seen.looks.set(seen.looks.get() + 1);
        }
        if seen.looks.get() > if is_still { MOST_LOOKS_AT_NO_COST } else { MOST_LOOKS } {
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
        let left = deadline.saturating_sub(seen.time.get());
        seen.waits_in_vain.set(if left.is_zero() { seen.waits_in_vain.get() + 1 } else { 0 });
        if seen.waits.get() > MOST_WAITS || seen.waits_in_vain.get() > MOST_IN_VAIN {
            panic_any(EndOfRun);
        }
        let time = if seen.clock == Kind::Early && left > MILLISECOND { left / 2 } else { left };
        seen.time.set(seen.time.get() + time);
    }
}

/// Yields what is in its plan, then completes.
struct Spy {
    number: usize,
    is_new: bool,
    plan: std::vec::IntoIter<When>,
    seen: Rc<Seen>,
}

impl Generator for Spy {
    fn resume(&mut self) -> Resumed {
        let seen = &self.seen;
        seen.resumes.borrow_mut().push(self.number);
        seen.waits_in_vain.set(0);
        let mut now = seen.time.get();
        let mut states = seen.states.borrow_mut();
        if let State::Sleeping { from, until } = states[self.number - 1] {
            if now < until {
                let who = format!("generator {}", self.number);
                let early = if seen.clock == Kind::Early {
                    messages::resumed_early_after_a_short_wait(&who, until - from, now - from)
                } else {
                    messages::resumed_early(&who, until - from, now - from)
                };
                seen.early.borrow_mut().get_or_insert(early);
            }
        }
        if seen.worker == Some(self.number) && self.is_new {
            seen.work_began.set(now);
            now += Duration::from_secs(10);
            seen.time.set(now);
        }
        self.is_new = false;
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

fn watch(plans: Vec<Vec<When>>, clock: Kind) -> Rc<Seen> {
    watch_with(plans, clock, None)
}

fn watch_with(plans: Vec<Vec<When>>, clock: Kind, worker: Option<usize>) -> Rc<Seen> {
    let states = RefCell::new(vec![State::Ready; plans.len()]);
    let seen = Rc::new(Seen { clock, worker, states, ..Seen::default() });
    let spy = |(number, plan): (usize, Vec<When>)| {
        Box::new(Spy { number, is_new: true, plan: plan.into_iter(), seen: seen.clone() }) as Box<dyn Generator>
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
    for clock in [Kind::Exact, Kind::Early] {
        if let Some(early) = watch(many(2), clock).early.take() {
            return Err(early);
        }
    }
    let works_before_its_sleep = watch_with(vec![vec![after(1000)]], Kind::Exact, Some(1));
    works_before_its_sleep.early.take().map_or(Ok(()), Err)
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
        let seen = watch(plans, Kind::Exact);
        if let Some(bad_wait) = seen.bad_wait.take() {
            return Err(bad_wait);
        }
        let (looks, waits, sleeps) = (seen.looks.get(), seen.waits.get(), seen.sleeps.get());
        if looks > 10 * (seen.resumes.borrow().len() + waits) as u64 {
            return Err(messages::looked_in_vain(who, looks, waits));
        }
        if waits > sleeps {
            return Err(messages::waited_so_often(sleeps, waits));
        }
    }
    watch(many(100), Kind::Still).bad_wait.take().map_or(Ok(()), Err)
}

/// 25 sleepers, then one who works until all of their deadlines have come, then 20 who pause three times.
const SLEEPERS: usize = 25;
const WORKER: usize = 26;
const BUSY: usize = 20;

fn crowd(milliseconds: impl Fn(usize) -> usize) -> Rc<Seen> {
    let sleepers = (0..SLEEPERS).map(|n| vec![after(milliseconds(n))]);
    let others = (0..1 + BUSY).map(|_| vec![When::Now, When::Now, When::Now]);
    watch_with(sleepers.chain(others).collect(), Kind::Still, Some(WORKER))
}

/// Who was resumed after the work began; empty if `run` waited before it, which is rule 2.5's.
fn after_the_work(seen: &Seen) -> Vec<usize> {
    let resumes = seen.resumes.borrow();
    let Some(place) = resumes.iter().position(|number| *number == WORKER) else { return Vec::new() };
    if seen.work_began.get() > Duration::ZERO { Vec::new() } else { resumes[place + 1..].to_vec() }
}

/// How many of those who were ready had no turn before the first sleeper.
fn passed_over(order: &[usize]) -> usize {
    let Some(first) = order.iter().position(|number| *number <= SLEEPERS) else { return 0 };
    (WORKER + 1..=WORKER + BUSY).filter(|number| !order[..first].contains(number)).count()
}

fn wake_in_the_order_of_their_deadlines() -> Verdict {
    let cases = [("25 sleepers with the same deadline", 0), ("25 sleepers with different deadlines", 100)];
    for (who, apart) in cases {
        let milliseconds = |n: usize| 100 + apart * (n * 7 % 25);
        let order = after_the_work(&crowd(milliseconds));
        if passed_over(&order) > 0 {
            // That is rule 2.3's.
            return Ok(());
        }
        let woken: Vec<usize> = order.into_iter().filter(|number| *number <= SLEEPERS).collect();
        let mut expected: Vec<usize> = (1..=SLEEPERS).collect();
        expected.sort_by_key(|number| milliseconds(number - 1));
        expected.truncate(woken.len());
        messages::woken(&format!("{who}, due at one look"), &expected, &woken)?;
    }
    Ok(())
}

fn those_who_are_due_are_ready() -> Verdict {
    let order = after_the_work(&crowd(|n| 100 * (1 + n)));
    if passed_over(&order) > 0 {
        return Err(messages::passed_over(passed_over(&order)));
    }
    let is_sleeper = |number: &usize| *number <= SLEEPERS;
    if let (Some(first), Some(last)) = (order.iter().position(is_sleeper), order.iter().rposition(is_sleeper)) {
        let between = order[first..last].iter().filter(|number| !is_sleeper(number)).count();
        if between > 0 {
            return Err(messages::not_all_at_one_look(SLEEPERS, between));
        }
    }
    let seen = watch((0..20).map(|n| vec![after(100 * (1 + n * 7 % 20))]).collect(), Kind::Still);
    let is_due = |state: &State| matches!(state, State::Sleeping { until, .. } if *until == seen.time.get());
    if seen.waits_in_vain.get() > MOST_IN_VAIN && seen.states.borrow().iter().any(is_due) {
        return Err(messages::waited_for_what_had_come(seen.time.get(), seen.waits_in_vain.get()));
    }
    Ok(())
}

/// When the work is over, the worker and those who pause are ready: each has one turn, then the sleepers have theirs.
fn looks_before_each_resume() -> Verdict {
    let order = after_the_work(&crowd(|n| 100 * (1 + n)));
    match order.iter().position(|number| *number <= SLEEPERS) {
        Some(resumes) if resumes > 1 + BUSY => Err(messages::resumed_late(1 + BUSY, resumes)),
        _ => Ok(()),
    }
}

fn is_done_in_the_end() -> Verdict {
    let cases = [
        vec![],
        vec![vec![], vec![]],
        vec![vec![When::Now, When::Now], vec![]],
        vec![vec![after(5)]],
        vec![vec![after(5)], vec![], vec![When::Now, after(20), When::Now]],
    ];
    for clock in [Kind::Exact, Kind::Early] {
        for plans in cases.iter().map(|plans| plans.iter().map(|plan| copy(plan)).collect()).chain([many(2)]) {
            let seen = watch(plans, clock);
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
