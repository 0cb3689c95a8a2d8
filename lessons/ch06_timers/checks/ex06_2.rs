//! The check of exercise 6.2.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex06_2.rs"]
mod exercise;

use std::pin::Pin;
use std::process::ExitCode;
use std::task::Context;
use std::time::Duration;

use checker::contract::{Breach, Probe};
use checker::{Verdict, messages};
use exercise::{Sleep, Timers};

fn main() -> ExitCode {
    checker::run(
        "ex06_2",
        &[("6.4", one_timer_with_the_latest_waker), ("6.5", dropped_it_leaves_nothing), ("6.7", never_is_never)],
    )
}

const SECOND: Duration = Duration::from_secs(1);

fn is_ready(sleep: &mut Pin<Box<Sleep>>, probe: &Probe) -> bool {
    probe.with_waker(|waker| sleep.as_mut().poll(&mut Context::from_waker(waker)).is_ready())
}

/// A sleep is polled 25 times, each time with another waker, then its timer fires.
fn one_timer_with_the_latest_waker() -> Verdict {
    let timers = Timers::default();
    let probes: Vec<Probe> = (0..25).map(|_| Probe::new()).collect();
    let mut sleep = Box::pin(Sleep::new(&timers, SECOND));
    for (polls, probe) in (1..).zip(&probes) {
        if is_ready(&mut sleep, probe) {
            return Err(messages::breach(Breach::ReadyTooSoon).to_owned());
        }
        let (made, entries) = (timers.made(), timers.entries());
        if (made, entries) != (1, 1) {
            return Err(messages::timers_of_one_sleep(polls, made, entries));
        }
    }
    timers.set_time(SECOND);
    timers.fire();
    let woken: Vec<usize> = (1..).zip(&probes).filter(|(_, probe)| probe.wakes() > 0).map(|(poll, _)| poll).collect();
    messages::first_difference(
        "25 polls of a sleep, each with another waker: whose waker the timer calls",
        &[25],
        &woken,
    )?;
    if !is_ready(&mut sleep, &probes[0]) {
        return Err(messages::breach(Breach::PendingTooLong).to_owned());
    }
    Ok(())
}

/// Each sleep is polled once, so that it has one timer whatever it does in later polls.
fn dropped_it_leaves_nothing() -> Verdict {
    let timers = Timers::default();
    let probe = Probe::new();
    drop(Sleep::new(&timers, SECOND));
    let mut sleeps: Vec<_> = (0..25).map(|number| Box::pin(Sleep::new(&timers, SECOND * (1 + number % 4)))).collect();
    sleeps.iter_mut().for_each(|sleep| assert!(!is_ready(sleep, &probe)));
    let mut alive = sleeps.len();
    // From the middle outwards, so that neither the oldest nor the youngest is always the one.
    while !sleeps.is_empty() {
        drop(sleeps.remove(sleeps.len() / 2));
        alive -= 1;
        if timers.entries() != alive {
            return Err(messages::timers_left(alive, timers.entries()));
        }
        if probe.alive() != alive {
            return Err(messages::wakers_left(alive, probe.alive()));
        }
    }
    // One that has fired, and one that is ready by the clock although nobody has fired its timer yet.
    for is_fired in [true, false] {
        let timers = Timers::default();
        let mut sleep = Box::pin(Sleep::new(&timers, SECOND));
        let _ = is_ready(&mut sleep, &probe);
        timers.set_time(SECOND);
        if is_fired {
            timers.fire();
        }
        let _ = is_ready(&mut sleep, &probe);
        drop(sleep);
        if timers.entries() != 0 {
            return Err(messages::timer_left_when_ready());
        }
    }
    // To drop one must not take the timer of another off, also when its own has fired.
    let timers = Timers::default();
    let [mut first, mut second] = [SECOND, SECOND * 2].map(|time| Box::pin(Sleep::new(&timers, time)));
    let _ = is_ready(&mut first, &probe);
    timers.set_time(SECOND);
    timers.fire();
    let _ = is_ready(&mut second, &probe);
    drop(first);
    if timers.entries() != 1 {
        return Err(messages::timers_left(1, timers.entries()));
    }
    Ok(())
}

/// Sleeps without end, begun at several times, and one poll of each; a thousand years pass.
fn never_is_never() -> Verdict {
    let timers = Timers::default();
    let probe = Probe::new();
    let mut sleeps = Vec::new();
    for second in 0..25 {
        timers.set_time(SECOND * second);
        let mut sleep = Box::pin(Sleep::new(&timers, Duration::MAX));
        if is_ready(&mut sleep, &probe) {
            return Err(messages::never_came(second.into()));
        }
        sleeps.push(sleep);
        if timers.entries() != sleeps.len() {
            return Err(messages::never_was_not_kept(sleeps.len(), timers.entries()));
        }
    }
    for years in [1, 10, 1000] {
        let now = SECOND * 3600 * 24 * 366 * years;
        timers.set_time(now);
        timers.fire();
        if timers.entries() != sleeps.len() || probe.wakes() > 0 {
            return Err(messages::never_came(now.as_secs()));
        }
    }
    Ok(())
}
