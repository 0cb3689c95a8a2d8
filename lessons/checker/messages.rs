//! What a student can read from a check: every message, in one place. What was seen comes with the number of the rule.

use std::cmp::Ordering;
use std::time::Duration;

use super::contract::Breach;
use super::threads::Waits;

/// `passed: rules 3.1, 9.1 and 9.3 are kept.`
pub fn passed(rules: &[&str]) -> String {
    let mut rules = rules.to_vec();
    rules.sort_by_key(|rule| rule.split('.').map(|part| part.parse::<u32>().ok()).collect::<Vec<_>>());
    rules.dedup();
    match rules.split_last() {
        Some((last, [])) => format!("passed: rule {last} is kept."),
        Some((last, others)) => format!("passed: rules {} and {last} are kept.", others.join(", ")),
        None => "passed.".to_owned(),
    }
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

/// `case` ends with a comma.
pub fn panicked_in(case: &str, panic: &str) -> String {
    format!("{case} {panic}")
}

/// Where a check was when it did not come back.
pub fn place(rule: &str, function: Option<&str>) -> String {
    function.map_or_else(
        || format!("while rule {rule} was checked"),
        |function| format!("while {function} was called for rule {rule}"),
    )
}

/// What a check asks about a crash where it has no question of its own.
pub const NOTHING_MAY_END_IT: &str = "Nothing in an exercise may end the process.";

/// `question`: what the check asks about a crash there.
pub fn ended_early(place: &str, status: &str, question: Option<&str>) -> String {
    let next = question.unwrap_or(NOTHING_MAY_END_IT);
    format!("No verdict: the program ended {place} ({status}). {next}")
}

pub fn overflowed(place: &str) -> String {
    format!("No verdict: the stack overflowed {place}. Look for a function that calls itself without end.")
}

pub fn no_verdict(place: &str, limit: Duration) -> String {
    format!(
        "No verdict: {place}, a call of yours did not return within {} seconds. Look for a loop that has no way out, or for \
         something that waits.",
        limit.as_secs()
    )
}

pub fn too_large(place: &str, limit: u64) -> String {
    format!(
        "No verdict: {place}, the program took more than {} MB of memory. Look for a loop that \
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
        Breach::WokeNobody => "what the future waits for came, and nobody called its waker.",
        Breach::WokeTheOldWaker => {
            "the future was polled with a second waker and then called only the first: the latest one counts."
        }
        Breach::LostTheWakeInTheWindow => {
            "what the future waits for came between the look and the keeping of the waker, and the wake was lost: look and \
             keep under one lock, or keep the waker first and look after that."
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

pub fn resumed_early_after_a_short_wait(who: &str, asked: Duration, after: Duration) -> String {
    format!("the clock came back early from its wait: {}", resumed_early(who, asked, after))
}

/// Whom a scheduler resumed when many were due.
pub fn woken(who: &str, expected: &[usize], seen: &[usize]) -> Result<(), String> {
    let Some(place) = (0..expected.len()).find(|place| expected.get(*place) != seen.get(*place)) else { return Ok(()) };
    let name = |number: Option<&usize>| number.map_or("nobody".to_owned(), |number| format!("generator {number}"));
    Err(format!(
        "{who}: the {} to be resumed should be {} and was {}.",
        ordinal(place + 1),
        name(expected.get(place)),
        name(seen.get(place))
    ))
}

pub fn passed_over(ready: usize) -> String {
    format!(
        "when a sleeper's deadline came, {} ready, and the sleeper was resumed before any turn of theirs: at which end of \
         the ready queue does it go in?",
        generators_were(ready)
    )
}

pub fn not_all_at_one_look(sleepers: usize, between: usize) -> String {
    format!(
        "at one look the deadlines of {sleepers} sleepers had come, and others, who should have come behind them, were \
         resumed {} between the first and the last of them: does a look make all ready who are due?",
        times(between)
    )
}

pub fn waited_for_what_had_come(now: Duration, waits: usize) -> String {
    format!(
        "on a clock on which a look takes no time, the clock showed {now:?}, which is exactly the deadline of a sleeper, \
         and `run` waited {} for that deadline: from which moment is a sleeper due?",
        times(waits)
    )
}

pub fn looked_in_vain(who: &str, looks: u64, waits: usize) -> String {
    format!(
        "{who}: `run` looked at the clock {} and waited {}. While nobody is ready, no look can find \
         anything before the earliest deadline.",
        times(looks as usize),
        times(waits)
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

pub fn waited_too_long(until: Duration, earliest: Duration) -> String {
    format!(
        "nobody was ready or busy, and `run` waited until {until:?} on the clock; the earliest deadline, counted from the \
         yield, was {earliest:?}: a sleeper is {:?} late.",
        until - earliest
    )
}

pub fn waited_so_often(sleeps: usize, waits: usize) -> String {
    format!(
        "for {} `run` waited {}, on a clock that never came back early: is the clock looked at after the wait, before the \
         next one?",
        counted(sleeps, "sleep"),
        times(waits)
    )
}

pub fn waited_for_nobody(waits: usize) -> String {
    format!("all generators were complete, and `run` waited {}: nobody was ready, and nobody slept.", times(waits))
}

pub fn returned_too_soon(left: usize) -> String {
    format!("`run` returned, and {} not complete: whoever is not complete is ready, or sleeps.", generators_were(left))
}

pub fn run_did_not_return(left: usize, looks: u64, waits: usize) -> String {
    format!(
        "`run` did not return: after {} at the clock and {} {} not complete.",
        counted(looks as usize, "look"),
        counted(waits, "wait"),
        generators_were(left)
    )
}

pub fn worked_without_the_clock(real: Duration) -> String {
    format!(
        "the generators of `reproduce` took {:.1} s of real time, and the clock that they were given did not move: work with \
         that clock.",
        real.as_secs_f64()
    )
}

pub fn generators_have_no_end(resumes: usize) -> String {
    format!(
        "on the scheduler as it was handed out, the generators of `reproduce` were not complete after {}, and none was \
         resumed before its time: let each of them be complete sooner.",
        counted(resumes, "resume")
    )
}

/// Where `reproduce` is right and the function is not.
pub fn part_2(function: &str, seen: &str) -> String {
    format!("Part 1 is done: your `reproduce` shows the defect. Part 2: with your `{function}`, {seen}")
}

pub fn reproduces_nobody_early(generators: usize, resumes: usize, at_least: Duration) -> String {
    format!(
        "on the scheduler as it was handed out, none of the generators of `reproduce` was resumed {at_least:?} or \
         more before its time (generators: {generators}, resumes: {resumes}). What did the clock show at each line of that \
         scheduler's loop, and which of these times does it use later?"
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
    format!("{who} should be pending {} before it is ready, and was pending {}.", times(expected), times(seen))
}

pub fn never_ready(who: &str, polls: usize) -> String {
    format!(
        "{who} was not ready after {polls} polls: does it ever return `Poll::Ready`, and does each poll go on from where \
         the last one stopped?"
    )
}

pub fn disturbed(who: &str, alone: usize, seen: Option<usize>) -> String {
    let seen = seen.map_or("was never ready".to_owned(), |seen| format!("was pending {}", times(seen)));
    format!(
        "polled alone, {who} was pending {}; polled in turn with another one, it {seen}: each has to keep its own count.",
        times(alone)
    )
}

/// Each pair: which part was polled, in which poll of the total.
pub fn part_and_poll(expected: &[(usize, usize)], seen: &[(usize, usize)], result: Option<u32>) -> Result<(), String> {
    let place = (0..expected.len().max(seen.len())).find(|place| expected.get(*place) != seen.get(*place));
    let Some(place) = place else { return Ok(()) };
    let name = |item: Option<&(usize, usize)>| {
        item.map_or("no part".to_owned(), |(part, poll)| format!("part {part}, in poll {poll} of the total"))
    };
    let before = match place.checked_sub(1).and_then(|before| seen.get(before)) {
        Some((part, poll)) => format!("part {part} was polled in poll {poll} of the total. "),
        None => String::new(),
    };
    let was = match (seen.get(place), result) {
        (None, Some(result)) => format!("the total was ready with {result} instead"),
        (part, _) => format!("it was {}", name(part)),
    };
    Err(format!("{before}The next to be polled should be {}; {was}.", name(expected.get(place))))
}

pub fn ready_in_poll(who: &str, expected: usize, seen: usize) -> String {
    format!("{who} should be ready in poll {expected}, and was ready in poll {seen}.")
}

/// Poll numbers are those of the total.
pub fn part_polled_again(part: usize, poll: usize, times: usize, is_endless: bool) -> String {
    if is_endless {
        format!(
            "poll {poll} of the total polled part {part} {times} times after it was ready: the loop in it has no way on to \
             the next part."
        )
    } else {
        format!("part {part} was polled again in poll {poll} of the total, after it was ready.")
    }
}

pub fn sum_was(expected: u32, seen: u32, last: u32, in_last_poll: u32) -> String {
    let what = if seen == in_last_poll {
        ": that is the sum of the parts that were ready in the last poll alone. Where is the sum between two polls?"
    } else if seen == last {
        ": that is the number of the part that came last. What becomes of the others?"
    } else {
        "."
    };
    format!("the result should be {expected} and was {seen}{what}")
}

pub fn context_not_passed_on(poll: usize, expected: usize, seen: usize) -> String {
    format!(
        "in poll {poll} of the total, the parts called the waker {}, and {seen} of the calls came to the waker of \
         that poll.",
        times(expected)
    )
}

/// A loop that polls futures in rounds: which future each of its polls was of.
pub fn polled_in_rounds(expected: &[usize], seen: &[usize], futures: usize) -> Result<(), String> {
    let place = (0..expected.len().max(seen.len())).find(|place| expected.get(*place) != seen.get(*place));
    let Some(place) = place else { return Ok(()) };
    let (who, poll) = (counted(futures, "future"), place + 1);
    Err(match (expected.get(place), seen.get(place)) {
        (Some(expected), Some(seen)) => {
            format!("{who}, polled in rounds: poll {poll} should be of future {expected}, and was of future {seen}.")
        }
        (Some(expected), None) => format!(
            "{who}, polled in rounds: poll {poll} should be of future {expected}, which was not ready, and there was none. \
             Until when do the rounds go on?"
        ),
        _ => format!("{who}, polled in rounds: {} should be enough.", counted(expected.len(), "poll")),
    })
}

pub fn run_has_no_end(futures: usize, polls: usize, not_ready: &[usize]) -> String {
    let who = counted(futures, "future");
    let what = if not_ready.is_empty() {
        "all of them were ready: does it see that?".to_owned()
    } else {
        format!("never polled until ready, so that the result stays `None`: {}.", numbers(not_ready))
    };
    format!("with {who}, the loop had not returned after {}; {what}", counted(polls, "poll"))
}

pub fn results_missing(futures: usize, results: usize, without: &[usize], all_were_ready: bool) -> String {
    let although = if all_were_ready { ", although all were ready" } else { "" };
    format!(
        "{} gave {}. Without a result, since it stayed `None` or was overwritten{although}: {}.",
        counted(futures, "future"),
        counted(results, "result"),
        numbers(without)
    )
}

/// `1, 2, 3, …`
fn numbers(numbers: &[usize]) -> String {
    let first: Vec<String> = numbers.iter().take(5).map(usize::to_string).collect();
    format!("{}{}", first.join(", "), if numbers.len() > 5 { ", …" } else { "" })
}

/// Where `reproduce` is right and `run` is not.
pub fn polled_after_ready(future: usize) -> String {
    format!(
        "Part 1 is done: your futures show the defect. Part 2: your `run` still polled future {future} of the check after it \
         was ready."
    )
}

pub fn reproduction_has_no_end(polls: usize) -> String {
    format!(
        "on the loop as it was handed out, the futures of `reproduce` were not ready after {polls} polls, and none was \
         polled after it was ready: let each of them be ready sooner."
    )
}

pub fn polls_nobody_late(futures: usize, polls: usize) -> String {
    format!(
        "on the loop as it was handed out, `reproduce` returned {}, ready after {}, and none was polled after it was ready: \
         find futures with which one is.",
        counted(futures, "future"),
        counted(polls, "poll")
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

/// What is in `who` wakes the context of each of its polls once.
pub fn wakes_in_poll(who: &str, poll: usize, polls: usize, wakes: usize) -> Result<(), String> {
    if wakes < polls {
        return Err(format!(
            "in poll number {poll} of {who} the inner future was handed another context than that of this poll, so what it \
             wakes is not the task that waits."
        ));
    }
    if wakes > polls {
        return Err(format!(
            "in poll number {poll} of {who} the inner future woke the task {}, and {who} itself woke it too. It has no \
             reason to: a task that wakes itself while it waits is polled without end.",
            times(polls)
        ));
    }
    Ok(())
}

pub fn counted_together(pauses: usize, alone: [usize; 2], in_turn: [usize; 2]) -> String {
    format!(
        "four `Counted`, each around a future that is pending {pauses} times, should count the same. Two that were polled one \
         after the other counted {} and {}, two that were polled in turn {} and {}: they share what they count in.",
        alone[0], alone[1], in_turn[0], in_turn[1]
    )
}

pub fn takes_only_unpin(who: &str) -> String {
    format!(
        "{who} around a future that is not `Unpin` is no future, and those of `async` blocks are not `Unpin`. Take every \
         `F: Future`, and keep it in its place as it was handed out."
    )
}

pub fn polled_after_its_end(who: &str) -> String {
    format!("{who} was polled again after it was ready.")
}

pub fn too_heavy(who: &str, most: usize, seen: usize) -> String {
    format!(
        "the future of {who} weighs {seen} bytes and should weigh at most {most}: which large variable is still alive at \
         an `.await`, or which future that holds one?"
    )
}

pub fn other_page(expected: usize, seen: usize) -> String {
    format!(
        "`PAGE` was handed out as {expected} and is {seen}: make the future lighter, and leave the pages as they are."
    )
}

pub fn reads_without_end(pages: usize, reads: usize) -> String {
    format!("one `poll` of `checksum` of {pages} pages did not return: it read {reads} pages. What ends its loop?")
}

pub fn pauses_without_end(pages: usize, pauses: usize) -> String {
    format!("`checksum` of {pages} pages was not ready after {pauses} pauses: what ends its loop?")
}

/// Each page from 0 on, once and in order.
pub fn each_page_once(pages: usize, reads: &[usize]) -> Result<(), String> {
    let counts = |number: usize| reads.iter().filter(|read| **read == number).count();
    if let Some(page) = reads.iter().find(|page| **page >= pages) {
        return Err(format!("`checksum` of {pages} pages read page {page}, and the pages are numbered from 0."));
    }
    if let Some(page) = (0..pages).find(|page| counts(*page) != 1) {
        let seen = counts(page);
        let seen = if seen == 0 { "never read".to_owned() } else { format!("read {}", times(seen)) };
        return Err(format!("`checksum` of {pages} pages should read each of them once, and page {page} was {seen}."));
    }
    first_difference("the pages in the order in which they were read", &(0..pages).collect::<Vec<_>>(), reads)
}

/// How many pages were read before each pause.
pub fn pauses_after_each_page(pages: usize, reads: &[usize]) -> Result<(), String> {
    if reads.len() != pages {
        let seen = if reads.is_empty() { "never paused".to_owned() } else { format!("paused {}", times(reads.len())) };
        return Err(format!("`checksum` of {pages} pages should pause {}, once after each, and {seen}.", times(pages)));
    }
    let Some(place) = (0..pages).find(|place| reads[*place] != place + 1) else { return Ok(()) };
    Err(format!(
        "`checksum` should read one page and then pause, and so on: before pause number {} it had read {} pages in all.",
        place + 1,
        reads[place]
    ))
}

pub fn pause_wakes_nobody(pause: usize) -> String {
    format!(
        "in pause number {pause} nobody called the waker of the context of that poll. `YieldNow` does so, as it was handed \
         out, when it gets the context: a task that nobody wakes may never be polled again."
    )
}

pub fn made_before_the_first_poll(made: usize) -> String {
    format!(
        "`Repeat::new` called `make` {}: each piece of work is made when its turn has come, in a poll, and is kept from \
         then on.",
        times(made)
    )
}

pub fn began_again(needed: usize, polls: usize, made: usize) -> String {
    format!(
        "`reproduce` is right. Now `Repeat`: with futures of the check, each of which needs {needed} polls, it was not ready \
         after {polls} polls and made {made} futures. What becomes of one that is pending when `poll` returns?"
    )
}

pub fn made_too_many(needed: usize, results: usize, made: usize) -> String {
    let why = if made == needed + 1 {
        "One is made that nobody needs: look at the condition of the loop, and at what is made ahead of its turn."
    } else {
        "A new one is made only when there is none, and what is an argument of a call is made before the call."
    };
    format!("for {needed} results `Repeat` made {made} futures, and it ended with {results} results. {why}")
}

pub fn several_at_a_time(most: usize) -> String {
    format!(
        "`Repeat` had {most} futures at a time that were not ready. It does one piece after the other: the next is made when \
         the one before is ready, and only that one is kept."
    )
}

pub fn results_lost(needed: usize, polls: usize) -> String {
    format!(
        "`Repeat` was not ready after {polls} polls, though {needed} futures in it were, as many as it was to repeat: what \
         becomes of the result of one that is ready?"
    )
}

pub fn polled_on(who: &str, poll: usize, again: usize) -> String {
    format!(
        "in poll number {poll} of {who}, what was pending was polled again in the same poll ({}): while the inner one is \
         pending, {who} is pending.",
        times(again)
    )
}

pub fn pending_for_nobody(who: &str, poll: usize) -> String {
    format!(
        "poll number {poll} of {who} returned Pending, and no future in it did: when one is ready, {who} goes on in the \
         same poll."
    )
}

pub fn ready_too_soon(who: &str, poll: usize) -> String {
    format!("poll number {poll} of {who} returned Ready, and in that poll a future in it was pending.")
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

// Chapter 5.

pub fn waits_for_itself(line: u32) -> String {
    format!(
        "line {line} takes the lock while the same thread holds it: with the `Mutex` of std the thread waits for itself for \
         ever, and the call never returns. Use the guard that is there, or drop it first."
    )
}

pub fn has_another_lock() -> &'static str {
    "the lock is not the `Mutex` of `crate::lock`. With that one the check lets `set` come in whenever it is free: with \
     another one it cannot tell whether anything waits or comes in between."
}

pub fn wakes_itself(polls: usize, wakes: usize, is_kept: bool) -> String {
    let kept = if is_kept {
        "It is kept already: whoever sets the result calls it."
    } else {
        "It is not kept either, so whoever sets the result finds none: keep it, and leave the call to them."
    };
    format!(
        "nothing had come, and {} called the waker of their own poll {}, so that the loop polls without a pause. {kept}",
        counted(polls, "poll"),
        times(wakes)
    )
}

pub fn wakes_those_before(polls: usize, wakes: usize) -> String {
    format!(
        "nothing had come, and {} called wakers of polls before them {}: a waker that is replaced is dropped, and nobody \
         calls it.",
        counted(polls, "poll"),
        times(wakes)
    )
}

pub fn under_the_lock(who: &str, what: &str) -> String {
    let repair = match what {
        "cloned" => "Clone it before you take the lock.",
        _ => "Take the waker out of the slot, let go of the lock, and then end it.",
    };
    format!(
        "{who} held the lock while a waker was {what}. That runs code of others, and code that wants this lock waits for \
         ever. {repair}"
    )
}

fn signed(number: isize) -> String {
    match number {
        0 => "0".to_owned(),
        1.. => format!("+{number}"),
        _ => format!("−{}", number.unsigned_abs()),
    }
}

pub const IS_IT_AN_ARC: &str = "Is an `Arc` made of the pointer, or is it followed in another way? Here it is a key for the \
                                ledger, and there is nothing where it points to.";

pub fn count_changed(function: &str, expected: isize, seen: isize) -> String {
    let why = match function {
        "`clone`" => "it makes one waker, which has one count of its own",
        "`wake_by_ref`" => "it makes no waker, and ends none",
        "`wake`" => "it is the end of one waker, which gives its count back",
        _ => "it is the end of one waker, which gives its count back, and of no other",
    };
    format!("{function} changed the count by {}, and should change it by {}: {why}.", signed(seen), signed(expected))
}

pub fn used_after_its_end(function: &str) -> String {
    format!(
        "{function} reached for the task when its last count was off, or when it was freed: a real task is gone by then. In \
         which order does it do its things?"
    )
}

pub fn freed(function: &str, left: isize, frees: usize) -> String {
    let seen = match (left, frees) {
        (0, 0) => "took off the last count and did not free the task, and nobody is left who could".to_owned(),
        (0, _) => format!("freed the task {}", times(frees)),
        _ => format!("freed the task while its count was {left}, and those wakers still point to it"),
    };
    format!("{function} {seen}: whoever takes off the last one frees the task, once. `take` returns how many are left.")
}

pub fn reaches_for_the_ledger(function: &str, uses: usize) -> String {
    format!(
        "one call of {function} reached for the ledger more than {uses} times: does it call itself, or is there a loop that \
         has no way out?"
    )
}

pub fn clone_differs(what: &str) -> String {
    format!(
        "`clone` returned a waker with another {what}: `will_wake` compares pointer and table, and a clone wakes the same \
         task."
    )
}

/// `name`: the function that belongs there.
pub fn in_another_place(place: usize, name: &str, stands_there: Option<&str>) -> String {
    let called = if name == "release" { "the drop of a waker".to_owned() } else { format!("`waker.{name}()`") };
    let seen =
        stands_there.map_or("what stands there does something else".to_owned(), |name| format!("{name} stands there"));
    format!("the {} place of `TABLE` is what {called} calls, and belongs to `{name}`: {seen}.", ordinal(place))
}

pub fn woke_so_often(function: &str, expected: usize, seen: usize) -> String {
    match (seen, expected) {
        (0, _) => format!("{function} did not wake the task, and should wake it {}.", times(expected)),
        (_, 0) => format!("{function} woke the task {}, and should not wake it.", times(seen)),
        _ => format!("{function} woke the task {}, and should wake it {}.", times(seen), times(expected)),
    }
}

/// Where `reproduce` is right and `block_on` is not.
pub fn block_on_is_next(seen: &str) -> String {
    format!("Part 1 is done: your future shows the defect. Part 2: {seen}")
}

pub fn sleeps_for_ever(polls: usize) -> String {
    format!(
        "`block_on` would sleep for ever: the waker was called, during poll {polls} or after it, and the future was not \
         polled again. Which line forgets the call?"
    )
}

pub fn polled_so_often(expected: usize, seen: usize) -> String {
    format!(
        "a future whose waker is called once or several times after each of its {} pauses should be polled {expected} \
         times, and was polled {seen} times: several wakes before a poll are one.",
        expected - 1
    )
}

pub fn polled_in_vain(polls: usize, calls: usize) -> String {
    let calls = if calls == 0 { "never been called".to_owned() } else { format!("been called {}", times(calls)) };
    format!(
        "`block_on` polled for the {} time, and the waker had {calls}: each wake is good for one more poll, and without a \
         wake there is none.",
        ordinal(polls)
    )
}

pub fn waits_without_sleeping(polls: usize, operations: usize) -> String {
    format!(
        "after poll {polls} nobody called, and `block_on` did {operations} operations on flag and thread and did not sleep: \
         while nobody has called, it parks."
    )
}

pub fn wake_has_no_end(operations: usize) -> String {
    format!(
        "one call of `wake` did {operations} operations on flag and thread: to wake is to say one word and to return."
    )
}

pub fn did_not_look(polls: usize) -> String {
    format!(
        "`park` returned although nobody had called, and the future was polled all the same: poll {polls} had no reason. \
         Look again when `park` comes back."
    )
}

pub fn token_was_taken(polls: usize) -> String {
    format!(
        "`block_on` would sleep for ever: the waker was called during poll {polls}, and then other code in that poll \
         parked and took the token. Look whether there was a call before you park."
    )
}

/// One operation of `block_on`, or in parentheses of the caller.
pub fn step(is_callers: bool, name: &str, argument: Option<bool>, result: Option<bool>) -> String {
    let operation = match (name, argument) {
        ("nothing", _) => return "it returned without a reason".to_owned(),
        ("load", _) => format!("`load` said {}", result.unwrap_or_default()),
        (_, None) => format!("`{name}`"),
        ("store", Some(value)) => format!("`store({value})`"),
        (_, Some(value)) => format!("`{name}({value})` said {}", result.unwrap_or_default()),
    };
    if is_callers { format!("({operation})") } else { operation }
}

pub fn forgets_in_this_order(polls: usize, steps: &[String], unparks_first: bool) -> String {
    let question = if unparks_first {
        "In which order does `wake` do its two things?"
    } else {
        "Which step of `block_on` forgets the call?"
    };
    format!(
        "`block_on` would sleep for ever, although its waker was called. What came after poll {polls}, in parentheses what \
         the caller did: {}. {question}",
        steps.join(", ")
    )
}

pub fn polls_in_this_order(polls: usize, steps: &[String]) -> String {
    format!(
        "poll {polls} had no reason: each call had been answered by a poll before. What came before it, in parentheses what \
         the caller did: {}.",
        steps.join(", ")
    )
}

pub fn has_another_flag() -> &'static str {
    "the flag is not the `AtomicBool` of `crate::atomic`. With that one the check lets a call come in between any two \
     operations on the flag: with another one it cannot tell whether the call is kept."
}

pub fn reproduces_nothing_called(polls: usize, is_given_away: bool) -> String {
    if is_given_away {
        return format!(
            "poll {polls} of the future of `reproduce` was pending and gave its waker away, to a thread or to something that \
             keeps it. Who calls it later is not seen here: call the waker in the poll."
        );
    }
    format!(
        "poll {polls} of the future of `reproduce` was pending, and nobody has its waker or has called it: with that no \
         `block_on` can know when to poll again."
    )
}

pub fn reproduces_without_end(polls: usize) -> String {
    format!(
        "the future of `reproduce` called its waker in each poll, and was still pending after {polls} polls: no `block_on` \
         can be done with it. When is it ready?"
    )
}

pub fn reproduces_no_lost_wake(polls: usize) -> String {
    format!(
        "on the `block_on` as it was handed out, the future of `reproduce` was ready, after {}: find one with which it \
         sleeps for ever. When could the waker be called so that the flag forgets it?",
        counted(polls, "poll")
    )
}

// Chapter 6.

pub fn compared(a: &str, b: &str, expected: Ordering, seen: Ordering) -> String {
    let why = match expected {
        Ordering::Greater => "a fires before b",
        Ordering::Equal => "they are the same in both fields",
        Ordering::Less => "b fires before a",
    };
    format!("with a = {a} and b = {b}, `a.cmp(&b)` should be {expected:?} and was {seen:?}: {why}.")
}

pub fn compared_in_part(a: &str, b: &str, cmp: Ordering, seen: Option<Ordering>) -> String {
    format!(
        "with a = {a} and b = {b}, `a.cmp(&b)` is {cmp:?}, as it should be, and `a.partial_cmp(&b)` is {seen:?}: the heap \
         compares with `partial_cmp`, which has to say the same."
    )
}

pub fn timer_made_in_new() -> &'static str {
    "`new` made a timer, and there is no poll yet whose waker it could call: the first poll that returns Pending makes it."
}

pub fn ready_before_the_deadline(at: Duration) -> String {
    format!("a sleep of 1 s, made when the clock showed 5 s, was Ready when it showed {} s.", at.as_secs_f64())
}

pub fn pending_at_the_deadline() -> &'static str {
    "a sleep of 1 s, made and polled when the clock showed 5 s, was polled again when it showed 6 s, and returned Pending: \
     its deadline, counted from `new`, had come."
}

pub fn deadline_from_the_first_poll(time: Duration, at: Duration) -> String {
    format!(
        "a sleep of {} s was made when the clock showed 0 s, polled for the first time at {} s, and returned Pending: its \
         deadline is counted from `new`.",
        time.as_secs(),
        at.as_secs()
    )
}

pub fn timer_made_when_ready() -> &'static str {
    "a sleep whose deadline had come was polled for the first time, was Ready, and made a timer: nobody waits for that. Look \
     at the clock before you insert."
}

pub fn timers_of_one_sleep(who: &str, polls: usize, made: u64, entries: usize) -> String {
    if made == 0 {
        return format!("{who} was polled {}, returned Pending, and made no timer: nobody will wake it.", times(polls));
    }
    format!(
        "{who} was polled {}, has made {}, and has {entries} now: it should make 1, and keep that.",
        times(polls),
        counted(made as usize, "timer")
    )
}

pub fn timer_fired_early() -> &'static str {
    "the timer of a sleep of 1 s, made when the clock showed 5 s, fired before 6 s: with which deadline was it inserted?"
}

pub fn timer_did_not_fire() -> &'static str {
    "the timer of a sleep of 1 s, made when the clock showed 5 s, did not fire at 6 s: with which deadline was it inserted?"
}

pub fn timer_called(polls: usize, poll: Option<usize>) -> String {
    let seen = poll.map_or("a waker of none of them".to_owned(), |poll| format!("that of poll {poll}"));
    format!(
        "a sleep was polled {}, each time with another waker. Its timer should call the waker of poll {polls}, the latest, \
         and called {seen}.",
        times(polls)
    )
}

pub fn never_has_an_old_waker() -> &'static str {
    "a sleep of `Duration::MAX` was polled a second time, with another waker, and its timer still has the first one."
}

pub fn timer_left_after_drop(who: &str) -> String {
    format!(
        "{who} was dropped while it waited, and its timer is still there. Is there an `impl Drop for Sleep`, and does the \
         `drop` in it remove that timer?"
    )
}

pub fn timer_left_when_due() -> &'static str {
    "a sleep whose deadline had come was dropped before its timer was fired, and the timer is still there: only one that was \
     fired or removed is gone."
}

pub fn timers_left(alive: usize, entries: usize) -> String {
    format!(
        "of 25 sleeps that waited some were dropped, and {alive} are left; there are {}. Does each sleep remove its own timer?",
        counted(entries, "timer")
    )
}

pub fn waker_left() -> &'static str {
    "a sleep was dropped and its timer is gone, and a clone of its waker is still alive: who has it?"
}

