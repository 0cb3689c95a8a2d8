//! A timer thread that waits for 4 s, and a deadline of 1 s that comes in: a model on a clock that jumps.

/// The thread, from its first wait until it fires. `arrival`: when the deadline of 1 s comes in.
fn fires_at(arrival: f64, is_notified: bool) -> f64 {
    let (mut clock, mut deadlines) = (0.0, vec![4.0]);
    loop {
        let earliest = deadlines.iter().copied().fold(f64::INFINITY, f64::min);
        if earliest <= clock {
            return clock;
        }
        if deadlines.len() == 1 {
            // The other deadline comes in while the thread waits: only a notify ends the wait before its time.
            deadlines.push(1.0);
            clock = if is_notified { arrival } else { earliest };
        } else {
            clock = earliest;
        }
    }
}

fn main() {
    for is_notified in [false, true] {
        let word = if is_notified { "with" } else { "without" };
        println!("{word} a notify: the deadline of 1 s fires at {} s", fires_at(0.5, is_notified));
    }
}
