//! The twin of e0277.rs: only the deadlines are compared, and equal ones keep their order.

use std::time::Duration;

/// A generator that sleeps so many times.
pub struct Sleeps {
    pub left: u32,
}

pub fn add(sleepers: &mut Vec<(Duration, Sleeps)>, deadline: Duration, generator: Sleeps) {
    sleepers.push((deadline, generator));
    sleepers.sort_by_key(|(deadline, _)| *deadline);
}

fn main() {
    add(&mut Vec::new(), Duration::from_secs(1), Sleeps { left: 1 });
}
