//! Breaks rule 2.1: counts a sleep from the look before the resume, which may take long.

use std::collections::VecDeque;
use std::time::Duration;

pub trait Clock {
    /// How much time has passed since the start.
    fn now(&self) -> Duration;

    /// Waits until then, or not quite so long.
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
    fn resume(&mut self) -> Resumed;
}

/// Lets each generator run to its next pause, in turn, and sleep as long as it asks for, until all are complete.
pub fn run(clock: &dyn Clock, generators: Vec<Box<dyn Generator>>) {
    let mut ready: VecDeque<Box<dyn Generator>> = generators.into();
    // The latest deadline first, and the earliest last.
    let mut sleepers: Vec<(Duration, Box<dyn Generator>)> = Vec::new();
    while !ready.is_empty() || !sleepers.is_empty() {
        if ready.is_empty() {
            if let Some((deadline, _)) = sleepers.last() {
                clock.wait_until(*deadline);
            }
        }
        let now = clock.now();
        while sleepers.last().is_some_and(|(deadline, _)| *deadline <= now) {
            let Some((_, generator)) = sleepers.pop() else { break };
            ready.push_back(generator);
        }
        let Some(mut generator) = ready.pop_front() else { continue };
        match generator.resume() {
            Resumed::Yielded(When::Now) => ready.push_back(generator),
            Resumed::Yielded(When::After(time)) => {
                let deadline = now.saturating_add(time);
                let place = sleepers.partition_point(|(other, _)| *other > deadline);
                sleepers.insert(place, (deadline, generator));
            }
            Resumed::Complete => {}
        }
    }
}
