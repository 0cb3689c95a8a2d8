//! The check of exercise 11.2.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex11_2.rs"]
mod exercise;

use std::cell::{Cell, RefCell};
use std::process::ExitCode;
use std::sync::OnceLock;

use checker::messages::Submitted::{self, *};
use checker::messages::Told;
use checker::threads::{self, End, Trouble, Waits, in_every_order};
use checker::{Verdict, messages};
use exercise::{Ended, Outcome, submit};
use handle::Handle;

fn main() -> ExitCode {
    checker::run(
        "ex11_2",
        &[
            ("11.5", each_end_comes_to_who_waits),
            ("11.7", a_closed_loop_refuses_and_others_keep),
            ("11.6", nobody_waits_for_itself),
            ("5.6", looks_again_each_time),
            ("7.6", works_under_no_lock),
        ],
    )
}

/// A loop on the thread that goes through the orders, and what other threads have of it.
mod handle {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex, MutexGuard};

    use super::threads;

    type Job = Box<dyn FnOnce() + Send>;

    #[derive(Default)]
    struct Inbox {
        jobs: VecDeque<Job>,
        is_closed: bool,
        has_begun: bool,
        /// How many jobs came in, refused ones too.
        sent: usize,
    }

    #[derive(Clone, Default)]
    pub struct Handle(Arc<Mutex<Inbox>>);

    impl Handle {
        fn inbox(&self) -> MutexGuard<'_, Inbox> {
            self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
        }

        /// Has the loop call a closure. A loop that is closed drops it.
        pub fn call_soon_threadsafe(&self, job: impl FnOnce() + Send + 'static) {
            if threads::is_outside() {
                std::mem::forget(job);
                return;
            }
            let mut job: Option<Job> = Some(Box::new(job));
            let is_refused = threads::once(|| {
                let mut inbox = self.inbox();
                inbox.sent += 1;
                if !inbox.is_closed {
                    inbox.jobs.extend(job.take());
                }
                inbox.is_closed
            });
            // A thread whose code is called again has sent its job already.
            if !is_refused {
                std::mem::forget(job);
            }
        }

        /// Whether the loop runs on this thread.
        pub fn runs_here(&self) -> bool {
            threads::current() == 0 && self.inbox().has_begun
        }

        pub fn has_a_job(&self) -> bool {
            !self.inbox().jobs.is_empty()
        }

        pub fn sent(&self) -> usize {
            self.inbox().sent
        }

        pub fn begin(&self) {
            self.inbox().has_begun = true;
        }

        /// The loop waits for a job and calls it. False: it panicked.
        pub fn run_one(&self) -> bool {
            self.begin();
            let handle = self.clone();
            threads::wait_until(move || handle.has_a_job());
            self.run_what_is_there()
        }

        /// Does not wait, and calls a job if there is one.
        pub fn run_what_is_there(&self) -> bool {
            let job = self.inbox().jobs.pop_front();
            job.is_none_or(|job| threads::catch_unwind(job).is_ok())
        }

        pub fn close(&self) {
            self.inbox().is_closed = true;
            let jobs = std::mem::take(&mut self.inbox().jobs);
            drop(jobs);
        }
    }
}

thread_local! {
    /// `work` was called by a thread that submits.
    static WORKED_ELSEWHERE: Cell<bool> = const { Cell::new(false) };
    /// The line since which there was a lock while `work` ran.
    static WORKED_SINCE: Cell<Option<u32>> = const { Cell::new(None) };
    /// How often something behind a lock had changed when the work of each thread began.
    static WRITES: RefCell<Vec<(usize, usize)>> = const { RefCell::new(Vec::new()) };
    /// How many jobs were sent in this run.
    static SENT: Cell<usize> = const { Cell::new(0) };
    /// Who has submitted, and what came to who waited: the number of the thread, and the outcome in words.
    static CAME: RefCell<Vec<(usize, Option<String>)>> = const { RefCell::new(Vec::new()) };
}

