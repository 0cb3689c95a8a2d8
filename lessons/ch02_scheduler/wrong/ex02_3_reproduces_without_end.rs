//! Breaks rule 2.1: a generator of `reproduce` sleeps again and again, and never works; `run` is repaired.

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
                let deadline = clock.now().saturating_add(time);
                let place = sleepers.partition_point(|(other, _)| *other <= deadline);
                sleepers.insert(place, (deadline, generator));
            }
            Resumed::Complete => {}
        }
    }
}

/// Wants to go on in a second, without end.
struct Sleeper;

impl Generator for Sleeper {
    fn resume(&mut self, _: &dyn Clock) -> Resumed {
        Resumed::Yielded(When::After(Duration::from_secs(1)))
    }
}

pub fn reproduce() -> Vec<Box<dyn Generator>> {
    vec![Box::new(Sleeper)]
}
