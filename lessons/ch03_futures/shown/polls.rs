//! How many polls a loop needs that cannot know when to poll, and how late it is, for pauses of different lengths.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Ready when the clock shows its deadline. Both are in microseconds.
struct Sleep<'a> {
    clock: &'a Cell<u64>,
    deadline: u64,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.clock.get() >= self.deadline { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Sleeps of 1, 2 and 4 seconds, polled in rounds with a pause in between: all polls, and how late each sleep ended.
fn measure(pause: u64) -> (u64, Vec<u64>) {
    let clock = Cell::new(0);
    let mut sleeps =
        [1, 2, 4].map(|x| Sleep { clock: &clock, deadline: 1_000_000 * x }).into_iter().collect::<Vec<_>>();
    let mut context = Context::from_waker(Waker::noop());
    let (mut polls, mut late) = (0, Vec::new());
    loop {
        sleeps.retain_mut(|sleep| {
            polls += 1;
            let is_ready = Pin::new(&mut *sleep).poll(&mut context).is_ready();
            if is_ready {
                late.push(clock.get() - sleep.deadline);
            }
            !is_ready
        });
        if sleeps.is_empty() {
            return (polls, late);
        }
        clock.set(clock.get() + pause);
    }
}

fn main() {
    for pause in [1, 1_000, 300_000, 500_000, 3_000_000] {
        let (polls, late) = measure(pause);
        let late: Vec<String> = late.iter().map(|late| format!("{:.1}", *late as f64 / 1e6)).collect();
        println!("pause {:>8} s: {polls:>7} polls, late by {} s", pause as f64 / 1e6, late.join(", "));
    }
}