fn came() -> Vec<(usize, Option<String>)> {
    CAME.with_borrow(Clone::clone)
}

/// What the work of thread `number` returns.
fn value(number: usize) -> u64 {
    10 + number as u64
}

fn in_words(outcome: &Outcome) -> String {
    match outcome {
        Ok(value) => format!("Ok({value})"),
        Err(Ended::Cancelled) => "Err(Cancelled)".to_owned(),
        Err(Ended::Panicked(panic)) => match panic.text() {
            Some(text) => format!("Err(Panicked({text:?}))"),
            None => "Err(Panicked(..))".to_owned(),
        },
    }
}

fn expected(submitted: Submitted, number: usize) -> String {
    match submitted {
        Returns | BeforeItBegins => format!("Ok({})", value(number)),
        Panics => "Err(Panicked(\"work\"))".to_owned(),
        ToAClosedLoop | ThenItCloses => "Err(Cancelled)".to_owned(),
    }
}

fn work(submitted: Submitted, number: usize) -> u64 {
    if threads::current() > 0 {
        WORKED_ELSEWHERE.set(true);
    }
    WORKED_SINCE.set(WORKED_SINCE.get().or(threads::has_a_lock_since()));
    WRITES.with_borrow_mut(|writes| writes.push((number, threads::writes().len())));
    if submitted == Panics {
        std::panic::resume_unwind(Box::new("work"));
    }
    value(number)
}

fn begin() {
    CAME.take();
    WRITES.take();
    WORKED_ELSEWHERE.take();
    WORKED_SINCE.take();
}

/// Who told the outcome that was not expected, and when.
fn told(number: usize, expected: &str, came: &str) -> Option<Told> {
    // What was given to `panic!` is written in another way there.
    let begins = |text: &str| text.split('"').next().unwrap_or_default().to_owned();
    let (expected, came, writes) = (begins(expected), begins(came), threads::writes());
    for (place, wrong) in writes.iter().enumerate().filter(|(_, write)| write.value.contains(&came)) {
        let mut before = writes[..place].iter().filter(|write| write.is_behind_the_same_lock(wrong));
        if let Some(right) = before.rfind(|write| write.value.contains(&expected)) {
            return Some(Told::InThePlaceOf { line: right.line, thread: wrong.thread, other: wrong.line });
        }
    }
    let (_, count) = WRITES.with_borrow(|writes| writes.iter().find(|(other, _)| *other == number).copied())?;
    let early = writes[..count].iter().find(|write| write.value.contains(&came))?;
    Some(Told::BeforeTheWork { thread: early.thread, line: early.line })
}

/// So many threads submit and wait, and this is what becomes of it.
fn run(submitted: Submitted, waiting: usize) -> Verdict {
    begin();
    let handle = Handle::default();
    if submitted == ToAClosedLoop {
        handle.close();
    }
    if submitted != BeforeItBegins && submitted != ToAClosedLoop {
        handle.begin();
    }
    for number in 1..=waiting {
        let handle = handle.clone();
        threads::spawn(messages::waiting(number), move || {
            let remote = submit(&handle, move || work(submitted, number));
            threads::once(|| {
                SENT.set(handle.sent());
                CAME.with_borrow_mut(|came| came.push((number, None)));
            });
            let outcome = threads::catch_unwind(|| remote.result());
            let told = outcome.map_or_else(|panic| format!("{panic:?}"), |outcome| in_words(&outcome));
            threads::once(|| CAME.with_borrow_mut(|came| came.push((number, Some(told)))));
        });
    }
    let all_have_submitted = move || came().iter().filter(|(_, came)| came.is_none()).count() == waiting;
    match submitted {
        Returns | Panics | BeforeItBegins => {
            if submitted == BeforeItBegins {
                threads::wait_until(all_have_submitted);
            }
            for _ in 0..waiting {
                if !handle.run_one() {
                    return Err(messages::ended_the_loop(submitted));
                }
            }
        }
        ToAClosedLoop => {}
        ThenItCloses => {
            threads::wait_until(all_have_submitted);
            handle.close();
        }
    }
    threads::finish();
    if WORKED_ELSEWHERE.get() {
        return Err(messages::worked_where_it_was_submitted(handle.sent() > 0));
    }
    for (number, came) in came() {
        let expected = expected(submitted, number);
        if let Some(came) = came.filter(|came| *came != expected) {
            return Err(messages::another_end(submitted, &expected, &came, told(number, &expected, &came).as_ref()));
        }
    }
    Ok(())
}

