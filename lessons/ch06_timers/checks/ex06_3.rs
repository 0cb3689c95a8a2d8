//! The check of exercise 6.3.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex06_3.rs"]
mod exercise;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::time::Duration;

use checker::{Verdict, messages};
use exercise::{Insertion, Machine, Over, Timer, Wait, reproduce, watch};

fn main() -> ExitCode {
    checker::run(
        "ex06_3",
        &[("6.1", waits_for_the_earliest), ("6.2", is_cut_short), ("6.6", looks_and_waits_under_one_lock)],
    )
}

/// The calls that a thread makes between a deadline and its firing take some µs.
const SOON: Duration = Duration::from_millis(1);

const HOUR: Duration = Duration::from_secs(3600);

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The run of a timer thread.
struct Run {
    has_returned: bool,
    timers: Vec<Timer>,
    waits: Vec<Wait>,
    calls: usize,
    /// What the clock shows at the end.
    clock: Duration,
}

fn run(thread: fn(&Machine), deadlines: &[Duration], insertions: &[Insertion]) -> Result<Run, String> {
    let machine = Machine::new(deadlines, insertions);
    let outcome = catch_unwind(AssertUnwindSafe(|| threads(thread, &machine)));
    let has_returned = outcome.is_ok();
    match outcome {
        // The place of this panic would be a line of std.
        Err(payload) if text(&*payload) == "overflow when subtracting durations" => {
            return Err(messages::less_than_no_time().to_owned());
        }
        Err(payload) if !payload.is::<Over>() => resume_unwind(payload),
        _ => {}
    }
    let (waits, calls) = (machine.waits.borrow().clone(), machine.calls.get());
    Ok(Run { has_returned, timers: machine.timers(), waits, calls, clock: machine.now() })
}

/// What a panic says.
fn text(payload: &(dyn Any + Send)) -> &str {
    payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("")
}

/// A thread that found no timer has ended, and one that was inserted after its look starts another thread.
fn threads(thread: fn(&Machine), machine: &Machine) {
    loop {
        machine.is_idle.set(false);
        thread(machine);
        if !machine.is_idle.get() || machine.timers().iter().all(|timer| timer.fired.is_some()) {
            return;
        }
    }
}

fn end(wait: &Wait) -> Duration {
    wait.from.saturating_add(wait.timeout)
}

impl Run {
    /// The timers that had not fired when this wait began.
    fn left_at(&self, wait: &Wait) -> impl Iterator<Item = &Timer> {
        let from = wait.from;
        let is_there = move |timer: &&Timer| timer.inserted < from || timer.inserted == from && !timer.cut_in;
        self.timers.iter().filter(is_there).filter(move |timer| timer.fired.is_none_or(|fired| fired > from))
    }

    /// The first timer that fired before its deadline: when, and what is to be said.
    fn early(&self) -> Option<(Duration, String)> {
        let is_early = |timer: &&Timer| timer.fired.is_some_and(|fired| fired < timer.deadline);
        let timer = self.timers.iter().filter(is_early).min_by_key(|timer| timer.fired)?;
        let fired = timer.fired?;
        let last = self.waits.iter().rfind(|wait| wait.from < fired);
        let was_cut = last.is_some_and(|wait| self.timers.iter().any(|t| t.cut_in && t.inserted == wait.from));
        Some((fired, messages::fired_early(timer.deadline, fired, last.is_some(), was_cut)))
    }

    /// The first wait that does not end when the earliest of the timers is due that were there from the beginning. If it
    /// may be cut short, only one that ends too late.
    fn bad_wait(&self, is_alone: bool) -> Option<(Duration, String)> {
        self.waits.iter().find_map(|wait| {
            let Some(_) = self.left_at(wait).next() else {
                return Some((wait.from, messages::waited_for_no_timer(wait.from)));
            };
            let known = self.left_at(wait).filter(|timer| timer.inserted.is_zero());
            let earliest = known.map(|timer| timer.deadline).min()?;
            if wait.from > earliest + SOON {
                return Some((wait.from, messages::not_fired(earliest, wait.from)));
            }
            let is_bad = end(wait) > earliest + SOON || is_alone && end(wait) < earliest;
            is_bad.then(|| (wait.from, messages::waited_until(earliest, wait.from, end(wait))))
        })
    }

    fn is_late(&self, timer: &Timer) -> bool {
        let latest = timer.deadline.max(timer.inserted).saturating_add(SOON);
        timer.fired.is_none_or(|fired| fired > latest)
    }

    /// The waits that began after this insertion, and before the timer fired.
    fn waits_before(&self, timer: &Timer) -> impl Iterator<Item = &Wait> {
        let Timer { inserted, cut_in, fired, .. } = *timer;
        let is_after = move |wait: &&Wait| wait.from > inserted || wait.from == inserted && !cut_in;
        self.waits.iter().filter(is_after).filter(move |wait| fired.is_none_or(|fired| wait.from < fired))
    }

    /// The first of them that ends after the deadline.
    fn stale_wait(&self, timer: &Timer) -> Option<&Wait> {
        self.waits_before(timer).find(|wait| end(wait) > timer.deadline.saturating_add(SOON))
    }
}

/// Twenty-five insertions, each earlier than the one before, one after each third call: most of them cut a wait short.
fn earlier_and_earlier() -> Vec<Insertion> {
    (0..25).map(|number| Insertion { after: 3 * number, deadline: millis(29 - number as u64) }).collect()
}

