//! Exercise 2.3, find the bug: about 15 minutes.
//!
//! The generators of this scheduler get the clock with each resume, so that they can work, which takes time: to work for
//! 3 seconds is `clock.wait_until(clock.now() + Duration::from_secs(3))`. While one works, nobody else runs.
//!
//! With some generators this scheduler breaks rule 2.1: one of them is resumed before its time. An event loop that many
//! programs use had this defect; the solution's file says which.
//!
//! 1. Reproduce it: let `reproduce` return generators of which the scheduler below resumes one a millisecond or more
//!    before its time. They work with the clock that they get: with `thread::sleep` it would not move.
//! 2. Repair `run`.
//!
//! Check it with `cargo run -- check ch02 3`.

use std::collections::VecDeque;
use std::time::Duration;

pub trait Clock {
    /// How much time has passed since the start.
    fn now(&self) -> Duration;

    fn wait_until(&self, deadline: Duration);
}

/// When a generator that has paused wants to go on.
pub enum When {
    Now,
    After(Duration),
}

pub enum Resumed {
    Yielded(When),
    Complete,
}

pub trait Generator {
    fn resume(&mut self, clock: &dyn Clock) -> Resumed;
}

/// Lets each generator run to its next pause, in turn, and sleep as long as it asks for, until all are complete.
pub fn run(clock: &dyn Clock, generators: Vec<Box<dyn Generator>>) {
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

/// Generators of which the scheduler above resumes one before its time.
pub fn reproduce() -> Vec<Box<dyn Generator>> {
    todo!("a generator, or several, of which one is resumed too early")
}
