//! Two idle loops, and what they cost: one looks at the clock again and again, the other waits.

use std::cell::Cell;
use std::collections::VecDeque;
use std::time::Duration;

/// A clock on which a look takes a microsecond. It counts.
#[derive(Default)]
struct Clock {
    time: Cell<Duration>,
    looks: Cell<u64>,
    waits: Cell<u64>,
}

impl Clock {
    fn now(&self) -> Duration {
        self.looks.set(self.looks.get() + 1);
        self.time.set(self.time.get() + Duration::from_micros(1));
        self.time.get()
    }

    fn wait_until(&self, deadline: Duration) {
        self.waits.set(self.waits.get() + 1);
        self.time.set(self.time.get().max(deadline));
    }
}

fn spin(clock: &Clock, deadline: Duration) {
    while clock.now() < deadline {}
}

fn wait(clock: &Clock, deadline: Duration) {
    clock.wait_until(deadline);
}

/// A sleep of so many seconds, in a scheduler that is given its idle loop.
fn run(clock: &Clock, idle: fn(&Clock, Duration), sleeps: [u64; 3]) {
    let mut ready = VecDeque::from(sleeps.map(Some));
    let mut sleepers: Vec<Duration> = Vec::new();
    while !ready.is_empty() || !sleepers.is_empty() {
        if ready.is_empty() {
            idle(clock, sleepers[0]);
        }
        let now = clock.now();
        while sleepers.first().is_some_and(|deadline| *deadline <= now) {
            sleepers.remove(0);
            ready.push_back(None);
        }
        // `None` has slept: it completes in this resume.
        let Some(Some(x)) = ready.pop_front() else { continue };
        let deadline = clock.now() + Duration::from_secs(x);
        let place = sleepers.partition_point(|other| *other <= deadline);
        sleepers.insert(place, deadline);
    }
}

fn main() {
    for (name, idle) in [("spins", spin as fn(&Clock, Duration)), ("waits", wait)] {
        let clock = Clock::default();
        run(&clock, idle, [1, 2, 4]);
        let (looks, waits) = (clock.looks.get(), clock.waits.get());
        println!("{name}: {looks} looks, {waits} waits, {:.3} s", clock.time.get().as_secs_f64());
    }
}
