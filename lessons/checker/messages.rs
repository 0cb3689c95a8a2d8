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

// Chapter 2.

pub fn earliest_was(who: &str, expected: Option<Duration>, seen: Option<Duration>) -> String {
    format!("{who}: `earliest` should be {expected:?} and was {seen:?}.")
}

pub fn resumed_early(who: &str, asked: Duration, after: Duration) -> String {
    format!("{who} asked to go on after {asked:?}, and was resumed after {after:?}.")
}

pub fn looked_in_vain(who: &str, looks: u64, waits: usize) -> String {
    format!(
        "{who}: `run` looked at the clock {looks} times and waited {waits} times. While nobody is ready, no look can find \
         anything before the earliest deadline."
    )
}

/// `1 generator was`, `3 generators were`.
fn generators_were(count: usize) -> String {
    if count == 1 { "1 generator was".to_owned() } else { format!("{count} generators were") }
}

pub fn waited_although_ready(ready: usize, until: Duration) -> String {
    format!(
        "`run` waited until {until:?} on the clock while {} ready: what is ready can go on now.",
        generators_were(ready)
    )
}

pub fn waited_for_another_time(until: Duration, earliest: Duration) -> String {
    format!(
        "nobody was ready, and `run` waited until {until:?} on the clock; the earliest deadline was {earliest:?}: no \
         sooner is there anything to do, and no later is anybody on time."
    )
}

pub fn waited_so_often(sleeps: usize, waits: usize) -> String {
    format!("for {sleeps} sleeps `run` waited {waits} times, on a clock that never came back early.")
}

pub fn waited_for_nobody(waits: usize) -> String {
    format!("all generators were complete, and `run` waited {waits} times: nobody was ready, and nobody slept.")
}

pub fn returned_too_soon(left: usize) -> String {
    format!("`run` returned, and {} not complete: whoever is not complete is ready, or sleeps.", generators_were(left))
}

pub fn run_did_not_return(left: usize, looks: u64, waits: usize) -> String {
    format!(
        "`run` did not return: after {looks} looks at the clock and {waits} waits {} not complete.",
        generators_were(left)
    )
}

pub fn reproduces_nobody_early(generators: usize, resumes: usize) -> String {
    format!(
        "on the scheduler as it was handed out, none of the generators of `reproduce` was resumed before its time \
         (generators: {generators}, resumes: {resumes}). From which moment does that scheduler count a sleep, and what \
         can take time between that moment and the yield?"
    )
}

pub fn resumed_late(ready: usize, resumes: usize) -> String {
    format!(
        "a sleeper's deadline came while {ready} generators were ready, and they were resumed {resumes} times before the \
         sleeper was: does the scheduler look at the clock before each resume?"
    )
}

// Chapter 3.

pub fn pending_so_often(who: &str, expected: usize, seen: usize) -> String {
    format!("{who} should be pending {expected} times before it is ready, and was pending {seen} times.")
}

pub fn never_ready(who: &str, polls: usize) -> String {
    format!(
        "{who} was not ready after {polls} polls: does it ever return `Poll::Ready`, and does each poll go on from where \
         the last one stopped?"
    )
}

pub fn disturbed(who: &str, alone: usize, seen: Option<usize>) -> String {
    let seen = seen.map_or("was never ready".to_owned(), |seen| format!("was pending {seen} times"));
    format!(
        "polled alone, {who} was pending {alone} times; polled in turn with another one, it {seen}: each has to keep its \
         own count."
    )
}

