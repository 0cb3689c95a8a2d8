//! E0277

use std::time::Duration;

/// A generator that sleeps so many times.
pub struct Sleeps {
    pub left: u32,
}

pub fn add(sleepers: &mut Vec<(Duration, Sleeps)>, deadline: Duration, generator: Sleeps) {
    sleepers.push((deadline, generator));
    sleepers.sort();
}

fn main() {
    add(&mut Vec::new(), Duration::from_secs(1), Sleeps { left: 1 });
}