pub fn timer_of_another() -> &'static str {
    "a sleep was dropped, and then the timer of another one was not there: which number does `drop` remove?"
}

pub fn sum_too_large(time: &str, now: u32) -> String {
    format!(
        "a sleep of {time} was made when the clock showed {now} s, and a `+` panicked: the sum is more than a `Duration` can \
         hold, and `+` does not stop there."
    )
}

pub fn never_came(time: &str, from: u32, now: u64) -> String {
    format!("a sleep of {time}, made when the clock showed {from} s, was Ready when it showed {now} s.")
}

pub fn never_was_over(what: &str, years: u32) -> String {
    format!("a sleep of `Duration::MAX`, or of a second less, {what} within {}.", counted(years as usize, "year"))
}

pub fn never_was_not_kept(time: &str) -> String {
    format!("a sleep of {time} was polled, returned Pending, and has no timer: its waker is with nobody.")
}

pub fn less_than_no_time() -> &'static str {
    "a `-` of two durations panicked, because the second was the larger one: no `Duration` is less than zero. What is \
     left is `deadline - now`, and only while the deadline is still to come."
}

pub fn fired_early(deadline: Duration, fired: Duration, has_waited: bool, was_cut: bool) -> String {
    let after = match (has_waited, was_cut) {
        (false, _) => ", before the thread had waited at all",
        (true, true) => ", after a wait that an insertion had cut short",
        (true, false) => "",
    };
    format!(
        "a timer with the deadline {} was fired at {}{after}: is the earliest deadline compared with the clock before each \
         `fire`?",
        millis(deadline),
        millis(fired)
    )
}