/// Each pair: which part was polled, in which poll of the total.
pub fn part_and_poll(expected: &[(usize, usize)], seen: &[(usize, usize)]) -> Result<(), String> {
    let place = (0..expected.len().max(seen.len())).find(|place| expected.get(*place) != seen.get(*place));
    let Some(place) = place else { return Ok(()) };
    let name = |item: Option<&(usize, usize)>| {
        item.map_or("no part".to_owned(), |(part, poll)| format!("part {part}, in poll {poll} of the total"))
    };
    let before = match place.checked_sub(1).and_then(|before| seen.get(before)) {
        Some((part, poll)) => format!("part {part} was polled in poll {poll} of the total. "),
        None => String::new(),
    };
    Err(format!(
        "{before}The next to be polled should be {}; it was {}.",
        name(expected.get(place)),
        name(seen.get(place))
    ))
}

pub fn ready_in_poll(who: &str, expected: usize, seen: usize) -> String {
    format!("{who} should be ready in poll {expected}, and was ready in poll {seen}.")
}

pub fn polled_after_ready(who: &str, times: usize, is_endless: bool) -> String {
    if is_endless {
        format!(
            "one poll polled {who} {times} times after it was ready: the loop in it has no way on to the next part."
        )
    } else {
        format!("{who} was polled after it was ready.")
    }
}

pub fn context_not_passed_on(poll: usize, expected: usize, seen: usize) -> String {
    format!(
        "in poll {poll} of the total, the parts called the waker {expected} times, and {seen} of the calls came to the \
         waker of that poll."
    )
}

pub fn run_has_no_end(futures: usize, polls: usize) -> String {
    format!("with {futures} futures, the loop had not returned after {polls} polls: does it see that all are ready?")
}

pub fn reproduction_has_no_end(polls: usize) -> String {
    format!(
        "on the loop as it was handed out, the futures of `reproduce` were not ready after {polls} polls, and none was \
         polled after it was ready: let each of them be ready sooner."
    )
}

pub fn polls_nobody_late(futures: usize, polls: usize) -> String {
    format!(
        "on the loop as it was handed out, the {futures} futures of `reproduce` were ready after {polls} polls, and none \
         was polled after it was ready: find futures with which one is."
    )
}

// Chapter 4.

pub fn never_passed_on(who: &str, polls: usize) -> String {
    format!("{who} was not ready after {polls} polls: is each Ready of what is in it passed on?")
}

pub fn ready_in_so_many(who: &str, expected: usize, seen: usize) -> String {
    format!(
        "{who} should be ready in its poll number {expected} and was in number {seen}: it is pending in a poll in which \
         what is in it is pending, and in no other."
    )
}

pub fn poll_has_no_end(polls: usize) -> String {
    format!("one `poll` did not return: it made or polled what is in it {polls} times. What ends its loop?")
}

pub fn another_context(poll: usize) -> String {
    format!(
        "in poll number {poll} the inner future was handed another context than that of this poll, so what it wakes is not \
         the task that waits."
    )
}

pub fn polled_after_its_end(who: &str) -> String {
    format!("{who} was polled again after it was ready.")
}

pub fn too_heavy(who: &str, most: usize, seen: usize) -> String {
    format!(
        "the future of {who} weighs {seen} bytes and should weigh at most {most}: which large variable is still alive at \
         an `.await`?"
    )
}

pub fn began_again(needed: usize, polls: usize, made: usize) -> String {
    format!(
        "it was not ready after {polls} polls and made {made} futures, of which each needs {needed} polls: what becomes of \
         one that is pending when `poll` returns, and of the result of one that is ready?"
    )
}

pub fn made_too_many(needed: usize, made: usize) -> String {
    format!(
        "for {needed} results it made {made} futures: a new one is made only when there is none, and what is an argument of \
         a call is made before the call."
    )
}

pub fn reproduces_too_much(polls: usize) -> String {
    format!(
        "a future of `reproduce`, polled alone, was not ready after {polls} polls: with that no `Repeat` can be ready. Find \
         futures that are ready in a few polls."
    )
}

pub fn a_new_one_was_ready(polls: usize) -> String {
    format!(
        "with the futures of `reproduce` the `Repeat` as it was handed out had a result in its poll number {polls}: find \
         futures with which it never has one."
    )
}
