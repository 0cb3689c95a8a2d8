//! Every order in which a thread that sends a job and a loop that takes a turn can take their steps.

/// One thing that a thread does while the other does nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// The job goes into the inbox.
    Push,
    /// An entry goes into the ready queue, and ends a park.
    Wake,
    /// The loop counts its batch.
    Count,
    /// The loop takes the jobs out of the inbox, and runs them.
    Take,
    /// The loop takes the entries of its batch out of the ready queue.
    Poll,
}

use Step::*;

/// All orders of two lists in which each keeps its own order.
fn orders(one: &[Step], other: &[Step]) -> Vec<Vec<Step>> {
    let ([first, rest @ ..], [second, others @ ..]) = (one, other) else { return vec![[one, other].concat()] };
    let begins = |step: Step, rest: Vec<Vec<Step>>| rest.into_iter().map(move |order| [vec![step], order].concat());
    begins(*first, orders(rest, other)).chain(begins(*second, orders(one, others))).collect()
}

/// Whether the loop parks behind this turn, with the job in its inbox.
fn is_left_behind(order: &[Step]) -> bool {
    let (mut jobs, mut ready, mut batch) = (0, 0, 0);
    for step in order {
        match step {
            Push => jobs += 1,
            Wake => ready += 1,
            Count => batch = ready,
            Take => jobs = 0,
            Poll => ready -= batch,
        }
    }
    ready == 0 && jobs > 0
}

fn main() {
    for (sends, turn) in [
        ([Push, Wake], [Count, Take, Poll]),
        ([Push, Wake], [Take, Count, Poll]),
        ([Wake, Push], [Count, Take, Poll]),
        ([Wake, Push], [Take, Count, Poll]),
    ] {
        let all = orders(&sends, &turn);
        let lost: Vec<_> = all.iter().filter(|order| is_left_behind(order)).collect();
        println!("who sends: {sends:?}; the loop: {turn:?}: lost in {} of {} orders", lost.len(), all.len());
        lost.iter().for_each(|order| println!("  {order:?}"));
    }
}
