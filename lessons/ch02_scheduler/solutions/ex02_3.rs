//! Exercise 2.3, solved.
//!
//! `now` is the time before the resume. A resume takes as long as the generator works, and afterwards `now` is old: a
//! sleep of 1 second that begins 3 seconds later had its deadline in the past. The repair looks at the clock where the
//! sleep begins. handloop does the same: `sleep` reads the clock in its own call.
//!
//! The event loop uvloop, which runs in the place of asyncio's, had this defect: its issue 29, "Loop time does not pass
//! when loop is blocked". The library below it, libuv, does so on purpose (its issue 1068): to read the clock seldom is
//! faster, and after long work a program calls `uv_update_time`.

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