pub fn not_fired(deadline: Duration, at: Duration) -> String {
    format!(
        "the deadline {} had come, and at {} that timer had not fired: is what is due fired before the thread goes on?",
        millis(deadline),
        millis(at)
    )
}

pub fn waited_until(earliest: Duration, from: Duration, until: Duration) -> String {
    let why = if until < earliest {
        "all that is left until that deadline: before it nothing is due"
    } else {
        "what is left until that deadline, and no longer"
    };
    format!(
        "the earliest deadline was {}, and at {} the thread began to wait {}. A wait lasts for {why}.",
        millis(earliest),
        millis(from),
        until_when(until)
    )
}

pub fn waited_for_no_timer(from: Duration) -> String {
    format!(
        "at {} there was no timer, and the thread began to wait: when it finds none it ends, and the next timer starts \
         another thread.",
        millis(from)
    )
}

pub fn looked_too_often(timers: usize, waits: usize, calls: usize) -> String {
    format!(
        "for {} the thread waited {} and made {}: it looks while nothing is due.",
        counted(timers, "timer"),
        times(waits),
        counted(calls, "call")
    )
}

pub fn thread_left_timers(left: usize, earliest: Duration) -> String {
    format!(
        "the thread ended, and the timer with the deadline {} had not fired (timers left: {left}): it ends only when it finds \
         none.",
        millis(earliest)
    )
}

/// What became of an insertion: a wait after it that was too long, and when it fired.
pub fn became(wait: Option<(Duration, Duration)>, fired: Option<Duration>) -> String {
    let wait = wait.map_or(String::new(), |(from, until)| {
        format!("at {} the thread began to wait {}, and ", millis(from), until_when(until))
    });
    format!("{wait}{}", fired.map_or("it never fired".to_owned(), |fired| format!("it fired at {}", millis(fired))))
}

pub fn not_cut_short(deadline: Duration, inserted: Duration, became: &str) -> String {
    format!(
        "at {}, while the thread waited, a timer with the deadline {} was inserted, and that ended the wait; {became}. When a \
         wait returns, look again which deadline is the earliest.",
        millis(inserted),
        millis(deadline)
    )
}

