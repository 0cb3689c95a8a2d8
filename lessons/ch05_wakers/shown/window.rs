//! Every order in which a thread that goes to sleep and one that wakes it can take their steps.

/// One thing that a thread does while the other does nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Look,
    Sleep,
    LookAndSleep,
    Set,
    Notify,
}

/// All orders of two lists in which each keeps its own order.
fn orders(one: &[Step], other: &[Step]) -> Vec<Vec<Step>> {
    let ([first, rest @ ..], [second, others @ ..]) = (one, other) else { return vec![[one, other].concat()] };
    let begins = |step: Step, rest: Vec<Vec<Step>>| rest.into_iter().map(move |order| [vec![step], order].concat());
    begins(*first, orders(rest, other)).chain(begins(*second, orders(one, others))).collect()
}

/// Whether the thread would sleep for ever.
fn sleeps_for_ever(order: &[Step]) -> bool {
    let (mut is_called, mut has_seen_it, mut sleeps) = (false, false, false);
    for step in order {
        match step {
            Step::Look => has_seen_it = is_called,
            Step::Sleep => sleeps = !has_seen_it,
            Step::LookAndSleep => sleeps = !is_called,
            Step::Set => is_called = true,
            // It reaches only who sleeps already.
            Step::Notify => sleeps = false,
        }
    }
    sleeps
}

fn main() {
    for park in [vec![Step::Look, Step::Sleep], vec![Step::LookAndSleep]] {
        println!("park is {park:?}:");
        let all = orders(&park, &[Step::Set, Step::Notify]);
        for order in &all {
            let end = if sleeps_for_ever(order) { "sleeps for ever" } else { "goes on" };
            println!("  {:<32} {end}", format!("{order:?}"));
        }
        let lost = all.iter().filter(|order| sleeps_for_ever(order)).count();
        println!("  lost in {lost} of {} orders", all.len());
    }
}
