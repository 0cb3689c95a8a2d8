//! What a student can read from a check: every message, in one place. What was seen comes with the number of the rule.

use std::cmp::Ordering;
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

/// Where `reproduce` is right and `run` is not.
pub fn part_2(seen: &str) -> String {
    format!("Part 1 is done: your `reproduce` shows the defect. Part 2: with your `run`, {seen}")
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

pub fn locked_twice() -> &'static str {
    "the lock was taken while the same thread held it: with the `Mutex` of std the thread would wait for itself for ever. \
     Let go of the first guard, or use it again."
}

fn signed(number: isize) -> String {
    match number {
        0 => "0".to_owned(),
        1.. => format!("+{number}"),
        _ => format!("−{}", number.unsigned_abs()),
    }
}

pub fn count_changed(function: &str, expected: isize, seen: isize) -> String {
    let why = match function {
        "clone" => "it makes one waker, which has one count of its own",
        "wake" => "it is the end of one waker, which gives its count back",
        "wake_by_ref" => "it makes no waker, and ends none",
        _ => "it is the end of one waker, which gives its count back, and of no other",
    };
    format!("`{function}` changed the count by {}, and should change it by {}: {why}.", signed(seen), signed(expected))
}

pub fn used_after_its_end(function: &str) -> String {
    format!(
        "`{function}` used the pointer when its count was off and no other was left: a real task is freed by then. In which \
         order does it do its two things?"
    )
}

pub fn clone_differs(what: &str) -> String {
    format!(
        "`clone` returned a waker with another {what}: `will_wake` compares pointer and table, and a clone wakes the same \
         task."
    )
}

pub fn woke_so_often(function: &str, expected: isize, seen: isize) -> String {
    format!("`{function}` woke the task {seen} times, and should wake it {expected} times.")
}

pub fn sleeps_for_ever(polls: usize) -> String {
    format!(
        "`block_on` would sleep for ever: the waker was called, during poll {polls} or after it, and the future was not \
         polled again. Which line forgets the call?"
    )
}

pub fn polled_so_often(expected: usize, seen: usize) -> String {
    let end = if seen > 10_000 { " and had no end" } else { "" };
    format!(
        "a future whose waker is called once or several times after each of its {} pauses should be polled {expected} \
         times, and was polled {seen} times{end}: each wake is good for one more poll, and without a wake there is none.",
        expected - 1
    )
}

pub fn did_not_look(expected: usize, seen: usize) -> String {
    format!(
        "`park` returned at times although nobody had called, and the future was polled all the same: {seen} polls, where \
         {expected} have a reason. Look again when `park` comes back."
    )
}

pub fn token_was_taken(polls: usize) -> String {
    format!(
        "`block_on` would sleep for ever: the waker was called during poll {polls}, and then other code in that poll \
         parked and took the token. Look whether there was a call before you park."
    )
}

pub fn reproduces_without_the_defect() -> &'static str {
    "the future of `reproduce` is never ready, also on a `block_on` that forgets no call: whenever it returns pending, its \
     waker has to be called."
}

pub fn reproduces_no_lost_wake() -> &'static str {
    "on the `block_on` as it was handed out, the future of `reproduce` was ready: find one with which it sleeps for ever. \
     When could the waker be called so that the flag forgets it?"
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