fn why(submitted: Submitted, trouble: Trouble) -> String {
    let Trouble { end, order, .. } = trouble;
    match end {
        End::Stuck(_) if WORKED_ELSEWHERE.get() => messages::worked_where_it_was_submitted(SENT.get() > 0),
        End::Stuck(waiting) if waiting.contains(&(0, Waits::Else)) && !came().is_empty() && SENT.get() == 0 => {
            messages::no_job_was_sent().to_owned()
        }
        End::Stuck(waiting) => {
            let is_loop = waiting.iter().any(|(thread, _)| *thread == 0);
            let has_submitted = !came().is_empty();
            messages::end_never_came(submitted, is_loop && has_submitted, has_submitted, &waiting, &order)
        }
        End::LockedTwice(first, second) => messages::locks_twice(first, second),
        End::Endless(steps) => messages::waits_without_end(steps),
        End::Broken(seen) => seen,
        End::NotPossible(..) => order,
    }
}

fn in_all(all: &[(Submitted, usize)]) -> Verdict {
    for (submitted, waiting) in all {
        in_every_order(0, || run(*submitted, *waiting)).map_err(|trouble| why(*submitted, trouble))?;
    }
    Ok(())
}

/// Whether the rule is kept on which the others rest; found out once.
static KEPT: OnceLock<bool> = OnceLock::new();

/// The outcome is there when it is asked for, so that nobody waits, whatever it is brought by. No other thread is needed.
fn waits_with_what_was_brought() -> Verdict {
    let run = || {
        begin();
        let handle = Handle::default();
        let remote = submit(&handle, || work(Returns, 1));
        handle.run_what_is_there();
        let before = threads::operations();
        let _ = threads::catch_unwind(|| remote.result());
        let has_looked = threads::operations() > before;
        threads::finish();
        if has_looked { Ok(()) } else { Err(messages::has_other_locks().to_owned()) }
    };
    match in_every_order(0, run) {
        Err(Trouble { end: End::Broken(seen), .. }) => Err(seen),
        // What becomes of the outcome is seen below.
        _ => Ok(()),
    }
}

fn each_end_comes_to_who_waits() -> Verdict {
    waits_with_what_was_brought()?;
    in_all(&[(Returns, 1), (Returns, 2), (Panics, 1)])?;
    only_who_waits_is_blocked()
}

/// Nobody asks for the result until the loop is done with its job, or at all.
fn only_who_waits_is_blocked() -> Verdict {
    let has_submitted = || came().iter().any(|(_, came)| came.is_none());
    let run = |asks: bool| {
        begin();
        let handle = Handle::default();
        handle.begin();
        let theirs = handle.clone();
        threads::spawn(messages::waiting(1), move || {
            let remote = submit(&theirs, || work(Returns, 1));
            threads::once(|| CAME.with_borrow_mut(|came| came.push((1, None))));
            if asks {
                threads::wait_until(|| came().len() > 1);
                let outcome = remote.result();
                threads::once(|| CAME.with_borrow_mut(|came| came.push((1, Some(in_words(&outcome))))));
            }
        });
        threads::wait_until(has_submitted);
        handle.run_one();
        threads::once(|| CAME.with_borrow_mut(|came| came.push((0, None))));
        threads::finish();
        match came().last() {
            Some((1, Some(came))) if *came != "Ok(11)" => {
                Err(messages::another_end(Returns, "Ok(11)", came, told(1, "Ok(11)", came).as_ref()))
            }
            _ => Ok(()),
        }
    };
    for asks in [true, false] {
        in_every_order(0, || run(asks)).map_err(|trouble| match trouble.end {
            End::Stuck(_) if !has_submitted() => messages::submit_blocks(&trouble.order),
            End::Stuck(_) if came().len() == 1 => messages::loop_is_blocked(&trouble.order),
            _ => why(Returns, trouble),
        })?;
    }
    Ok(())
}