pub fn fired_late(after: usize, deadline: Duration, inserted: Duration, became: &str, is_stale: bool) -> String {
    let why = if is_stale { ": what it had seen was out of date when it began to wait" } else { "" };
    format!(
        "`reproduce` is right. Now `watch`: with `after: {after}` a timer with the deadline {} was inserted at {}; \
         {became}{why}.",
        millis(deadline),
        millis(inserted)
    )
}

pub fn never_inserted(after: usize, calls: usize) -> String {
    format!(
        "the insertion of `reproduce` never came: the thread as it was handed out makes {} in all, and it is to come after \
         {after}.",
        counted(calls, "call")
    )
}

pub fn insertion_in_time(after: usize, deadline: Duration, fired: Option<Duration>, why: &str) -> String {
    format!(
        "on the thread as it was handed out, the timer of `reproduce` (`after: {after}`, deadline {}) was not late: {}; {why}. \
         Find a place and a deadline with which it is.",
        millis(deadline),
        became(None, fired)
    )
}

fn until_when(until: Duration) -> String {
    if until == Duration::MAX { "without end".to_owned() } else { format!("until {}", millis(until)) }
}

/// `30 ms`, `0.004 ms`.
fn millis(time: Duration) -> String {
    if time == Duration::MAX {
        return "`Duration::MAX`".to_owned();
    }
    let fraction = format!(".{:06}", time.subsec_nanos() % 1_000_000);
    format!("{}{} ms", time.as_millis(), fraction.trim_end_matches('0').trim_end_matches('.'))
}

/// `1 wait`, `3 waits`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn times(count: usize) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

// Chapter 7.

pub fn locked_twice() -> &'static str {
    "the lock was taken while the same thread held it: with the `Mutex` of std the thread would wait for itself for ever. \
     Let go of the first guard, or use it again."
}

pub fn own_thread() -> &'static str {
    "the lock was taken on another thread. The check plays all other threads itself: a wake does what it does on the \
     thread that calls it."
}

pub fn wake_waits() -> &'static str {
    "the thread that called `wake` would wait here, until somebody notifies it. A wake waits for nobody: to wait, and to take \
     the entries, is for the loop's thread."
}

pub fn wake_of_a_task_has_no_end(task: usize) -> String {
    format!("a wake of task {task} did not return: it takes the lock again and again. What ends its loop?")
}

pub fn no_entry(task: usize, others: usize, flag: bool) -> String {
    let flag = if flag { "up" } else { "down" };
    let others = match others {
        0 => "the queue was empty before".to_owned(),
        1 => "1 other task had one".to_owned(),
        others => format!("{others} other tasks had one"),
    };
    format!(
        "task {task} had no entry and was woken, and when `wake` returned it had none either ({others}; its flag is {flag}): \
         nobody will poll it."
    )
}

pub fn lock_kept(task: usize) -> String {
    format!(
        "a wake of task {task} returned, and the lock of the ready queue is still held: nobody can take it any more."
    )
}

pub fn entry_taken_away(task: usize, other: usize) -> String {
    format!("a wake of task {task} took the entry of task {other} out of the queue.")
}

pub fn nobody_notified(task: usize) -> String {
    format!(
        "the loop's thread waited in `take`, task {task} was woken and has an entry, and nobody notified the thread, which \
         waits on."
    )
}

pub fn notified_too_early(task: usize) -> String {
    format!(
        "the loop's thread waited in `take`, and a wake of task {task} notified it before the entry was in the queue: it \
         looked, found nothing, and waits on."
    )
}

pub fn entries_of(task: usize, wakes: usize, entries: usize) -> String {
    format!("task {task} was woken {} before a poll, and has {entries} entries.", times(wakes))
}

pub fn entries_of_two_threads(task: usize, entries: usize) -> String {
    format!(
        "two threads woke task {task} at a time, and it has {entries} entries: the second came in where the first gave the \
         lock back."
    )
}

pub fn entry_without_flag(task: usize) -> String {
    format!(
        "task {task} has an entry, and its flag is down: a wake that looks at the flag makes a second entry. The flag goes up \
         with the entry."
    )
}

pub fn searched(task: usize) -> String {
    format!(
        "task {task} was woken while its flag was up, and `wake` made an entry, as the check had taken the first one out of the \
         queue: it searched the queue. The flag alone says whether to make one."
    )
}

pub fn taken_in_the_middle(task: usize) -> String {
    format!(
        "where a wake of task {task} gave the lock back, the loop's thread took all entries and put the flags down; then the wake \
         went on, and now the task has an entry and its flag is down. Flag and entry belong under one lock."
    )
}

pub fn entry_moved(task: usize) -> String {
    format!("task {task} had an entry and was woken again: the entry moved, and should stay at its place in the queue.")
}

/// Tasks and turns of a loop are numbered as the check makes them: the first task is 0, the first turn 1.
pub fn polled_without_a_reason(task: usize, turn: usize, again: bool) -> String {
    let again = if again { " a second time" } else { "" };
    format!(
        "turn {turn} polled task {task}{again}, and since its last poll neither the task nor anybody it waits for had woken it. \
         Whom a turn polls is in the ready queue, an entry is good for one poll, and the turn itself makes none."
    )
}

pub fn polled_another(task: usize, turn: usize, seen: &str) -> String {
    let seen = seen.split_once(". ").map_or(seen, |(seen, _)| seen);
    format!(
        "{seen}. Task {task} had an entry when turn {turn} began, and was not polled. Is each task still at its number, and is \
         that number in its waker?"
    )
}

pub fn nobody_at_that_number(turn: usize, seen: &str) -> String {
    format!(
        "in turn {turn} {seen}. Each task keeps its number as its place, also when others are over: is each still at its number?"
    )
}

pub fn polled_for_each_wake(task: usize, turn: usize) -> String {
    format!(
        "task {task} was woken several times before its poll, and turn {turn} polled it more than once: it had an entry for \
         each wake. What does a wake do if its task has an entry?"
    )
}

pub fn polled_too_soon(task: usize, turn: usize, was_spawned: bool) -> String {
    let what = if was_spawned { "spawned" } else { "woken" };
    format!(
        "task {task} was {what} by a poll of turn {turn}, and turn {turn} polled it. It was not ready when the turn began, so it \
         is for the next one."
    )
}

pub fn passed_by(task: usize, turn: usize, later: Option<usize>) -> String {
    let later =
        later.map_or("and no turn ever polled it".to_owned(), |later| format!("and was polled by turn {later}"));
    format!(
        "task {task} had an entry when turn {turn} began, was not polled by it, {later}: a turn polls all who are ready."
    )
}

pub fn out_of_order(turn: usize, expected: &[usize], seen: &[usize]) -> String {
    let place = (0..expected.len()).find(|place| expected[*place] != seen[*place]).unwrap_or(0);
    format!(
        "turn {turn}, with {} entries in the queue: the {} to be polled should be task {} and was task {}. Who was woken first \
         is polled first.",
        expected.len(),
        ordinal(place + 1),
        expected[place],
        seen[place]
    )
}

pub fn turn_has_no_end(turn: usize, polls: usize) -> String {
    if polls == 0 {
        return format!(
            "turn {turn} had polled nobody and did not return: a turn with nothing to poll is over at once."
        );
    }
    format!("turn {turn} did not return, after {polls} polls: what becomes ready while it runs is for the next one.")
}

pub fn wake_in_turn_lost(task: usize, turn: usize, was_polled: bool) -> String {
    let when = if was_polled { "in its poll of" } else { "by another task's poll in" };
    format!(
        "task {task} was woken {when} turn {turn}, and no later turn polled it: the wake was lost. Which line took its entry \
         out of the queue, and when?"
    )
}

pub fn not_kept(task: usize) -> String {
    format!(
        "task {task} was pending, was woken after that, and was never polled again: what becomes of a future that is pending, and \
         whose waker did it get?"
    )
}

pub fn polled_under_the_lock(task: usize) -> String {
    format!(
        "while task {task} was polled the lock of the ready queue was held, so a wake in that poll would wait for ever{}",
        how_long_guards_live()
    )
}

/// What follows where somebody holds a guard longer than it seems.
pub fn how_long_guards_live() -> &'static str {
    ". How long does each guard live? One that is made in the head of a `for`, `while let`, `if let` or `match` lives to the \
     end of its block."
}

pub fn dropped_under_the_lock(task: usize) -> String {
    format!(
        "while task {task} was dropped the lock of the ready queue was held: a wake in its destructor would wait for ever."
    )
}

pub fn spawn_panicked(task: usize, when: &str, seen: &str) -> String {
    format!("task {task} called `spawn` {when}, and {seen}. Who holds what `spawn` needs?")
}

pub fn spawned_and_lost(task: usize, turn: usize) -> String {
    format!(
        "task {task} was spawned by another one, in turn {turn}, and no turn polled it: what becomes of a task that `spawn` \
         puts in while a turn runs?"
    )
}

pub fn polled_when_over(task: usize, turn: usize) -> String {
    format!("task {task} was over, was woken, and was polled again by turn {turn}.")
}

pub fn wake_of_a_dead_task_panicked(task: usize, turn: usize, seen: &str) -> String {
    format!("task {task} was over and was woken once more; then came turn {turn}, and {seen}.")
}

pub fn passed_by_beside(task: usize, dead: usize, turn: usize) -> String {
    format!(
        "before turn {turn} task {dead} was woken, which was over, and task {task}, which was not; and no turn polled task \
         {task}. What does `turn` do with the rest when it meets an entry of a task that is over?"
    )
}

pub fn never_dropped(task: usize) -> String {
    format!(
        "task {task} is over, and two turns later its future was not dropped yet. Its destructor has to run, while the loop \
         holds nothing."
    )
}

pub fn reproduction_panicked(seen: &str) -> String {
    format!(
        "with the task of `reproduce` it is not `spawn` that panics on the loop as it was handed out: {seen}. Let the task do \
         what a task may do."
    )
}

pub fn reproduce_panicked(seen: &str) -> String {
    format!("`reproduce` itself panicked, before it returned a task: {seen}.")
}

/// How often the task called `spawn` in polls, whether it has a destructor that does, how often `reproduce` did itself, and
/// how many tasks are not over.
pub fn reproduces_no_panic(in_polls: usize, has_a_destructor: bool, before: usize, left: usize) -> String {
    let left = match left {
        0 => "All tasks were over".to_owned(),
        1 => "1 task was never over".to_owned(),
        left => format!("{left} tasks were never over"),
    };
    let (calls, question) = match (in_polls, before) {
        (1.., _) if has_a_destructor => (
            "a destructor ran and called `spawn`, but still within the last poll, while the loop holds nothing"
                .to_owned(),
            "What keeps a value beyond that poll?",
        ),
        (calls @ 1.., _) => (
            format!("`spawn` was called in a poll ({}), while the loop holds nothing", times(calls)),
            "Which code of a task runs after its last poll (a destructor within that poll is too early), and what does the loop \
             hold at that moment?",
        ),
        (0, 0) => ("nobody called `spawn`".to_owned(), CODE_THAT_IS_NO_POLL),
        (0, _) => (
            "`spawn` was called before `reproduce` returned, when the loop had no task".to_owned(),
            CODE_THAT_IS_NO_POLL,
        ),
    };
    format!("with the task of `reproduce` the loop as it was handed out did not panic: {calls}. {left}. {question}")
}

const CODE_THAT_IS_NO_POLL: &str =
    "When does code of a task run that is not a poll, and what does the loop hold at that moment?";

