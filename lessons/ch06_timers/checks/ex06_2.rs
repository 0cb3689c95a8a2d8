//! The check of exercise 6.2.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex06_2.rs"]
mod exercise;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;

use checker::contract::Probe;
use checker::{Verdict, messages};
use exercise::{Sleep, Timers};

fn main() -> ExitCode {
    checker::run(
        "ex06_2",
        &[("6.4", one_timer_with_the_latest_waker), ("6.5", dropped_it_leaves_nothing), ("6.7", never_is_never)],
    )
}

const NANOSECOND: Duration = Duration::from_nanos(1);
const SECOND: Duration = Duration::from_secs(1);

fn is_ready(sleep: &mut Pin<Box<Sleep>>, probe: &Probe) -> bool {
    probe.poll(sleep.as_mut()).is_ready()
}

fn one_timer_with_the_latest_waker() -> Verdict {
    polled_25_times()?;
    polled_first_when_due()?;
    never_has_the_latest_waker()
}

/// A sleep of a second is made when the clock shows 5 s, and polled 25 times, each time with another waker. Then its timer
/// fires.
fn polled_25_times() -> Verdict {
    let timers = Timers::default();
    timers.set_time(SECOND * 5);
    let probes: Vec<Probe> = (0..25).map(|_| Probe::new()).collect();
    let mut sleep = Box::pin(Sleep::new(&timers, SECOND));
    if timers.made() > 0 {
        return Err(messages::timer_made_in_new().to_owned());
    }
    for (polls, probe) in (1..).zip(&probes) {
        timers.set_time(SECOND * 5 + SECOND / 100 * (polls as u32 - 1));
        if is_ready(&mut sleep, probe) {
            return Err(messages::ready_before_the_deadline(timers.now()));
        }
        let (made, entries) = (timers.made(), timers.entries());
        if (made, entries) != (1, 1) {
            return Err(messages::timers_of_one_sleep("one sleep", polls, made, entries));
        }
    }
    timers.set_time(SECOND * 6 - NANOSECOND);
    timers.fire();
    if timers.entries() == 0 {
        return Err(messages::timer_fired_early().to_owned());
    }
    timers.set_time(SECOND * 6);
    timers.fire();
    if timers.entries() > 0 {
        return Err(messages::timer_did_not_fire().to_owned());
    }
    let woken = (1..).zip(&probes).find(|(_, probe)| probe.wakes() > 0).map(|(poll, _)| poll);
    if woken != Some(probes.len()) {
        return Err(messages::timer_called(probes.len(), woken));
    }
    if is_ready(&mut sleep, &probes[0]) { Ok(()) } else { Err(messages::pending_at_the_deadline().to_owned()) }
}

fn polled_first_when_due() -> Verdict {
    for (time, first_poll) in [(SECOND, SECOND * 2), (SECOND, SECOND), (Duration::ZERO, Duration::ZERO)] {
        let timers = Timers::default();
        let mut sleep = Box::pin(Sleep::new(&timers, time));
        timers.set_time(first_poll);
        if !is_ready(&mut sleep, &Probe::new()) {
            return Err(messages::deadline_from_the_first_poll(time, first_poll));
        }
        if timers.made() > 0 {
            return Err(messages::timer_made_when_ready().to_owned());
        }
    }
    Ok(())
}

/// Whether such a sleep has a timer at all is rule 6.7's.
fn never_has_the_latest_waker() -> Verdict {
    let timers = Timers::default();
    let probes = [Probe::new(), Probe::new()];
    let mut sleep = Box::pin(Sleep::new(&timers, Duration::MAX));
    if is_ready(&mut sleep, &probes[0]) || timers.entries() == 0 {
        return Ok(());
    }
    let _ = is_ready(&mut sleep, &probes[1]);
    let (made, entries) = (timers.made(), timers.entries());
    if (made, entries) != (1, 1) {
        return Err(messages::timers_of_one_sleep("a sleep of `Duration::MAX`", 2, made, entries));
    }
    // The end of time, to see whose waker the timer has.
    timers.set_time(Duration::MAX);
    timers.fire();
    if probes[1].wakes() == 0 { Err(messages::never_has_an_old_waker().to_owned()) } else { Ok(()) }
}

