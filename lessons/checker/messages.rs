//! What a student can read from a check: every message, in one place. What was seen comes with the number of the rule.

use std::time::Duration;

use super::contract::Breach;

pub fn passed(rules: usize) -> String {
    format!(
        "passed. {}",
        if rules == 1 { "The rule is kept.".to_owned() } else { format!("All {rules} rules are kept.") }
    )
}

pub fn broken(rule: &str, seen: &str) -> String {
    format!("Rule {rule}: {seen}")
}

pub fn panicked(text: &str, place: &str) -> String {
    format!("the code panicked{place}: {text}")
}

pub fn no_child(error: &str) -> String {
    format!("No verdict: the check could not be started ({error}). Run it again.")
}

pub fn ended_early(rule: &str, status: &str) -> String {
    format!(
        "No verdict: the program ended while rule {rule} was checked ({status}). Nothing in an exercise may end the process."
    )
}

pub fn overflowed(rule: &str) -> String {
    format!(
        "No verdict: the stack overflowed while rule {rule} was checked. Look for a function that calls itself without end."
    )
}

pub fn no_verdict(rule: &str, limit: Duration) -> String {
    format!(
        "No verdict: while rule {rule} was checked, a call of yours did not return within {} seconds. Look for a loop that \
         has no way out, or for something that waits.",
        limit.as_secs()
    )
}

pub fn too_large(rule: &str, limit: u64) -> String {
    format!(
        "No verdict: while rule {rule} was checked, the program took more than {} MB of memory. Look for a loop that \
         keeps something each time.",
        limit >> 20
    )
}

// The contract checker.

/// What a future did, to be put behind the number of a rule.
pub fn breach(breach: Breach) -> &'static str {
    match breach {
        Breach::ReadyTooSoon => "`poll` returned Ready before there was anything to be ready with.",
        Breach::PendingTooLong => "`poll` returned Pending although what it waits for was there.",
        Breach::KeptNoWaker => {
            "`poll` returned Pending without keeping the waker, so nothing can ever wake this task (1 poll, 0 wakers \
             alive)."
        }
        Breach::WokeNobody => "what the future waits for came, a waker was kept, and nobody called it.",
        Breach::WokeTheOldWaker => {
            "the future was polled with a second waker and then called only the first: the latest one counts."
        }
        Breach::LostTheWakeInTheWindow => {
            "what the future waits for came between the look and the keeping of the waker, and the wake was lost: keep \
             the waker, then look again."
        }
        Breach::KeptOneWakerPerPoll => "ten polls left ten wakers behind: the new one takes the place of the old.",
        Breach::LeakedWakers => "the future was dropped, and a waker that it kept is still alive.",
        Breach::DroppedTooOften => "a waker was dropped more often than it was cloned.",
    }
}

// Chapter 1.

pub fn todo(text: &str, place: &str) -> String {
    format!("there is still a `todo!()`{place} ({}): write it first.", text.trim_start_matches("not yet implemented: "))
}

pub fn first_difference<T: std::fmt::Debug + PartialEq>(what: &str, expected: &[T], seen: &[T]) -> Result<(), String> {
    let place = (0..expected.len().max(seen.len())).find(|place| expected.get(*place) != seen.get(*place));
    let Some(place) = place else { return Ok(()) };
    let name = |item: Option<&T>| item.map_or("nothing".to_owned(), |item| format!("{item:?}"));
    Err(format!(
        "{what}: the {} should be {} and was {} (expected in all: {}, seen: {}).",
        ordinal(place + 1),
        name(expected.get(place)),
        name(seen.get(place)),
        expected.len(),
        seen.len()
    ))
}

fn ordinal(number: usize) -> String {
    let end = match (number % 10, number % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{number}{end}")
}

pub fn yielded_so_many(who: &str, expected: usize, seen: usize) -> String {
    format!("{who} should yield {expected} times before it completes, and yielded {seen} times.")
}

pub fn never_complete(who: &str, resumes: usize) -> String {
    format!(
        "{who} was not complete after {resumes} resumes: does it ever return `Complete`, and does each resume go on from \
         where the last one stopped?"
    )
}

pub fn result_was(expected: &str, seen: &str) -> String {
    format!("the result should be {expected} and was {seen}.")
}

pub fn resumed_after_its_end(who: &str) -> String {
    format!("{who} was resumed after it was complete.")
}

pub fn round_has_no_end(resumes: usize) -> String {
    format!("one round resumed a single generator {resumes} times: it takes in what becomes ready while it runs.")
}

pub fn round_too_long(generators: usize, resumes: usize) -> String {
    format!(
        "one round of {generators} generators made {resumes} resumes: what becomes ready while it runs is for the next \
         round."
    )
}

pub fn reproduces_nothing(resumes: usize) -> String {
    format!(
        "on the scheduler as it was handed out, the round with the generators of `reproduce` returned after {resumes} \
         resumes: find generators with which it does not return."
    )
}

pub fn left_out(generators: usize, resumes: usize) -> String {
    format!("a round of {generators} ready generators made {resumes} resumes: some had no turn in it.")
}

pub fn round_returned(seen: usize, expected: usize) -> String {
    format!("`round` returned {seen}, and {expected} generators were not complete.")
}

pub fn generators_lost(lost: usize) -> String {
    format!("{lost} generators yielded and were never resumed again.")
}
