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
use checker::threads::{self, End, Trouble, in_every_order};
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
    }

    #[derive(Clone, Default)]
    pub struct Handle(Arc<Mutex<Inbox>>);

    impl Handle {
        fn inbox(&self) -> MutexGuard<'_, Inbox> {
            self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
        }

        /// Has the loop call a closure. A loop that is closed drops it.
        pub fn call_soon_threadsafe(&self, job: impl FnOnce() + Send + 'static) {
            let mut job: Option<Job> = Some(Box::new(job));
            let is_refused = threads::once(|| {
                let mut inbox = self.inbox();
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

        pub fn begin(&self) {
            self.inbox().has_begun = true;
        }

        /// The loop waits for a job and calls it. False: it panicked.
        pub fn run_one(&self) -> bool {
            self.begin();
            let handle = self.clone();
            threads::wait_until(move || handle.has_a_job());
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
    /// What the threads wait with was not brought by the check.
    static HAS_OTHER_LOCKS: Cell<bool> = const { Cell::new(false) };
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
    if submitted == Panics {
        std::panic::resume_unwind(Box::new("work"));
    }
    value(number)
}

/// So many threads submit and wait, and this is what becomes of it.
fn run(submitted: Submitted, waiting: usize) -> Verdict {
    CAME.take();
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
            threads::once(|| CAME.with_borrow_mut(|came| came.push((number, None))));
            if threads::made() == 0 {
                threads::once(|| HAS_OTHER_LOCKS.set(true));
                return;
            }
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
    if HAS_OTHER_LOCKS.get() {
        return Err(messages::has_other_locks().to_owned());
    }
    for (number, came) in came() {
        if let Some(came) = came.filter(|came| *came != expected(submitted, number)) {
            return Err(messages::another_end(submitted, &expected(submitted, number), &came));
        }
    }
    Ok(())
}

fn why(submitted: Submitted, trouble: Trouble) -> String {
    let Trouble { end, order } = trouble;
    match end {
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

fn each_end_comes_to_who_waits() -> Verdict {
    in_all(&[(Returns, 1), (Returns, 2), (Panics, 1)])?;
    only_who_waits_is_blocked()
}

/// Nobody asks for the result until the loop is done with its job, or at all.
fn only_who_waits_is_blocked() -> Verdict {
    let has_submitted = || came().iter().any(|(_, came)| came.is_none());
    let run = |asks: bool| {
        CAME.take();
        let handle = Handle::default();
        handle.begin();
        let theirs = handle.clone();
        threads::spawn(messages::waiting(1), move || {
            let remote = submit(&theirs, || 11);
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
            Some((1, Some(came))) if *came != "Ok(11)" => Err(messages::another_end(Returns, "Ok(11)", came)),
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
    in_every_order(0, run).map_err(|trouble| match trouble.end {
        End::Stuck(_) if came().is_empty() => messages::submit_waits_for_itself().to_owned(),
        End::Stuck(waiting) => messages::waits_for_its_own_loop(&waiting),
        End::Endless(steps) => messages::waits_without_end(steps),
        _ => why(Returns, trouble),
    })
}

fn looks_again_each_time() -> Verdict {
    // Whether an outcome comes at all is rule 11.5's.
    if !KEPT.get_or_init(|| each_end_comes_to_who_waits().is_ok()) {
        return Ok(());
    }
    in_every_order(1, || run(Returns, 1)).map_err(|trouble| messages::result_did_not_look(&trouble.order))
}