fn a_closed_loop_refuses_and_others_keep() -> Verdict {
    // Whether an outcome comes at all is rule 11.5's.
    if !KEPT.get_or_init(|| each_end_comes_to_who_waits().is_ok()) {
        return Ok(());
    }
    in_all(&[(BeforeItBegins, 1), (ToAClosedLoop, 1), (ThenItCloses, 1), (ThenItCloses, 2)])
}

fn nobody_waits_for_itself() -> Verdict {
    // Whether an outcome comes at all is rule 11.5's.
    if !KEPT.get_or_init(|| each_end_comes_to_who_waits().is_ok()) {
        return Ok(());
    }
    let run = || {
        CAME.take();
        let handle = Handle::default();
        let own = handle.clone();
        handle.call_soon_threadsafe(move || {
            let remote = submit(&own, || 11);
            threads::once(|| CAME.with_borrow_mut(|came| came.push((0, None))));
            let outcome = threads::catch_unwind(|| remote.result());
            let told = outcome.ok().map(|outcome| in_words(&outcome));
            CAME.with_borrow_mut(|came| came.push((0, Some(told.unwrap_or_default()))));
        });
        let is_kept = handle.run_one();
        threads::finish();
        match came().last() {
            Some((_, Some(told))) if told.is_empty() => Ok(()),
            Some((_, Some(told))) => Err(messages::result_at_once(told)),
            _ if !is_kept => Err(messages::submit_on_the_loops_thread().to_owned()),
            _ => Ok(()),
        }
    };
    // It panics there also when it would not have to wait.
    let late = || {
        let handle = Handle::default();
        handle.begin();
        let remote = submit(&handle, || 11);
        handle.run_one();
        let outcome = threads::catch_unwind(|| remote.result());
        threads::finish();
        outcome.map_or(Ok(()), |outcome| Err(messages::result_looked_first(&in_words(&outcome))))
    };
    in_every_order(0, run).and_then(|()| in_every_order(0, late)).map_err(|trouble| match trouble.end {
        End::Stuck(_) if came().is_empty() => messages::submit_waits_for_itself().to_owned(),
        End::Stuck(waiting) => messages::waits_for_its_own_loop(&waiting),
        End::Endless(steps) => messages::waits_without_end(steps),
        _ => why(Returns, trouble),
    })
}

fn works_under_no_lock() -> Verdict {
    // Whether an outcome comes at all is rule 11.5's.
    if !KEPT.get_or_init(|| each_end_comes_to_who_waits().is_ok()) {
        return Ok(());
    }
    let judge = || {
        run(Returns, 1)?;
        WORKED_SINCE.get().map_or(Ok(()), |line| Err(messages::worked_under_a_lock(line)))
    };
    match in_every_order(0, judge) {
        Err(Trouble { end: End::Broken(seen), .. }) => Err(seen),
        _ => Ok(()),
    }
}

fn looks_again_each_time() -> Verdict {
    // Whether an outcome comes at all is rule 11.5's.
    if !KEPT.get_or_init(|| each_end_comes_to_who_waits().is_ok()) {
        return Ok(());
    }
    in_every_order(1, || run(Returns, 1)).map_err(|trouble| messages::result_did_not_look(&trouble.order))
}