pub fn slots_are_left(tasks: usize, left: usize) -> String {
    format!(
        "{tasks} tasks are over, and `slots` still has {left} entries: a task that is over has no slot, not even an empty \
         one."
    )
}

pub fn now_turn(seen: &str) -> String {
    format!("`reproduce` is right. Now `turn`: {seen}")
}

// Chapter 8.

/// What `next` made of an event, and why that is wrong. `seen` is `None` where it panicked.
pub fn state_after(state: &str, event: &str, seen: Option<Option<&str>>, is_arrow: bool) -> String {
    let what = match event {
        "Wake" => "the task is woken",
        "Poll" => "the loop begins to poll the task",
        "Pending" => "the poll returns pending",
        _ => "the poll returns ready",
    };
    let answer = match seen {
        None => "panics".to_owned(),
        Some(None) => "says that this cannot come".to_owned(),
        Some(Some(to)) if to == state => "leaves it there".to_owned(),
        Some(Some(to)) if is_arrow => format!("makes it {to}"),
        Some(Some(to)) => format!("makes it {to}, where no arrow leads"),
    };
    let why = match (state, event) {
        ("Waiting", "Wake") => "somebody has a reason to have it polled again",
        ("Running", "Wake") => "it is being polled, and when this poll returns, one more has to come",
        ("Over", "Wake") => "a waker may be called long after the end, and then nothing changes",
        (_, "Wake") => "one more poll will come anyway, and a second wake changes nothing",
        ("Ready", "Poll") => "whoever is in the ready queue gets its turn",
        (_, "Poll") => "only a task in the ready queue is polled, so this cannot come, and `next` says so with `None`",
        ("Running", "Pending") => "nobody woke it during this poll, so it is polled again when somebody does",
        ("Woken", "Pending") => "it was woken during this poll, and that wake is good for one more",
        ("Running" | "Woken", _) => {
            "that is its end, whether somebody woke it meanwhile or not, and nobody polls it again"
        }
        _ => "no poll of it is under way, so this cannot come, and `next` says so with `None`",
    };
    format!("({state}, {event}): {what}, and `next` {answer}: {why}.")
}

/// When a poll of the work panicked.
pub fn in_work(is_over: bool, is_awaited: bool) -> &'static str {
    match (is_over, is_awaited) {
        (true, true) => "a task ended, and somebody had awaited its handle",
        (true, false) => "a task ended, and nobody had awaited its handle",
        (false, true) => "a task that had not ended was polled, and somebody had awaited its handle",
        (false, false) => "a task that had not ended was polled, and nobody had awaited its handle",
    }
}

/// When a poll of the handle panicked.
pub fn in_handle(is_over: bool) -> &'static str {
    if is_over {
        "a task was over, and its handle was awaited"
    } else {
        "a handle was awaited, and its task was not over"
    }
}

/// A panic, and what the check was doing.
pub fn panicked_when(moment: &str, panic: &str) -> String {
    format!("{moment}: {panic}")
}

pub fn handle_ready_too_soon() -> &'static str {
    "a handle was ready while the future of its task was not: there is no result yet, so it is pending."
}

pub fn task_not_over(needed: usize, polls: usize) -> String {
    format!(
        "a future that is ready in its poll number {needed} was polled {} in all: the loop polls the work until that \
         is ready, and the work polls the future until that is ready.",
        times(polls)
    )
}

pub fn result_not_given(awaited: &str) -> String {
    format!(
        "a task was over, and its handle was pending all the same. It was awaited {awaited}. Where does the end of \
         the work leave the result, and does each poll of the handle look there before anything else?"
    )
}

pub fn result_was_a_panic() -> &'static str {
    "a future was ready with a value, nothing panicked, and its handle gave an `Err`."
}

pub fn results_left(tasks: usize, left: usize) -> String {
    format!(
        "{tasks} tasks are over, their handles and all that they gave are dropped, and {left} results are still there."
    )
}

pub fn woken_before_the_end(wakes: usize) -> String {
    format!(
        "a handle was awaited, its task was not over, and the waker was called {}: only the end of the task is a \
         reason to look again.",
        times(wakes)
    )
}

pub fn waker_left_at_the_end() -> &'static str {
    "a task was over, whoever awaited its handle was woken, and a waker was still kept in the slot: the end takes it out. \
     While it is there, the loop takes its task for one that can still be woken (rule 8.7)."
}

pub fn waker_left_by_the_last_poll() -> &'static str {
    "a handle was ready, and the waker of that poll was still kept in the slot: nobody will call it. \
     While it is there, the loop takes its task for one that can still be woken (rule 8.7)."
}

pub fn end_woke_others(own: usize, others: usize) -> String {
    format!(
        "many handles were awaited, each with a waker of its own, and one task came to its end: its waker was called {}, \
         and of the other tasks, which were not over, {} called.",
        times(own),
        if others == 1 { "1 waker was".to_owned() } else { format!("{others} wakers were") }
    )
}

pub fn panic_escaped(poll: usize, has_handle: bool) -> String {
    format!(
        "a future{} panicked in its poll number {poll}, and a panic came out of the work: on a loop it would take all \
         other tasks with it.",
        if has_handle { "" } else { " whose handle was dropped" }
    )
}

pub fn not_over_after_a_panic(poll: usize) -> String {
    format!(
        "a future panicked in its poll number {poll}, and the work was pending: nothing is left that could be polled."
    )
}

pub fn panic_swallowed() -> &'static str {
    "a future panicked, and whoever awaited its handle waits for ever: the panic is a result like any other, so it is \
     put into the slot, and the waiter is woken."
}

pub fn handle_panicked() -> &'static str {
    "a future panicked, and so did the poll of its handle: the panic is the result, as an `Err`, and whoever awaits \
     it decides what becomes of it."
}

pub fn other_panic() -> &'static str {
    "a future panicked, and the `Err` in its result is not what it panicked with."
}

pub fn panicked_as_it_was_dropped() -> &'static str {
    "a handle was dropped before its task was over, and that panicked: whoever does not want the result may drop it."
}

pub fn panicked_without_its_handle() -> &'static str {
    "a handle was dropped before its task was over, and the work panicked: nobody is there to take the result, and \
     that is no error."
}

pub fn stopped_without_its_handle(expected: usize, seen: usize) -> String {
    format!(
        "a handle was dropped before its task was over, and the future was polled {} instead of {}: it was not run \
         to its end.",
        times(seen),
        times(expected)
    )
}

pub fn result_left_without_its_handle() -> &'static str {
    "a handle was dropped, its task is over, the work is dropped too, and the result is still there."
}

pub fn polled_within_task(polls: usize) -> String {
    format!("`task` itself polled the future {}: only the loop polls, and what it polls is the work.", times(polls))
}

pub fn work_goes_on(poll: usize) -> String {
    format!(
        "in poll number {poll} of the work the future was ready, and the work was pending: when the result is there, \
         the task is over."
    )
}

pub fn future_not_polled(poll: usize) -> String {
    format!("poll number {poll} of the work did not poll the future, which was not ready yet.")
}

/// Where `reproduce` is right and the loop is not.
pub fn part_2_the_loop(seen: &str) -> String {
    format!("Part 1 is done: your `reproduce` shows the defect. Part 2: on your loop, {seen}")
}

pub fn reproduction_wakes_itself(polls: usize) -> String {
    format!(
        "on the loop as it was handed out, `run` polled the future of `reproduce` more than {polls} times: it wakes \
         itself in each poll. Let it wait, and be woken by nobody."
    )
}

pub fn reproduces_one_that_is_over(polls: usize) -> String {
    format!(
        "on the loop as it was handed out, the future of `reproduce` was ready in poll {polls}, and then it was \
         dropped. Find one that still waits when the loop is dropped."
    )
}

pub fn reproduces_one_that_is_dropped() -> &'static str {
    "the future of `reproduce` waited, and was dropped with the loop as it was handed out: nobody else owned what it \
     was in. Whom could the future itself keep there?"
}

pub fn wakes_with_another_lock() -> &'static str {
    "a wake took no lock of `crate::lock`: leave `use crate::lock::Mutex`, and let the ready queue be in one of those. The \
     check cannot see the moments of a wake otherwise."
}

fn dropped(futures: usize) -> String {
    let futures = if futures == 1 { "1 future was".to_owned() } else { format!("{futures} futures were") };
    format!("{futures} dropped while the tasks waited and the loop was there")
}

pub fn dropped_without_a_waker(futures: usize) -> String {
    format!(
        "{}: of these nobody had kept a waker, and where somebody had, the future is still there. With your loop a waker \
         owns the future.",
        dropped(futures)
    )
}

pub fn dropped_after_its_poll(futures: usize) -> String {
    format!("{}, each after a poll in which it was pending. Who owns a future between two polls?", dropped(futures))
}

pub fn dropped_for_another(futures: usize) -> String {
    format!("{}. Does a task that is spawned ever take the place of one that waits?", dropped(futures))
}

pub fn left_when_over(over: usize, left: usize) -> String {
    format!(
        "of {over} tasks that are over, {left} futures are still there: a future that was ready is dropped before the \
         next task is polled."
    )
}

pub fn left_with_the_loop(waiting: usize, never_polled: usize, have_wakers: bool) -> String {
    format!(
        "the loop was dropped, and futures are still there: {waiting} of tasks that waited, {never_polled} of tasks \
         that were never polled. {}",
        if have_wakers {
            "The only wakers that are left are in these futures themselves: what does a waker own?"
        } else {
            "Nobody has kept a waker. Who else owns them?"
        }
    )
}

pub fn left_to_the_wakers(tasks: usize, left: usize) -> String {
    format!(
        "the loop was dropped, and {left} of {tasks} futures are still there, because somebody else has kept wakers: \
         what does a waker own that it does not need?"
    )
}

pub fn left_to_a_wake(tasks: usize, left: usize) -> String {
    format!(
        "the loop was dropped while another thread was in the middle of a wake, and {left} of {tasks} futures were \
         not dropped then: for as long as that wake takes it owns them, and its thread would have to drop them."
    )
}

pub fn late_wake_panicked() -> &'static str {
    "a waker was called after its loop was dropped, and that panicked: whoever calls it does not know, so it changes nothing."
}

pub fn does_not_return(is_dropped: bool) -> String {
    let what = if is_dropped {
        "a loop with one task that waits was dropped, and that"
    } else {
        "`run` with one task that waits"
    };
    format!("{what} did not come to an end: it took locks without end, while no task was ready. What does it wait for?")
}

pub fn polls_for_wakes(what: &str, expected: usize, seen: usize) -> String {
    format!(
        "{what} was polled {}. {}",
        times(seen),
        match expected {
            1 => "Due was 1: nobody had woken it since it was spawned.".to_owned(),
            _ => format!(
                "Due were {expected}: one when it was spawned, and {} for its wakes, where all that come from the beginning \
                 of one poll to that of the next are one.",
                if expected == 2 { "one".to_owned() } else { (expected - 1).to_string() }
            ),
        }
    )
}

pub fn polled_without_end(polls: usize) -> String {
    format!("one `run` did not return: it polled a task more than {polls} times, and nobody had woken it so often.")
}

pub fn woke_another_task() -> &'static str {
    "the wakers of tasks that are over were called, and tasks were polled that were spawned after those: a waker is \
     for one task, also when that is over."
}

