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
use std::time::{Duration, Instant};

use checker::{Verdict, messages};
use exercise::{Clock, Generator, Resumed, When, reproduce, run};

fn main() -> ExitCode {
    checker::run(
        "ex02_3",
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

/// A run has at most so many looks, waits and resumes; past them it is ended from within.
const MOST: usize = 5_000_000;
const MOST_RESUMES: usize = 10_000;
/// On a clock on which a look takes no time, whoever spins sees the same time for ever.
const MOST_AT_NO_COST: usize = 100_000;
/// So many waits in a row for a deadline that has come, and no resume between them.
const MOST_IN_VAIN: usize = 1_000;
/// A resume that takes so long in real time, while the clock stands still, does its work without the clock.
const NO_WORK_OF_THE_CLOCK: Duration = Duration::from_millis(500);

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
    /// Whether a look takes no time.
    is_still: bool,
    /// Looks and waits of `run`, and those of its generators.
    looks: Cell<u64>,
    waits: Cell<usize>,
    inside: Cell<usize>,
    /// Whether a generator runs.
    is_inside: Cell<bool>,
    waits_in_vain: Cell<usize>,
    /// The first wait that was not needed, or not for this time; and the first that was too long.
    bad_wait: RefCell<Option<String>>,
    long_wait: RefCell<Option<String>>,
    sleeps: Cell<usize>,
    /// Real time that went by in resumes in which the clock stood still.
    real: Cell<Duration>,
    /// Whom `run` resumed, in order.
    order: RefCell<Vec<usize>>,
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
    fn early(&self, whose: &str, at_least: Duration) -> Option<String> {
        let wakes = self.wakes.borrow();
        let early = wakes.iter().find(|wake| wake.after + at_least <= wake.asked)?;
        Some(messages::resumed_early(&format!("generator {} {whose}", early.number), early.asked, early.after))
    }

    fn end_if_too_many(&self) {
        let most = if self.is_still { MOST_AT_NO_COST } else { MOST };
        if self.looks.get() as usize + self.waits.get() + self.inside.get() > most
            || self.resumes.borrow().len() > MOST_RESUMES
            || self.waits_in_vain.get() > MOST_IN_VAIN
        {
            panic_any(EndOfRun);
        }
    }

    fn watch_the_wait(&self, until: Duration) {
        let states = self.states.borrow();
        let ready = states.iter().filter(|state| **state == State::Ready).count();
        let deadlines = states.iter().filter_map(|state| match state {
            State::Sleeping { until, .. } => Some(*until),
            _ => None,
        });
        // The scheduler's own deadline is later by what its looks take.
        let looks = if self.is_still { Duration::ZERO } else { MILLISECOND };
        let earliest = deadlines.min();
        let long = earliest.filter(|earliest| ready == 0 && until > *earliest + looks);
        let short = earliest.filter(|earliest| ready == 0 && until < *earliest);
        if let Some(earliest) = long {
            self.long_wait.borrow_mut().get_or_insert(messages::waited_too_long(until, earliest));
        }
        if ready > 0 {
            self.bad_wait.borrow_mut().get_or_insert(messages::waited_although_ready(ready, until));
        } else if let Some(earliest) = short {
            self.bad_wait.borrow_mut().get_or_insert(messages::waited_for_another_time(until, earliest));
        }
    }
}

struct Virtual(Rc<Seen>);

impl Clock for Virtual {
    fn now(&self) -> Duration {
        let seen = &self.0;
        if seen.is_inside.get() {
            seen.inside.set(seen.inside.get() + 1);
        } else {
            seen.looks.set(seen.looks.get() + 1);
        }
        seen.end_if_too_many();
        if !seen.is_still {
            seen.time.set(seen.time.get() + MICROSECOND);
        }
        seen.time.get()
    }

    fn wait_until(&self, deadline: Duration) {
        let seen = &self.0;
        if seen.is_inside.get() {
            seen.inside.set(seen.inside.get() + 1);
        } else {
            seen.waits.set(seen.waits.get() + 1);
            seen.waits_in_vain.set(if deadline <= seen.time.get() { seen.waits_in_vain.get() + 1 } else { 0 });
            seen.watch_the_wait(deadline);
        }
        seen.end_if_too_many();
        seen.time.set(seen.time.get().max(deadline));
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
            let resumes = seen.resumes.borrow();
            let others = resumes.len() - resumes.partition_point(|time| *time < until);
            let wake = Wake { number: self.number, asked: until - from, after: now - from, others };
            seen.wakes.borrow_mut().push(wake);
        }
        seen.resumes.borrow_mut().push(now);
        seen.order.borrow_mut().push(self.number);
        seen.waits_in_vain.set(0);
        seen.end_if_too_many();
        let start = Instant::now();
        seen.is_inside.set(true);
        let resumed = self.inner.resume(clock);
        seen.is_inside.set(false);
        let took = seen.time.get() - now;
        let now = seen.time.get();
        if took < MILLISECOND && start.elapsed() >= NO_WORK_OF_THE_CLOCK {
            seen.real.set(seen.real.get() + start.elapsed());
        }
        if let Resumed::Yielded(When::After(_)) = resumed {
            seen.sleeps.set(seen.sleeps.get() + 1);
        }
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
    watch_on(false, scheduler, generators)
}

fn watch_on(is_still: bool, scheduler: Scheduler, generators: Vec<Box<dyn Generator>>) -> Rc<Seen> {
    let states = RefCell::new(vec![State::Ready; generators.len()]);
    let seen = Rc::new(Seen { is_still, states, ..Seen::default() });
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
    let resumes = seen.resumes.borrow().len();
    if seen.early("", MILLISECOND).is_none() {
        return Err(if !seen.real.get().is_zero() {
            messages::worked_without_the_clock(seen.real.get())
        } else if seen.ended_from_within.get() {
            messages::generators_have_no_end(resumes)
        } else {
            messages::reproduces_nobody_early(count, resumes, MILLISECOND)
        });
    }
    let works_and_sleeps =
        |n: u64| plan((0..3).map(|time| ((n + time) % 4 * 1000, Some(500 * (1 + (n * 7 + time) % 25)))).collect());
    let cases = [
        ("of `reproduce`", reproduce()),
        ("of the check", vec![plan(vec![(3000, Some(1000))])]),
        ("of the check", (0..25).map(works_and_sleeps).collect()),
    ];
    for (whose, generators) in cases {
        if let Some(early) = watch(run, generators).early(whose, MICROSECOND) {
            return Err(messages::part_2("run", &early));
        }
    }
    Ok(())
}

fn waits_once_for_the_earliest() -> Verdict {
    let sleeps = |times: &[u64]| times.iter().map(|time| plan(vec![(0, Some(*time))])).collect::<Vec<_>>();
    let busy = sleeps(&[1000]).into_iter().chain([plan(vec![(0, None); 25])]).collect();
    let many = |n: u64| plan((0..2).map(|time| (0, Some(100 * (1 + (n * 7 + time * 11) % 25)))).collect());
    let cases = [
        ("three sleeps, of 1, 2 and 4 seconds", sleeps(&[1000, 2000, 4000])),
        ("a sleep of 1 second, and one that pauses 25 times", busy),
        ("25 generators that sleep twice", (0..25).map(many).collect()),
    ];
    for (who, generators) in cases {
        let seen = watch(run, generators);
        if let Some(wait) = seen.long_wait.take().or(seen.bad_wait.take()) {
            return Err(wait);
        }
        let (looks, waits, sleeps) = (seen.looks.get(), seen.waits.get(), seen.sleeps.get());
        if looks > 10 * (seen.resumes.borrow().len() + waits) as u64 {
            return Err(messages::looked_in_vain(who, looks, waits));
        }
        if waits > sleeps {
            return Err(messages::waited_so_often(sleeps, waits));
        }
    }
    let seen = watch_on(true, run, (0..25).map(many).collect());
    if let Some(wait) = seen.long_wait.take().or(seen.bad_wait.take()) {
        return Err(wait);
    }
    // A wait that ends too soon is rule 2.1's where somebody works.
    let works = |n: u64| plan((0..2).map(|time| ((n + time) % 4 * 1000, Some(30_000 * (1 + n)))).collect());
    match watch(run, (0..20).map(works).collect()).long_wait.take() {
        Some(wait) => Err(wait),
        None => Ok(()),
    }
}

/// 25 sleepers, then one who works until all of their deadlines have come, then 20 who pause three times.
const SLEEPERS: usize = 25;
const WORKER: usize = 26;
const BUSY: usize = 20;

/// Who was resumed after the work began; empty if `run` waited before it, which is rule 2.5's.
fn after_the_work(milliseconds: impl Fn(usize) -> usize) -> Vec<usize> {
    let sleepers = (0..SLEEPERS).map(|n| plan(vec![(0, Some(milliseconds(n) as u64))]));
    let worker = plan(vec![(10_000, None), (0, None), (0, None)]);
    let busy = (0..BUSY).map(|_| plan(vec![(0, None); 3]));
    let seen = watch_on(true, run, sleepers.chain([worker]).chain(busy).collect());
    let order = seen.order.borrow();
    let Some(place) = order.iter().position(|number| *number == WORKER) else { return Vec::new() };
    if seen.resumes.borrow()[place] > Duration::ZERO { Vec::new() } else { order[place + 1..].to_vec() }
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
        let order = after_the_work(milliseconds);
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
    let order = after_the_work(|n| 100 * (1 + n));
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
    let seen = watch_on(true, run, (0..20).map(|n| plan(vec![(0, Some(100 * (1 + n * 7 % 20)))])).collect());
    let is_due = |state: &State| matches!(state, State::Sleeping { until, .. } if *until == seen.time.get());
    if seen.waits_in_vain.get() > MOST_IN_VAIN && seen.states.borrow().iter().any(is_due) {
        return Err(messages::waited_for_what_had_come(seen.time.get(), seen.waits_in_vain.get()));
    }
    Ok(())
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
