//! Every order in which a loop that looks whether it is stalled, and a thread that wakes its task, can take their steps.

/// One thing that a thread does while the other does nothing.
#[derive(Clone, Copy, Debug)]
enum Step {
    LookAtQueue,
    CountWakers,
    Enter,
    GiveBack,
}

use Step::*;

/// All orders of two lists in which each keeps its own order.
fn orders(one: &[Step], other: &[Step]) -> Vec<Vec<Step>> {
    let ([first, rest @ ..], [second, others @ ..]) = (one, other) else { return vec![[one, other].concat()] };
    let begins = |step: Step, rest: Vec<Vec<Step>>| rest.into_iter().map(move |order| [vec![step], order].concat());
    begins(*first, orders(rest, other)).chain(begins(*second, orders(one, others))).collect()
}

/// Whether the loop says that it is stalled: it saw an empty queue, and no waker.
fn says_stalled(order: &[Step]) -> bool {
    let (mut is_queued, mut wakers, mut saw_nobody_ready, mut saw_no_waker) = (false, 1, false, false);
    for step in order {
        match step {
            LookAtQueue => saw_nobody_ready = !is_queued,
            CountWakers => saw_no_waker = wakers == 0,
            Enter => is_queued = true,
            GiveBack => wakers -= 1,
        }
    }
    saw_nobody_ready && saw_no_waker
}

fn main() {
    for looks in [[LookAtQueue, CountWakers], [CountWakers, LookAtQueue]] {
        let all = orders(&looks, &[Enter, GiveBack]);
        let wrong: Vec<_> = all.iter().filter(|order| says_stalled(order)).collect();
        println!("{looks:?}: in {} of {} orders the loop says stalled although a wake has come", wrong.len(), all.len());
        for order in wrong {
            println!("  {order:?}");
        }
    }
}