fn dropped_it_leaves_nothing() -> Verdict {
    let probe = Probe::new();
    for (who, time) in [("a sleep", SECOND), ("a sleep of `Duration::MAX`", Duration::MAX)] {
        let timers = Timers::default();
        drop(Sleep::new(&timers, time));
        let mut sleep = Box::pin(Sleep::new(&timers, time));
        let _ = is_ready(&mut sleep, &probe);
        drop(sleep);
        if timers.entries() > 0 {
            return Err(messages::timer_left_after_drop(who));
        }
    }
    one_of_many_is_dropped()?;
    // Whether it was polled once more or not: nobody has fired its timer.
    for is_polled in [true, false] {
        let timers = Timers::default();
        let mut sleep = Box::pin(Sleep::new(&timers, SECOND));
        let _ = is_ready(&mut sleep, &probe);
        timers.set_time(SECOND);
        if is_polled {
            let _ = is_ready(&mut sleep, &probe);
        }
        drop(sleep);
        if timers.entries() > 0 {
            return Err(messages::timer_left_when_due().to_owned());
        }
    }
    // One whose timer has fired, when another has made the latest one.
    let timers = Timers::default();
    let [mut first, mut second] = [SECOND, SECOND * 2].map(|time| Box::pin(Sleep::new(&timers, time)));
    let _ = is_ready(&mut first, &probe);
    timers.set_time(SECOND);
    timers.fire();
    let _ = is_ready(&mut second, &probe);
    drop(first);
    if timers.entries() == 1 { Ok(()) } else { Err(messages::timer_of_another().to_owned()) }
}

/// Each sleep is polled once, so that it has one timer whatever it does in later polls.
fn one_of_many_is_dropped() -> Verdict {
    let timers = Timers::default();
    let probes: Vec<Probe> = (0..25).map(|_| Probe::new()).collect();
    let sleep = |number: u32| Box::pin(Sleep::new(&timers, SECOND * (1 + number % 4)));
    let mut sleeps: Vec<_> = (0..25).map(sleep).zip(&probes).collect();
    for (sleep, probe) in &mut sleeps {
        let _ = is_ready(sleep, probe);
    }
    // From the middle outwards, so that neither the oldest nor the youngest is always the one.
    while sleeps.len() > 10 {
        let (sleep, probe) = sleeps.remove(sleeps.len() / 2);
        drop(sleep);
        if timers.entries() != sleeps.len() {
            return Err(messages::timers_left(sleeps.len(), timers.entries()));
        }
        if sleeps.iter().any(|(_, probe)| probe.alive() == 0) {
            return Err(messages::timer_of_another().to_owned());
        }
        if probe.alive() > 0 {
            return Err(messages::waker_left().to_owned());
        }
    }
    Ok(())
}

/// What a panic says.
fn text(payload: &(dyn Any + Send)) -> &str {
    payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("")
}

/// Sleeps without end, begun at several times, and one poll of each; a thousand years pass.
fn never_is_never() -> Verdict {
    let timers = Timers::default();
    let probe = Probe::new();
    let mut sleeps = Vec::new();
    let times = [("`Duration::MAX`", Duration::MAX), ("`Duration::MAX` less a second", Duration::MAX - SECOND)];
    for (name, time) in times {
        for second in 0..25 {
            timers.set_time(SECOND * second);
            let polled = catch_unwind(AssertUnwindSafe(|| {
                let mut sleep = Box::pin(Sleep::new(&timers, time));
                (is_ready(&mut sleep, &probe), sleep)
            }));
            let (is_ready, sleep) = match polled {
                Ok(polled) => polled,
                // The place of this panic would be a line of std.
                Err(payload) if text(&*payload) == "overflow when adding durations" => {
                    return Err(messages::sum_too_large(name, second));
                }
                Err(payload) => resume_unwind(payload),
            };
            if is_ready {
                return Err(messages::never_came(name, second, second.into()));
            }
            sleeps.push(sleep);
            if timers.entries() != sleeps.len() {
                return Err(messages::never_was_not_kept(name));
            }
        }
    }
    for years in [1, 10, 1000] {
        timers.set_time(SECOND * 3600 * 24 * 366 * years);
        timers.fire();
        if timers.entries() < sleeps.len() || probe.wakes() > 0 {
            return Err(messages::never_was_over("was woken by its timer", years));
        }
        if sleeps.iter_mut().any(|sleep| is_ready(sleep, &probe)) {
            return Err(messages::never_was_over("was Ready", years));
        }
    }
    Ok(())
}
