//! A clock that comes back half way from each wait: nobody is early, for the scheduler looks again.

use std::cell::Cell;
use std::time::Duration;

const MILLISECOND: Duration = Duration::from_millis(1);

struct Clock(Cell<Duration>);

impl Clock {
    fn now(&self) -> Duration {
        self.0.get()
    }

    /// Half of the time that is left, but for the last millisecond.
    fn wait_until(&self, deadline: Duration) {
        let left = deadline.saturating_sub(self.now());
        self.0.set(self.now() + if left > MILLISECOND { left / 2 } else { left });
    }
}

fn main() {
    let clock = Clock(Cell::new(Duration::ZERO));
    let mut sleepers = vec![Duration::from_millis(10)];
    while !sleepers.is_empty() {
        clock.wait_until(sleepers[0]);
        let now = clock.now();
        println!("back at {now:?}");
        while sleepers.first().is_some_and(|deadline| *deadline <= now) {
            println!("the sleeper whose deadline is {:?} wakes", sleepers.remove(0));
        }
    }
}
