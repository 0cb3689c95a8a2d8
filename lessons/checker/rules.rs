//! The rules of the course: a number and a sentence each. Lessons, messages and tests cite them by number.

/// A rule of chapter `n` is numbered `n.1`, `n.2`, …
pub const RULES: &[(&str, &str)] = &[
    ("1.1", "A generator runs only while it is resumed, from where it paused to its next pause or its end."),
    ("1.2", "What a generator needs after a pause is in its own fields, and nowhere else."),
    ("1.3", "A generator that is complete is over: nobody resumes it again."),
    ("1.4", "A generator that delegates pauses wherever its inner generator pauses, and nowhere else."),
    ("1.5", "When the inner generator is complete, the outer one goes on with the result, in the same resume."),
    ("1.6", "A scheduler resumes each ready generator once before it resumes any of them again."),
    ("1.7", "A generator that yields is ready again, behind all others; one that is complete is gone."),
    ("1.8", "A round ends: what becomes ready during a round is for the next one."),
    ("2.1", "A generator says when it wants to go on, and is not resumed before that."),
    (
        "2.2",
        "Sleepers wake in the order of their deadlines; those with the same deadline in the order in which they came.",
    ),
    ("2.3", "A sleeper whose deadline has come is ready, behind all that are ready already."),
    ("2.4", "Before each resume the scheduler looks whether a deadline has come, however many are ready."),
    ("2.5", "While nobody is ready, the scheduler waits once, until the earliest deadline."),
    ("2.6", "The time comes from the clock, and from nowhere else."),
    ("2.7", "A scheduler is done when nobody is ready and nobody sleeps."),
    ("3.1", "A future runs only while it is polled, and each poll returns: ready with the result, or pending."),
    ("3.2", "A future that was ready is over: nobody polls it again."),
    ("3.3", "An outer future is pending while its inner one is, and goes on in the same poll when that is ready."),
    ("3.4", "The context of a poll goes along to the inner future, in each poll."),
    ("3.5", "A loop that cannot know whom a poll helps polls each future that is not ready, once in each round."),
    ("3.6", "A poll too many makes nothing ready that was not."),
    ("4.1", "A future that was polled does not move until it is dropped."),
    (
        "4.2",
        "Whoever makes a `Pin` answers for that: by keeping the future in its place, or because its type is `Unpin`.",
    ),
    (
        "4.3",
        "A combinator polls the futures in it through a `Pin`, with the context of its own poll, and wakes nobody itself.",
    ),
    ("4.4", "A join polls each future that is not ready in each of its polls, and none that is."),
    ("4.5", "A future is as large as what is alive across its awaits, and the futures in it are a part of that."),
    ("4.6", "A future that was polled is kept until it is ready: a new one in its place begins again."),
    ("5.1", "A future that returns pending has left the waker of this poll with somebody who will call it."),
    (
        "5.2",
        "No result can come in between the look and the keeping of the waker: one lock is held over both. Where there is no lock, the future keeps its waker first and looks after that.",
    ),
    ("5.3", "The waker of the latest poll takes the place of the one before."),
    (
        "5.4",
        "To wake is to ask once for a poll and to return: it polls nothing, and waits for no more than a lock that is never held for long. Clone and drop wake nobody.",
    ),
    ("5.5", "A wake while its task is polled is good for one more poll; several wakes before a poll are one."),
    ("5.6", "A thread that parks keeps a wake that came before it slept, and looks again each time it comes back."),
    (
        "5.7",
        "Each waker is one of a count: clone adds one, wake and drop take one off, wake_by_ref leaves it, the last one frees.",
    ),
    ("5.8", "A waker is cloned, called and dropped while no lock is held."),
    ("6.1", "One thread watches all deadlines: it waits for the earliest, and for nothing while there is none."),
    ("6.2", "A new earliest deadline cuts the wait short."),
    ("6.3", "Timers fire in the order of their deadlines; those with the same deadline in the order of arrival."),
    ("6.4", "A sleep has one timer, however often it is polled, and that has the latest waker."),
    ("6.5", "A sleep that is dropped takes its timer off."),
    ("6.6", "The timer thread looks and begins to wait under one lock."),
    ("6.7", "A deadline that can never come is kept, and never fires."),
    ("7.1", "A wake polls nothing: it puts the task into the ready queue, and only the loop's thread polls."),
    ("7.2", "Several wakes before a poll are one entry."),
    ("7.3", "A task's entry leaves the queue before its poll, so a wake during the poll is a new entry."),
    (
        "7.4",
        "A turn polls the tasks that were ready at its beginning, each once, in the order in which they became ready; what becomes ready meanwhile is for the next turn.",
    ),
    ("7.5", "A task is polled only when it was spawned or woken."),
    (
        "7.6",
        "While a task's code runs, the loop holds neither a lock nor a borrow: that code may spawn, wake and drop.",
    ),
    ("7.7", "A wake of a task that is over changes nothing."),
    ("8.1", "A task goes along the arrows only: waiting, ready, running, and woken while it runs, until it is over."),
    ("8.2", "A task's result is given once, to whoever awaits its handle."),
    ("8.3", "Whoever awaits a handle leaves a waker there, and the end of the task wakes it."),
    ("8.4", "A panic ends its own task, and is its result."),
    ("8.5", "A handle that is dropped leaves its task running."),
    ("8.6", "The loop alone owns the futures; a waker owns only what it needs to find one."),
    (
        "8.7",
        "A task that waits, and of which no waker is left, can never run again: a loop that has nothing else says so instead of parking.",
    ),
    ("9.1", "A result has the place of its argument, whoever ends first."),
    (
        "9.2",
        "All tasks run side by side from the beginning: gathering them takes as long as the longest, and no task has to wait until another is over before it begins.",
    ),
    ("9.3", "A handle that has given its result is not polled again."),
    ("9.4", "The first failure is passed on at once, and the other tasks run on."),
    ("9.5", "A settled gather waits for all, and no failure hides another result."),
    ("9.6", "To gather nothing is to be ready at once."),
];

/// The sentence of a rule.
pub fn sentence(number: &str) -> Option<&'static str> {
    RULES.iter().find(|(known, _)| *known == number).map(|(_, sentence)| *sentence)
}
