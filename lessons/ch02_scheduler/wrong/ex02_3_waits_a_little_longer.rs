//! Breaks rule 2.5: waits half a millisecond longer than until the earliest deadline, to be on the safe side.

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
            clock.wait_until(sleepers[0].0 + Duration::from_micros(500));
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

/// Works for 3 seconds, then wants to sleep for one.
struct Worker {
    has_worked: bool,
}

impl Generator for Worker {
    fn resume(&mut self, clock: &dyn Clock) -> Resumed {
        if self.has_worked {
            return Resumed::Complete;
        }
        self.has_worked = true;
        clock.wait_until(clock.now() + Duration::from_secs(3));
        Resumed::Yielded(When::After(Duration::from_secs(1)))
    }
}

/// One generator that works before it sleeps is enough.
pub fn reproduce() -> Vec<Box<dyn Generator>> {
    vec![Box::new(Worker { has_worked: false })]
}
