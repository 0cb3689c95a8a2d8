//! E0594

use std::time::Duration;

/// A clock that jumps.
pub struct Virtual {
    pub time: Duration,
}

impl Virtual {
    pub fn wait_until(&self, deadline: Duration) {
        self.time = deadline.max(self.time);
    }
}

fn main() {
    Virtual { time: Duration::ZERO }.wait_until(Duration::from_secs(1));
}
