//! Exercise 2.2, extend: about 5 minutes.
//!
//! A scheduler whose generators sleep. While nobody is ready it goes round and round, and looks at the clock each time:
//! for a sleep of 4 seconds on a clock on which a look takes a microsecond, that is 4 million looks.
//!
//! Extend `run`: while nobody is ready, it waits, once, until the earliest deadline. `wait_until` may come back early, as
//! std's `thread::park_timeout` may. Look where the earliest deadline is: this list has it at its end, where `pop` takes
//! it out without moving all the others. Wait with the clock that `run` gets: a check of a `run` with `thread::sleep` ends
//! without a verdict, since that clock does not move. Check it with `cargo run -- check ch02 2`.

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
        let now = clock.now();
        while sleepers.last().is_some_and(|(deadline, _)| *deadline <= now) {
            let Some((_, generator)) = sleepers.pop() else { break };
            ready.push_back(generator);
        }
        let Some(mut generator) = ready.pop_front() else { continue };
        match generator.resume() {
            Resumed::Yielded(When::Now) => ready.push_back(generator),
            Resumed::Yielded(When::After(time)) => {
                let deadline = clock.now().saturating_add(time);
                let place = sleepers.partition_point(|(other, _)| *other > deadline);
                sleepers.insert(place, (deadline, generator));
            }
            Resumed::Complete => {}
        }
    }
}
