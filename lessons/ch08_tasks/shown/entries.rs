//! How many entries and states the wakes of a turn look at: with chapter 7's search in the queue, and with a state.

use std::cell::Cell;

/// The number of a task, which counts how often it is compared.
struct Number<'a>(usize, &'a Cell<usize>);

impl PartialEq for Number<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.1.set(self.1.get() + 1);
        self.0 == other.0
    }
}

/// Wakes each task so often, in turn; what a wake does is `contains` and `push`.
fn with_a_search(tasks: usize, wakes: usize) -> (usize, usize) {
    let compared = Cell::new(0);
    let mut ready = Vec::new();
    for number in (0..wakes).flat_map(|_| 0..tasks) {
        let number = Number(number, &compared);
        if !ready.contains(&number) {
            ready.push(number);
        }
    }
    (compared.get(), ready.len())
}

/// The same, where each task has a state: it says whether there is an entry.
fn with_a_state(tasks: usize, wakes: usize) -> (usize, usize) {
    let (mut looks, mut is_ready, mut ready) = (0, vec![false; tasks], Vec::new());
    for number in (0..wakes).flat_map(|_| 0..tasks) {
        looks += 1;
        if !std::mem::replace(&mut is_ready[number], true) {
            ready.push(number);
        }
    }
    (looks, ready.len())
}

fn main() {
    println!("tasks  wakes  entries  compared by the search  states looked at");
    for (tasks, wakes) in [(10, 1), (100, 1), (1000, 1), (1000, 3)] {
        let ((compared, entries), (looks, others)) = (with_a_search(tasks, wakes), with_a_state(tasks, wakes));
        assert_eq!(entries, others);
        println!("{tasks:5} {:6} {entries:8} {compared:23} {looks:17}", tasks * wakes);
    }
}