pub fn locked_in_a_wake(what: &str, first: u32, second: u32) -> String {
    format!(
        "{what}, and the lock that line {second} takes for the wake was held since line {first}: the thread would \
         wait for itself for ever. Let go of the guard before code of a task can run."
    )
}

pub fn locked_in_the_loop(first: u32, second: u32) -> String {
    format!(
        "no future woke a task, and line {second} takes a lock that the same thread holds since line {first}: it \
         would wait for itself for ever."
    )
}

// Chapter 9.

pub fn gathered_and_not_ready(tasks: usize, given: usize) -> String {
    if given < tasks {
        return format!(
            "{} had ended, {given} had been asked for the result, and the gather stayed pending: in each poll, poll each of \
             the others.",
            counted(tasks, "task")
        );
    }
    format!(
        "{} had ended, all had given their results, and the gather stayed pending: where is each result between two \
         polls, and does it look at all of them?",
        counted(tasks, "task")
    )
}

pub fn gathered_too_soon(tasks: usize, running: &[usize]) -> String {
    format!(
        "a gather of {} was ready while {} had not ended: when is nothing missing any more?",
        counted(tasks, "task"),
        task_numbers(running)
    )
}

/// `task 4`, or `tasks 4, 11, 18`
fn task_numbers(tasks: &[usize]) -> String {
    format!("{} {}", if tasks.len() == 1 { "task" } else { "tasks" }, numbers(tasks))
}

pub fn gather_did_not_ask(poll: usize, tasks: usize, not_asked: &[usize]) -> String {
    format!(
        "poll number {poll} of a gather of {} found no result, and returned pending without polling {}: if one of those ends \
         now, the gather is not woken, and could not pass a failure on. In each poll, poll all that have given nothing.",
        counted(tasks, "task"),
        task_numbers(not_asked)
    )
}

pub fn handle_polled_again(task: usize, tasks: usize) -> String {
    format!(
        "in a gather of {}, the handle of task {task} was polled after it had given its result. It has no other, and says \
         pending: remember which have given theirs.",
        counted(tasks, "task")
    )
}

pub fn polls_on_and_on(tasks: usize, polls: usize) -> String {
    format!(
        "in a gather of {}, one `poll` polled handles {polls} times and had not returned: who is pending is not ready sooner \
         for being asked again. Return pending.",
        counted(tasks, "task")
    )
}

pub fn nothing_was_pending() -> String {
    "a gather of no tasks was pending in its first poll: nobody is there who could wake it.".to_owned()
}

pub fn nothing_gave_something(results: usize) -> String {
    format!("a gather of no tasks was ready with {}.", counted(results, "result"))
}

pub fn gather_sleeps_for_ever(who: &str, tasks: usize) -> String {
    format!(
        "{} had ended, {who} was pending, and nobody called the waker of its latest poll, so it is never polled again. \
         It may return pending only if a task that has not ended has the waker of that poll.",
        counted(tasks, "task")
    )
}

pub fn wakes_itself_in(who: &str, poll: usize) -> String {
    format!(
        "poll number {poll} of {who} called the waker of its own context and returned pending. What the next poll could see \
         without an event, this one can see as well; and with an event comes a wake: a task that ends wakes whoever waits."
    )
}

pub fn gathers_without_end(polls: usize) -> String {
    format!(
        "the gather polled handles, or was polled itself, {polls} times while the clock stood still: while nothing has changed \
         there is nothing to look for. Await the handles, and let the tasks wake you."
    )
}

pub fn gather_stalled(tasks: usize, over: usize) -> String {
    let why = if over == tasks {
        "nobody wakes the gather: which waker did its last poll leave with the handles?"
    } else {
        "nobody begins the others, or wakes them."
    };
    format!("of {} {over} had ended, and everything stood still: {why}", counted(tasks, "future"))
}

pub fn nothing_was_spawned(task: usize, tasks: usize, second: u64) -> String {
    format!(
        "of {} number {task} began when the clock showed {second} s, and should have begun at 0 s. Nothing was spawned: a \
         future that is only awaited is no task.",
        counted(tasks, "future")
    )
}

pub fn task_began_late(task: usize, tasks: usize, second: u64) -> String {
    format!(
        "of {} number {task} began when the clock showed {second} s, and should have begun at 0 s. Which line makes the tasks, \
         and does it run for all of them before the first await?",
        counted(tasks, "future")
    )
}

/// `25 tasks, of which 1 panicked, gave 24 outcomes.`
pub fn of_tasks(tasks: usize, panicked: usize, outcomes: usize) -> String {
    format!("{}, of which {panicked} panicked, gave {}.", counted(tasks, "task"), counted(outcomes, "outcome"))
}

pub fn outcome_missing(who: &str, task: usize, panics: bool) -> String {
    let how = if panics { "panicked, and its panic" } else { "gave a result, and that" };
    format!("{who} Number {task} {how}, as it came from the handle, is not among them.")
}

pub fn outcome_not_awaited(who: &str, task: usize) -> String {
    format!("{who} Number {task} had not ended by then: a settled gather waits for all.")
}

pub fn outcomes_too_many(tasks: usize, outcomes: usize) -> String {
    format!("{} gave {}.", counted(tasks, "task"), counted(outcomes, "outcome"))
}

pub fn panic_went_on(tasks: usize, text: &str) -> String {
    format!(
        "in a gather of {} a panic went on into whoever gathers (\"{text}\"), and all outcomes are lost. In an `Outcome` a \
         panic is a value: keep it there.",
        counted(tasks, "task")
    )
}

pub fn panic_without_a_task(futures: usize, text: &str) -> String {
    format!(
        "in a gather of {} a panic went on into whoever gathers (\"{text}\"), and all outcomes are lost. Nothing was spawned, \
         and only a task keeps its panic.",
        counted(futures, "future")
    )
}

pub fn ends_only_without_panics(tasks: usize) -> String {
    format!(
        "a gather of {} in which a task panics was never ready, and without a panic it is: what becomes of an Err?",
        counted(tasks, "task")
    )
}

pub fn reproduces_too_many(tasks: usize, most: usize) -> String {
    format!("`reproduce` returned {tasks} tasks, and fewer do as well: at most {most}.")
}

pub fn reproduces_no_error(tasks: usize) -> String {
    format!("`reproduce` returned {}, of which none fails: which error could come late?", counted(tasks, "task"))
}

pub fn reproduces_no_late_error(tasks: usize, second: u64) -> String {
    format!(
        "on `try_gather` as it was handed out, the first error of `reproduce` ({}) came at {second} s and was returned at \
         {second} s: which way do so many tasks go in it, and in what order do they end?",
        counted(tasks, "task")
    )
}

pub fn error_came_late(tasks: usize, second: u64, seen: Option<u64>) -> String {
    let seen = seen.map_or("was never returned".to_owned(), |seen| format!("was returned at {seen} s"));
    format!("the first error of {} came at {second} s and {seen}: what did it wait for?", counted(tasks, "task"))
}

pub fn error_swallowed(tasks: usize, second: u64, seen: u64, values: usize) -> String {
    format!(
        "the first error of {} came at {second} s, and at {seen} s the gather returned Ok with {}: what becomes of an Err?",
        counted(tasks, "task"),
        counted(values, "value")
    )
}

pub fn other_error(expected: &str, seen: &str) -> String {
    format!("the error should be \"{expected}\", as its task gave it, and was \"{seen}\".")
}

pub fn error_of_nobody(tasks: usize, text: &str) -> String {
    format!("a gather of {}, of which none failed, returned the error \"{text}\".", counted(tasks, "task"))
}

// Chapter 10.

pub fn a_timeout(limit: u64, ready: u64) -> String {
    format!("with a limit of {limit} s and a future that is ready at {ready} s,")
}

fn timeout_result(result: Option<u64>) -> &'static str {
    if result.is_some() { "`Some`" } else { "`None`" }
}

pub fn timeout_gave(
    who: &str,
    expected: (u64, Option<u64>),
    seen: (u64, Option<u64>),
    future_was_ready: bool,
) -> String {
    let why = match (expected.1, seen.1) {
        (Some(_), None) if future_was_ready => "the result was there, and is thrown away.",
        (Some(_), None) if seen.0 >= expected.0 => "ask the future in each poll, and before the clock.",
        (Some(_), None) => "the time was not over. A future that is pending may go on until the sleep is ready.",
        _ => "it can be ready as soon as one of the two is. Ask both in each poll.",
    };
    format!(
        "{who} the timeout should be ready with {} at {} s, and was with {} at {} s: {why}",
        timeout_result(expected.1),
        expected.0,
        timeout_result(seen.1),
        seen.0
    )
}

pub fn timeout_asks_the_clock_first(who: &str, second: u64) -> String {
    format!(
        "{who} the timeout asked the sleep before the future at {second} s: ask the future first, for one that is ready \
         needs no clock."
    )
}

pub fn timeout_never_ready(who: &str, second: u64) -> String {
    format!("{who} the timeout was polled in each second, and was pending still at {second} s.")
}

pub fn dropped_too_soon(who: &str, second: u64) -> String {
    format!(
        "{who} the timeout dropped its future at {second} s, when neither had come: a future that is pending stays where it \
         is until the sleep is ready."
    )
}

pub fn too_slow_and_not_dropped(who: &str) -> String {
    format!(
        "{who} the timeout was ready with `None`, and its future was still there: what it holds is not free until it is \
         dropped."
    )
}

pub fn timeout_spins(who: &str, of_future: usize, of_sleep: usize) -> String {
    format!(
        "{who} one `poll` polled the future {} and the sleep {}, and had not returned: the clock goes on only when it does. \
         Return pending.",
        times(of_future),
        times(of_sleep)
    )
}

pub fn timeout_wakes_itself(poll: usize) -> String {
    format!(
        "poll number {poll} of the timeout called the waker of its own context and returned pending: the sleep calls it at \
         the deadline, and the future when it can go on."
    )
}

pub fn timeout_sleeps_on(who: &str, second: u64, is_result: bool) -> String {
    let (what, whom) = if is_result { ("the future was ready", "future") } else { ("the time was over", "sleep") };
    format!(
        "{who} {what} at {second} s, and the waker of the timeout's latest poll was not called: give the context of \
         each poll to the {whom}."
    )
}

/// When a task was cancelled.
#[derive(Clone, Copy, PartialEq)]
pub enum Moment {
    BeforeTheStart,
    Asleep,
    Woken,
    Within,
    WithinAndReady,
    AfterTheEnd,
    Never,
}

/// Which call of `cancel`.
#[derive(Clone, Copy)]
pub enum CancelCall {
    First,
    Again,
    InTheDestructor,
    AfterItsEnd,
}

pub fn cancelled(moment: Moment, polls: usize) -> String {
    match moment {
        Moment::BeforeTheStart => "a task was cancelled before its first poll,".to_owned(),
        Moment::Asleep => format!("a task was cancelled while it slept after {},", counted(polls, "poll")),
        Moment::Woken => format!("a task was cancelled when it was woken after {},", counted(polls, "poll")),
        Moment::Within => format!("a task cancelled itself in poll number {polls} and was pending,"),
        Moment::WithinAndReady => format!("a task cancelled itself in poll number {polls}, in which it was ready,"),
        Moment::AfterTheEnd => format!("a task was cancelled when it was over after {},", counted(polls, "poll")),
        Moment::Never => format!("a task that nobody cancelled was ready in poll number {polls},"),
    }
}