/// No timer is early, none is forgotten, each wait is for the earliest, and nobody looks while nothing is due. Whether an
/// insertion is heard is another rule's.
fn waits_for_the_earliest() -> Verdict {
    let many = [0, 20, 20, 20].into_iter().chain((1..=20).map(|number| 10 * number)).map(millis).collect();
    let mut cases: Vec<(Vec<Duration>, Vec<Insertion>)> = vec![
        (vec![millis(30)], vec![]),
        (vec![], vec![]),
        (many, vec![]),
        (vec![HOUR], vec![]),
        (vec![HOUR * 24 * 366 * 10], vec![]),
        (vec![millis(30)], earlier_and_earlier()),
    ];
    // A later timer: the wait that it ends has to go on.
    cases.extend((0..20).map(|after| (vec![millis(30)], vec![Insertion { after, deadline: millis(40) }])));
    for (deadlines, insertions) in cases {
        let run = run(watch, &deadlines, &insertions)?;
        let seen = [run.early(), run.bad_wait(insertions.is_empty())];
        if let Some((_, first)) = seen.into_iter().flatten().min_by_key(|(at, _)| *at) {
            return Err(first);
        }
        let left: Vec<Duration> =
            run.timers.iter().filter(|timer| timer.fired.is_none()).map(|timer| timer.deadline).collect();
        if let Some(deadline) = left.iter().min().filter(|deadline| run.clock > **deadline + SOON) {
            return Err(messages::not_fired(*deadline, run.clock));
        }
        // It waits once for each timer, and once more for each that cut a wait short.
        let reasons = run.timers.len() + run.timers.iter().filter(|timer| timer.cut_in).count();
        if run.waits.len() > reasons || run.calls > 100 * (reasons + 1) {
            return Err(messages::looked_too_often(run.timers.len(), run.waits.len(), run.calls));
        }
        if let (Some(earliest), true) = (left.iter().min(), run.has_returned) {
            return Err(messages::thread_left_timers(left.len(), *earliest));
        }
    }
    Ok(())
}

/// A timer that is inserted while the thread waits.
fn is_cut_short() -> Verdict {
    // Who does not wait for the earliest is late for that: rule 6.1.
    if waits_for_the_earliest().is_err() {
        return Ok(());
    }
    let mut places: Vec<Vec<Insertion>> = Vec::new();
    for after in 0..20 {
        places.extend([10, 1, 29].map(|deadline| vec![Insertion { after, deadline: millis(deadline) }]));
    }
    places.push(earlier_and_earlier());
    for insertions in places {
        let run = run(watch, &[millis(30)], &insertions)?;
        if let Some(timer) = run.timers.iter().find(|timer| timer.cut_in && run.is_late(timer)) {
            return Err(messages::not_cut_short(timer.deadline, timer.inserted, &told(&run, timer)));
        }
    }
    Ok(())
}

/// What became of an insertion.
fn told(run: &Run, timer: &Timer) -> String {
    let wait = run.stale_wait(timer).map(|wait| (wait.from, end(wait)));
    messages::became(wait, timer.fired)
}

/// A timer that is inserted between any two calls of the thread, but for the time in which it waits.
fn looks_and_waits_under_one_lock() -> Verdict {
    reproduction()?;
    if waits_for_the_earliest().is_err() {
        return Ok(());
    }
    for deadlines in [vec![millis(30)], vec![millis(2), millis(30)], vec![millis(2), millis(4), millis(6), millis(30)]]
    {
        for after in 0..25 {
            for deadline in [10, 1, 3, 5, 20, 29] {
                let insertion = Insertion { after, deadline: millis(deadline) };
                let run = run(watch, &deadlines, &[insertion])?;
                let inserted = run.timers.get(deadlines.len()).filter(|timer| !timer.cut_in && run.is_late(timer));
                if let Some(timer) = inserted {
                    let (is_stale, became) = (run.stale_wait(timer).is_some(), told(&run, timer));
                    return Err(messages::fired_late(after, timer.deadline, timer.inserted, &became, is_stale));
                }
            }
        }
    }
    Ok(())
}

/// The thread as it was handed out.
fn handed_out(machine: &Machine) {
    loop {
        let now = machine.now();
        let earliest = machine.lock().earliest();
        let Some(deadline) = earliest else { return };
        if deadline <= now {
            machine.lock().fire();
        } else {
            let timers = machine.lock();
            drop(machine.wait_timeout(timers, deadline - now));
        }
    }
}

fn reproduction() -> Verdict {
    let insertion = reproduce();
    let run = run(handed_out, &[millis(3000)], std::slice::from_ref(&insertion))?;
    let Some(timer) = run.timers.get(1) else {
        return Err(messages::never_inserted(insertion.after, run.calls));
    };
    // On this thread only a deadline that never comes does not fire.
    if timer.fired.is_some() && run.is_late(timer) {
        return Ok(());
    }
    let why = if timer.cut_in {
        "it came while the thread waited, and that ended the wait"
    } else if timer.deadline >= millis(3000) {
        "its deadline is not before the 3 s for which the thread waits"
    } else if run.waits_before(timer).next().is_none() {
        "the thread did not wait between its insertion and that"
    } else if run.waits_before(timer).all(|wait| end(wait) < millis(2999)) {
        "the thread had seen it when it began to wait"
    } else {
        "late is more than 1 ms after the deadline"
    };
    Err(messages::insertion_in_time(insertion.after, timer.deadline, timer.fired, why))
}
