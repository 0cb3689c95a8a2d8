//! A scheduler without a clock: who waits yields, looks at the clock, and yields again.

use std::cell::Cell;
use std::collections::VecDeque;
use std::time::Duration;

/// A clock on which a look takes a microsecond.
struct Clock(Cell<Duration>);

impl Clock {
    fn now(&self) -> Duration {
        self.0.set(self.0.get() + Duration::from_micros(1));
        self.0.get()
    }
}

enum Resumed {
    Yielded,
    Complete,
}

enum Work {
    Start { x: u64 },
    Waiting { until: Duration },
}

impl Work {
    fn resume(&mut self, clock: &Clock) -> Resumed {
        let now = clock.now();
        match *self {
            Work::Start { x } => *self = Work::Waiting { until: now + Duration::from_secs(x) },
            Work::Waiting { until } if now >= until => return Resumed::Complete,
            Work::Waiting { .. } => {}
        }
        Resumed::Yielded
    }
}

fn main() {
    let clock = Clock(Cell::new(Duration::ZERO));
    let mut ready = VecDeque::from([1, 2, 4].map(|x| Work::Start { x }));
    let mut resumes = 0;
    while let Some(mut work) = ready.pop_front() {
        resumes += 1;
        match work.resume(&clock) {
            Resumed::Yielded => ready.push_back(work),
            Resumed::Complete => {
                println!("{:.3} s: one is complete, after {resumes} resumes in all", clock.0.get().as_secs_f64())
            }
        }
    }
}