/// The whole of what happens to a task; it may not have come so far.
pub fn case_of(moment: Moment, polls: usize) -> String {
    match moment {
        Moment::BeforeTheStart => "with a task that is cancelled before its first poll,".to_owned(),
        Moment::Asleep => format!("with a task that is cancelled while it sleeps after {},", counted(polls, "poll")),
        Moment::Woken => format!("with a task that is cancelled when it is woken after {},", counted(polls, "poll")),
        Moment::Within => format!("with a task that cancels itself in poll number {polls} and is pending,"),
        Moment::WithinAndReady => format!("with a task that cancels itself in poll number {polls} and is ready,"),
        Moment::AfterTheEnd => {
            format!("with a task that is cancelled when it is over after {},", counted(polls, "poll"))
        }
        Moment::Never => format!("with a task that nobody cancels, ready in poll number {polls},"),
    }
}

pub fn dropped_in_cancel(who: &str) -> String {
    format!(
        "{who} and its future was dropped before the next poll of its work. It may be running when `cancel` is called: only the \
         work drops it."
    )
}

pub fn ran_again(who: &str, polls: usize) -> String {
    format!(
        "{who} and its code ran after that (its future was polled {} in all): look whether it is cancelled before you poll it.",
        times(polls)
    )
}

pub fn cancel_woke_nobody(who: &str) -> String {
    format!(
        "{who} and nobody called the waker of the work's latest poll, so no poll came that could drop the future: which \
         waker does `cancel` call?"
    )
}

pub fn polled_and_not_dropped(who: &str) -> String {
    format!(
        "{who} its work was polled after that, and had the future still: drop it in this poll, and before you are ready."
    )
}

pub fn cancel_said(moment: Moment, polls: usize, call: CancelCall, expected: bool) -> String {
    let who = cancelled(moment, polls);
    let (seen, why) = match call {
        CancelCall::First if expected => ("", "it was neither over nor cancelled before."),
        CancelCall::First => ("", "nothing was left to cancel."),
        CancelCall::Again => ("and again at once, ", "it was cancelled already."),
        CancelCall::InTheDestructor => {
            ("and once more by the destructor of its future, ", "it was cancelled already, and is being dropped.")
        }
        CancelCall::AfterItsEnd => ("its work was ready, and `cancel` was called after that, ", "the task is over."),
    };
    format!("{who} {seen}and `cancel` returned {}: {why}", !expected)
}

pub fn value_overwritten(who: &str) -> String {
    format!(
        "{who} and its handle gave `Err(Cancelled)`: there was nothing to cancel, so `cancel` leaves the value alone."
    )
}

pub fn told_before_the_drop(who: &str) -> String {
    format!(
        "{who} and whoever awaits its handle was woken while the future was there still: the task is over when its future \
         is dropped."
    )
}

pub fn cancelled_with_a_value(who: &str) -> String {
    format!("{who} and its handle gave a value: the outcome of a cancelled task is `Err(Cancelled)`.")
}

pub fn cancelled_without_an_outcome(who: &str) -> String {
    format!("{who} its future was dropped, and whoever awaits the handle is never given an outcome.")
}

pub fn cancelled_and_nobody_told(who: &str) -> String {
    format!("{who} its future was dropped, and the waker of who awaits the handle was not called.")
}

pub fn value_lost(moment: Moment, polls: usize, is_cancelled: bool) -> String {
    let outcome = if is_cancelled { "gave `Err(Cancelled)`" } else { "gave nothing, or another value" };
    format!(
        "{} and its handle {outcome}: its future was ready, nothing was left to cancel, and its value stands.",
        cancelled(moment, polls)
    )
}

pub fn ended_with_its_handle(expected: usize, seen: usize) -> String {
    format!(
        "the handle of a task was dropped, and its future was polled {} of {expected} times: to let a handle go is not to \
         cancel.",
        seen
    )
}

fn dropped_at(seconds: &[u64]) -> String {
    match seconds {
        [] => "No future was dropped before that".to_owned(),
        [second] => format!("Before that a future was dropped at {second} s"),
        [first, .., last] => {
            format!("Before that {} futures were dropped, the first at {first} s, the last at {last} s", seconds.len())
        }
    }
}

pub fn plan_has_pieces(pieces: usize, most: usize) -> String {
    format!(
        "`reproduce` returned a plan with {}: each message has three, and 3 to {most} pieces are enough.",
        counted(pieces, "piece")
    )
}

pub fn plan_has_times(limit: u64, is_sorted: bool, last: u64) -> String {
    if limit < 2 {
        return format!(
            "`reproduce` returned a plan with a limit of {limit} s: a confirmation takes one second, so give 2 s or more."
        );
    }
    if !is_sorted {
        return "`reproduce` returned a plan in which a piece comes before an earlier one: sort the seconds."
            .to_owned();
    }
    format!(
        "`reproduce` returned a plan with a limit of {limit} s, in which the last piece comes at {last} s: 1000 s are enough \
         for both."
    )
}

pub fn reproduces_no_loss(sent: usize, dropped: &[u64]) -> String {
    let why = if dropped.is_empty() {
        "when is the time over while a message is on its way?"
    } else {
        "what must a future have done when it is dropped, so that something is lost with it?"
    };
    format!(
        "on `Inbox` as it was handed out, with the plan of `reproduce`, {} came out as sent. {}: {why}",
        counted(sent, "message"),
        dropped_at(dropped)
    )
}

pub fn message_was(limit: u64, place: usize, expected: Option<&str>, seen: Option<&str>, dropped: &[u64]) -> String {
    let name = |text: Option<&str>| text.map_or("none".to_owned(), |text| format!("{text:?}"));
    let (whole, text) = (expected.unwrap_or(""), seen.unwrap_or(""));
    let why = if seen.is_none() && dropped.is_empty() {
        "all its pieces were there. Does `message` notice the end of a message?"
    } else if text.len() > whole.len() && text.starts_with(whole) && expected.is_some() {
        "the end of a message is a piece as well: where is it kept when the future that took it is dropped?"
    } else if text.len() > whole.len() || dropped.is_empty() {
        "what is left in the inbox of a message that was given out?"
    } else {
        "what had a future taken off the line by then, and where is that after it?"
    };
    format!(
        "with a limit of {limit} s, message {place} should be {}, and was {}. {}: {why}",
        name(expected),
        name(seen),
        dropped_at(dropped)
    )
}

pub fn a_plan(limit: u64, second: u64) -> String {
    format!("with a limit of {limit} s, at {second} s,")
}

pub fn messages_confirmed(messages: usize, confirmed: usize) -> String {
    format!(
        "{} came out, and {confirmed} were confirmed: each is, once, before it is given out.",
        counted(messages, "message")
    )
}

pub fn message_spins(polls: usize) -> String {
    format!(
        "one `poll` of a message polled the line {polls} times and had not returned: a piece comes when it comes. Await it, and \
         the future is pending meanwhile."
    )
}

pub fn message_late(place: usize, second: u64) -> String {
    format!(
        "message {place} could be given out at {second} s, and nobody called the waker of the future's latest poll: which \
         waker does the line have?"
    )
}

pub fn message_wakes_itself(second: u64) -> String {
    format!(
        "at {second} s the future of a message called the waker of its own context and returned pending: the line calls it \
         when a piece is there, and when the confirmation is."
    )
}

// Chapter 11.

pub fn sender(thread: usize) -> &'static str {
    ["the loop", "a sender", "another sender"][thread.min(2)]
}

/// `1 job was`, `2 jobs were`
fn were(count: usize, thing: &str) -> String {
    format!("{} {}", counted(count, thing), if count == 1 { "was" } else { "were" })
}

/// Whose steps came in which order: the lines of the exercise's file.
pub fn order_of_lines(told: &[(&str, Vec<u32>)]) -> String {
    let lines = |lines: &[u32]| {
        let all: Vec<String> = lines.iter().map(u32::to_string).collect();
        format!("{} {}", if all.len() == 1 { "line" } else { "lines" }, all.join(", "))
    };
    let all: Vec<String> = told.iter().map(|(who, its)| format!("{who} {}", lines(its))).collect();
    all.join("; ")
}

pub fn locks_twice(first: u32, second: u32) -> String {
    format!(
        "line {second} takes a lock that the same thread has had since line {first}: it waits for itself for ever. Let go of \
         the guard first."
    )
}

/// Where a lock is waited for that will never be free: each has one that the other wants, or who has it sleeps.
fn locks_for_ever(waiting: &[(usize, Waits)]) -> Option<String> {
    let (own, line, holder, since) = waiting.iter().find_map(|(thread, waits)| match waits {
        Waits::ForALock { line, holder, since } => Some((*thread, *line, *holder, *since)),
        _ => None,
    })?;
    Some(match waiting.iter().find(|(thread, _)| *thread == holder) {
        Some((_, Waits::ForALock { line: other, holder, since: own_since })) if *holder == own => format!(
            "one thread has had a lock since line {own_since} and waits in line {line} for that of another, which has had it since \
             line {since} and waits in line {other}: hold one lock at a time, or take them in the same order everywhere."
        ),
        Some((_, Waits::Asleep(asleep))) => format!(
            "line {line} waits for a lock that another thread has had since line {since}, and that one sleeps in line {asleep}: \
             `wait` lets go of the guard that it is given, and of no other."
        ),
        _ => {
            format!("line {line} waits for a lock that another thread has had since line {since} and never lets go of.")
        }
    })
}

pub fn job_under_the_lock(first: u32, second: u32) -> String {
    format!(
        "a job was run and sent another: line {second} waits for a lock that the loop has had since line {first}, for ever. \
         Let go of that guard before a job runs."
    )
}

/// With an order that is not empty.
fn order_of_steps(order: &str) -> String {
    if order.is_empty() { String::new() } else { format!(" The order of the steps: {order}.") }
}

pub fn sender_never_returns(waiting: &[(usize, Waits)], order: &str) -> String {
    let order = order_of_steps(order);
    if let Some(locks) = locks_for_ever(waiting) {
        return format!("{locks}{order}");
    }
    let line = waiting.iter().find_map(|(_, waits)| match waits {
        Waits::Asleep(line) => Some(format!(" in line {line}")),
        _ => None,
    });
    format!(
        "`call_soon_threadsafe` waits{} for ever.{order} It leaves the job, wakes the loop, and returns.",
        line.unwrap_or_default()
    )
}

pub fn endless_sender(steps: usize) -> String {
    format!(
        "after {steps} steps `call_soon_threadsafe` had not returned: it leaves the job, wakes the loop, and waits for \
         nothing."
    )
}

pub fn job_left_behind(sent: usize, ran: usize, waiting: &[(usize, Waits)], order: &str) -> String {
    if waiting.iter().all(|(thread, _)| *thread > 0) {
        return sender_never_returns(waiting, order);
    }
    if let Some(locks) = locks_for_ever(waiting) {
        return format!("{locks} The order of the steps: {order}.");
    }
    let question = if !order.contains(sender(1)) {
        "`call_soon_threadsafe` made no step at all: the job is in no inbox."
    } else if order.rsplit("; ").next().is_some_and(|last| last.starts_with(sender(0))) {
        "The last step is the loop's, which found nothing and sleeps. Where was the job then, and what should have kept the loop \
         from parking?"
    } else {
        "The loop was parked by then: which step should have woken it after that?"
    };
    format!(
        "{} sent and {ran} run, and the loop is parked for ever. The order of the steps: {order}. {question}",
        were(sent, "job")
    )
}

