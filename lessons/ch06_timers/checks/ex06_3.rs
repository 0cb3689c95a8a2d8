//! The check of exercise 6.3.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex06_3.rs"]
mod exercise;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::time::Duration;

use checker::{Verdict, messages};
use exercise::{Insertion, Machine, Over, Timer, reproduce, watch};

fn main() -> ExitCode {
    checker::run(
        "ex06_3",
        &[("6.1", waits_for_the_earliest), ("6.2", is_cut_short), ("6.6", looks_and_waits_under_one_lock)],
    )
}

/// The calls that a thread makes between a deadline and its firing take some µs each.
const SOON: Duration = Duration::from_millis(1);

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn run(thread: fn(&Machine), deadlines: &[Duration], insertions: &[Insertion]) -> Machine {
    let machine = Machine::new(deadlines, insertions);
    match catch_unwind(AssertUnwindSafe(|| threads(thread, &machine))) {
        Ok(()) => {}
        Err(payload) if payload.is::<Over>() => {}
        Err(payload) => resume_unwind(payload),
    }
    machine
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

fn is_late(timer: &Timer) -> bool {
    timer.fired.is_none_or(|fired| fired > timer.deadline.max(timer.inserted) + SOON)
}

fn late(after: usize, timer: &Timer) -> String {
    let fired = timer.fired.map(|fired| fired.as_millis());
    messages::fired_late(after, timer.deadline.as_millis(), timer.inserted.as_millis(), fired)
}

/// Twenty-five insertions, each earlier than the one before, one after each third call: most of them cut a wait short.
fn earlier_and_earlier() -> Vec<Insertion> {
    (0..25).map(|number| Insertion { after: 3 * number, deadline: millis(29 - number as u64) }).collect()
}

/// No timer is early, none is forgotten, and nobody looks while nothing is due. Who is late is another rule's.
fn waits_for_the_earliest() -> Verdict {
    let many: Vec<Duration> = (1..=20).map(|number| millis(10 * number)).collect();
    for (deadlines, insertions) in
        [(vec![millis(30)], vec![]), (many, vec![]), (vec![millis(30)], earlier_and_earlier())]
    {
        let machine = run(watch, &deadlines, &insertions);
        let timers = machine.timers();
        if let Some((timer, fired)) =
            timers.iter().find_map(|timer| timer.fired.filter(|fired| *fired < timer.deadline).map(|at| (timer, at)))
        {
            return Err(messages::fired_early(timer.deadline.as_micros(), fired.as_micros()));
        }
        let left = timers.iter().filter(|timer| timer.fired.is_none()).count();
        if left > 0 {
            return Err(messages::thread_left_timers(left));
        }
        // It waits once for each deadline, once more for each insertion that cut a wait short, and at the end for ever if
        // it does not end.
        let reasons = timers.len() + timers.iter().filter(|timer| timer.cut_in).count() + 1;
        if machine.waits.get() > reasons || machine.calls.get() > 20 * (reasons + 1) {
            return Err(messages::looked_too_often(timers.len(), machine.waits.get(), machine.calls.get()));
        }
    }
    Ok(())
}

/// A timer that is inserted while the thread waits.
fn is_cut_short() -> Verdict {
    let mut places: Vec<Vec<Insertion>> = vec![earlier_and_earlier()];
    for after in 0..20 {
        places.extend([1, 10, 29].map(|deadline| vec![Insertion { after, deadline: millis(deadline) }]));
    }
    for insertions in places {
        let timers = run(watch, &[millis(30)], &insertions).timers();
        if let Some(timer) = timers.iter().find(|timer| timer.cut_in && is_late(timer)) {
            let (deadline, fired) = (timer.deadline.as_millis(), timer.fired.map(|fired| fired.as_millis()));
            return Err(messages::not_cut_short(30, deadline, fired));
        }
    }
    Ok(())
}

/// A timer that is inserted between any two calls of the thread, but for the time in which it waits.
fn looks_and_waits_under_one_lock() -> Verdict {
    reproduction()?;
    for deadlines in [vec![millis(30)], vec![millis(2), millis(30)], vec![millis(2), millis(4), millis(6), millis(30)]]
    {
        for after in 0..25 {
            for deadline in [1, 3, 5, 10, 20, 29] {
                let insertion = Insertion { after, deadline: millis(deadline) };
                let timers = run(watch, &deadlines, &[insertion]).timers();
                let inserted = timers.get(deadlines.len()).filter(|timer| !timer.cut_in && is_late(timer));
                if let Some(timer) = inserted {
                    return Err(late(after, timer));
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
    let machine = run(handed_out, &[millis(3000)], std::slice::from_ref(&insertion));
    match machine.timers().get(1) {
        None => Err(messages::never_inserted(insertion.after, machine.calls.get())),
        Some(timer) if is_late(timer) => Ok(()),
        Some(timer) => Err(messages::insertion_in_time(insertion.after, timer.deadline.as_millis(), timer.cut_in)),
    }
}
