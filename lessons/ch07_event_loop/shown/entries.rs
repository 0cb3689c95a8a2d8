//! Five wakes in the first poll of a task, with two kinds of ready queue: a model.

use std::collections::VecDeque;

/// How many entries the wakes make, and how often the task is polled.
fn run(is_looked_for: bool) -> (usize, usize) {
    let (mut ready, mut polls, mut entries) = (VecDeque::from([1]), 0, 0);
    while let Some(number) = ready.pop_front() {
        polls += 1;
        let wakes = if polls == 1 { 5 } else { 0 };
        for _ in 0..wakes {
            if !(is_looked_for && ready.contains(&number)) {
                ready.push_back(number);
                entries += 1;
            }
        }
    }
    (entries, polls)
}

fn main() {
    for (name, is_looked_for) in [("each wake is an entry", false), ("an entry that is there is enough", true)] {
        let (entries, polls) = run(is_looked_for);
        println!("{name}: 5 wakes, {entries} in the queue, {polls} polls");
    }
}