pub fn never_parks() -> &'static str {
    "with nothing in the ready queue and nobody who sends, `turn` did not wait: it no longer parks. While there is no entry, it \
     waits on `changed`."
}

pub fn endless_turns(steps: usize, sent: usize, ran: usize, order: &str) -> String {
    let mut order = order.to_owned();
    order.truncate(80);
    format!(
        "{} sent and {ran} run, and after {steps} steps the loop was taking turns still: what it does not take off keeps it from \
         parking. The order of the steps began: {order}…",
        were(sent, "job")
    )
}

pub fn ran_on_the_senders_thread() -> &'static str {
    "the job ran on the sender's thread, within `call_soon_threadsafe`: that leaves it in the inbox, and only `batch` runs jobs."
}

pub fn ran_twice(job: usize, times: usize) -> String {
    format!(
        "a thread sent job {} once, and it ran {times} times: `call_soon_threadsafe` puts it into the inbox once, and `batch` moves \
         it out of there before it runs.",
        job % 10 + 1
    )
}

pub fn not_the_batch(ready: &[usize], polled: &[usize]) -> String {
    let numbers = |tasks: &[usize]| {
        let all: Vec<String> = tasks.iter().map(usize::to_string).collect();
        if all.is_empty() { "none".to_owned() } else { all.join(", ") }
    };
    format!(
        "when a turn began, the ready queue had tasks {} and the entry of a job, and the turn polled {}. `batch` returns how many \
         entries there were, and `turn` takes them off and polls them.",
        numbers(ready),
        numbers(polled)
    )
}

pub fn jobs_out_of_order(jobs: &[usize]) -> String {
    let places: Vec<String> = jobs.iter().map(|job| (job % 10 + 1).to_string()).collect();
    format!("a thread sent jobs 1 to {}, and they ran in the order {}.", jobs.len(), places.join(", "))
}

/// What becomes of work that was submitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Submitted {
    Returns,
    Panics,
    BeforeItBegins,
    ToAClosedLoop,
    ThenItCloses,
}

pub fn waiting(thread: usize) -> &'static str {
    ["the loop", "a waiting thread", "another waiting thread"][thread.min(2)]
}

fn submitted(what: Submitted) -> &'static str {
    match what {
        Submitted::Returns => "work was submitted and returned",
        Submitted::Panics => "work was submitted and panicked",
        Submitted::BeforeItBegins => "work was submitted before its loop had begun, and returned later",
        Submitted::ToAClosedLoop => "work was submitted to a loop that was closed, which dropped the job",
        Submitted::ThenItCloses => "work was submitted, and the loop closed and dropped the job from its inbox",
    }
}

pub fn ended_the_loop(what: Submitted) -> String {
    format!(
        "{}, and that came out of the job: it would end the loop. The job catches it, and it is the outcome.",
        submitted(what)
    )
}

const OWNED_BY_THE_JOB: &str =
    "What says `Cancelled` when it is dropped has to be owned by the job, until the work has run.";

/// Where a wrong outcome came from: who put it there, by number, and the lines.
pub enum Told {
    InThePlaceOf { line: u32, thread: usize, other: u32 },
    BeforeTheWork { thread: usize, line: u32 },
}

pub fn another_end(what: Submitted, expected: &str, came: &str, told: Option<&Told>) -> String {
    let how = match told {
        None => String::new(),
        Some(Told::InThePlaceOf { line, thread, other }) => format!(
            " `{expected}` was there, told in line {line}, and then {} told `{came}` in line {other}. {}",
            waiting(*thread),
            if *thread > 0 { OWNED_BY_THE_JOB } else { "Who has told an outcome has nothing more to tell." }
        ),
        Some(Told::BeforeTheWork { thread, line }) => {
            format!(" It was told before the work ran, by {} in line {line}. {OWNED_BY_THE_JOB}", waiting(*thread))
        }
    };
    let came = match came.strip_prefix("Panic(") {
        Some(_) => "it panicked".to_owned(),
        None => format!("it was `{came}`"),
    };
    format!("{}: `result` should be `{expected}`, and {came}.{how}", submitted(what))
}

pub fn worked_where_it_was_submitted(has_sent: bool) -> String {
    let sent = if has_sent { "" } else { "no job was sent: " };
    format!(
        "{sent}the work ran on the thread that submits, within `submit`. That sends a job with `call_soon_threadsafe`, and the \
         job calls `work`, on the loop's thread."
    )
}

pub fn no_job_was_sent() -> &'static str {
    "no job was sent: `submit` returned without having called `call_soon_threadsafe`, and the loop has nothing to run."
}

pub fn worked_under_a_lock(line: u32) -> String {
    format!(
        "the job called `work` while it had the lock that it took in line {line}: who asks for the result cannot even look, for \
         as long as the work takes. Call `work` first, and lock when its outcome is there."
    )
}

pub fn end_never_came(
    what: Submitted,
    is_loop: bool,
    has_submitted: bool,
    waiting: &[(usize, Waits)],
    order: &str,
) -> String {
    let order = order_of_steps(order);
    if let Some(locks) = locks_for_ever(waiting) {
        return format!("{locks}{order}");
    }
    if !has_submitted {
        return format!("`submit` never returned.{order} It puts the job into the inbox, and only `result` waits.");
    }
    if is_loop {
        return format!(
            "{}, and the loop waits for ever.{order} A job wakes who waits for it, and returns.",
            submitted(what)
        );
    }
    let question = match what {
        Submitted::ToAClosedLoop | Submitted::ThenItCloses => {
            "What of a job's runs when it is dropped, so that it can say so?"
        }
        Submitted::Panics => "Who tells the slot when `work` does not return?",
        _ => "Which step tells the thread that waits?",
    };
    format!("{}, and `result` waits for ever.{order} {question}", submitted(what))
}

pub fn waits_without_end(steps: usize) -> String {
    format!("`result` had not returned after {steps} steps: while there is no outcome, it waits on the `Condvar`.")
}

pub fn submit_blocks(order: &str) -> String {
    let order = if order.is_empty() { String::new() } else { format!(" (the order of the steps: {order})") };
    format!(
        "`submit` did not return before the loop had run the job{order}: it puts the job into the inbox, and only `result` \
         waits."
    )
}

pub fn loop_is_blocked(order: &str) -> String {
    format!(
        "the loop waits in a job until somebody asks for its result. The order of the steps: {order}. A job leaves its outcome, \
         wakes who waits, and returns: only the thread that calls `result` is blocked."
    )
}

pub fn result_at_once(told: &str) -> String {
    format!(
        "`result` was called on the loop's own thread and returned `{told}`: the job is still in the inbox, so there is no \
         outcome yet. It panics there, with a sentence for whoever called it."
    )
}

pub fn result_looked_first(told: &str) -> String {
    format!(
        "`result` was called on the loop's own thread when the job was over, and returned `{told}`, where before that it panics: \
         what a call does must not depend on how far the loop is. Ask `runs_here` before you look."
    )
}

pub fn submit_on_the_loops_thread() -> &'static str {
    "`submit` panicked on the loop's own thread: to submit there is allowed. Only `result` would wait, and panics."
}

pub fn submit_waits_for_itself() -> &'static str {
    "`submit` was called on the loop's own thread and waits there for ever: it only puts the job into the inbox."
}

pub fn waits_for_its_own_loop(waiting: &[(usize, Waits)]) -> String {
    let line = waiting.iter().find_map(|(_, waits)| match waits {
        Waits::Asleep(line) | Waits::ForALock { line, .. } => Some(format!(" in line {line}")),
        Waits::Else => None,
    });
    format!(
        "`result` was called on the loop's own thread, and waits{} for ever: the loop that would run the job is the one that \
         waits. Ask `runs_here` first, and panic.",
        line.unwrap_or_default()
    )
}

pub fn result_did_not_look(order: &str) -> String {
    format!(
        "`wait` returned without a reason, as it may, and `result` took that for an outcome. The order of the steps: {order}. \
         Look again each time it comes back."
    )
}

pub fn take_did_not_look(order: &str) -> String {
    format!(
        "`wait` returned without a reason, as it may, and `take` came back with no job. The order of the steps: {order}. Look \
         again each time it comes back."
    )
}

pub fn has_other_locks() -> &'static str {
    "what the threads wait with is not the `Mutex` and the `Condvar` of `crate::threads`. Before each operation on those the \
     check lets another thread come in: with others, or with a channel, it cannot tell what is lost."
}

pub fn job_forgotten(sent: usize, ran: usize, refused: usize, order: &str) -> String {
    format!(
        "while the loop closed, {} sent, {ran} run and {refused} dropped, and nobody will ever hear of the rest. The order of \
         the steps: {order}. Who should drop the job in this order, `close` or the sender, and what does that one look at?",
        were(sent, "job")
    )
}

pub fn refused_before_it_closed() -> &'static str {
    "a loop that was not closed dropped a job: it keeps what comes before it takes jobs, and between two of its turns."
}

pub fn had_two_ends(sent: usize, ran: usize, refused: usize, order: &str) -> String {
    format!(
        "while the loop closed, {} sent, {ran} run and {refused} dropped, so a job was there twice. The order of the steps: \
         {order}. `call_soon_threadsafe` puts it into the inbox once, and `take` or `close` moves it out of there.",
        were(sent, "job")
    )
}

pub fn ran_by_close(jobs: usize) -> String {
    format!(
        "`close` ran {}: it drops what is left in the inbox, and whoever waits for that is told so.",
        counted(jobs, "job")
    )
}

pub fn endless_close(steps: usize) -> String {
    format!(
        "after {steps} steps `close` had not returned: it empties the inbox once, and what comes later is dropped by who sends it."
    )
}

pub fn close_never_returns(waiting: &[(usize, Waits)], order: &str) -> String {
    let order = order_of_steps(order);
    if let Some(locks) = locks_for_ever(waiting) {
        return format!("{locks}{order}");
    }
    format!(
        "`close` waits for ever.{order} It empties the inbox once and returns, and what comes later is dropped by who sends it."
    )
}

pub fn kept_by_a_closed_loop(left: usize) -> String {
    format!(
        "`close` left {} in the inbox, and a loop that is closed takes nothing: who waits for them waits for ever.",
        counted(left, "job")
    )
}

pub fn taken_by_a_closed_loop() -> &'static str {
    "a job was sent to a loop that was closed, and was not dropped: nobody will take it."
}

pub fn endless_takes(steps: usize) -> String {
    format!("after {steps} steps the loop had not all jobs and did not wait: while the inbox is empty, `take` waits.")
}

pub fn refused_under_the_lock(is_closed: bool, first: u32, second: u32) -> String {
    let who = if is_closed { "a loop that was closed dropped a job" } else { "`close` dropped a job from the inbox" };
    format!(
        "{who}, and its destructor sent another: line {second} waits for the lock that the same thread has had since line \
         {first}, for ever. Move the job out, let go of the guard, and drop it then."
    )
}

pub fn step_not_possible(step: usize, thread: usize) -> String {
    let who = if thread == 0 {
        "the loop, and `close` has made its two already"
    } else {
        "the sender, which has none left: it has three, and only the first if the loop is closed by then"
    };
    format!("step {step} of `reproduce` is one of {who}.")
}

pub fn reproduces_no_forgotten_job(steps: usize) -> String {
    format!(
        "with the {} of `reproduce`, and what is left of both after them, the job was dropped as it should be: where must the \
         sender stand when the loop closes, so that each misses what the other has done?",
        counted(steps, "step")
    )
}
