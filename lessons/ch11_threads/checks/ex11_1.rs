//! The check of exercise 11.1.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex11_1.rs"]
mod exercise;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use checker::threads::{self, End, Trouble, in_every_order};
use checker::{Verdict, messages};
use exercise::Handle;
use job::{Job, polled, ran};

fn main() -> ExitCode {
    checker::run(
        "ex11_1",
        &[
            ("11.2", jobs_run_on_the_loops_thread),
            ("11.3", no_job_is_left_behind),
            ("11.4", they_run_in_the_order_in_which_they_were_sent),
            ("7.4", a_turn_polls_its_batch),
            ("7.6", a_job_may_send_another),
        ],
    )
}

/// A job, as the exercise sees it.
mod job {
    use std::cell::{Cell, RefCell};
    use std::sync::Arc;

    use super::{Handle, threads};

    #[derive(Clone)]
    pub struct Job {
        pub number: usize,
        /// The loop to which it sends another one.
        pub sends_to: Option<Arc<Handle>>,
    }

    impl std::fmt::Debug for Job {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(formatter, "{}", self.number)
        }
    }

    thread_local! {
        static RAN: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
        static POLLED: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
        /// A job was run by a thread that sends.
        pub static RAN_ELSEWHERE: Cell<bool> = const { Cell::new(false) };
    }

    /// The jobs that were run, in order.
    pub fn ran() -> Vec<usize> {
        RAN.with_borrow(Clone::clone)
    }

    /// The tasks that were polled, in order.
    pub fn polled() -> Vec<usize> {
        POLLED.with_borrow(Clone::clone)
    }

    pub fn begin() {
        RAN.take();
        POLLED.take();
    }

    /// Polls the task that has this number. No task has 0.
    pub fn poll(task: usize) {
        if task > 0 {
            threads::once(|| POLLED.with_borrow_mut(|polled| polled.push(task)));
        }
    }

    impl Job {
        pub fn run(self) {
            if threads::current() > 0 {
                RAN_ELSEWHERE.set(true);
            }
            threads::once(|| RAN.with_borrow_mut(|ran| ran.push(self.number)));
            if let Some(handle) = self.sends_to {
                handle.call_soon_threadsafe(Job { number: self.number + 1, sends_to: None });
            }
        }
    }
}

/// Threads that send so many jobs each, and a loop that takes turns until all have run. The jobs of a thread are numbered
/// from ten times its own number on.
fn run(jobs: &[usize], judge: impl Fn(&[usize]) -> Verdict) -> Verdict {
    job::begin();
    let handle = Arc::new(Handle::new());
    if threads::made() == 0 {
        return Err(messages::has_other_locks().to_owned());
    }
    let all: usize = jobs.iter().sum();
    for (thread, jobs) in (1..).zip(jobs.iter().copied()) {
        let handle = handle.clone();
        threads::spawn(messages::sender(thread), move || {
            for number in 0..jobs {
                handle.call_soon_threadsafe(Job { number: 10 * thread + number, sends_to: None });
            }
        });
    }
    let different = || ran().into_iter().collect::<BTreeSet<_>>().len();
    while different() < all {
        handle.turn();
    }
    threads::finish();
    judge(&ran())
}

/// How many jobs each thread sends.
const SENDERS: [&[usize]; 3] = [&[1], &[2], &[1, 1]];

fn jobs_run_on_the_loops_thread() -> Verdict {
    // How it ends is judged by the other rules.
    let _ = in_every_order(0, || run(SENDERS[0], |_| Ok(())));
    if job::RAN_ELSEWHERE.get() { Err(messages::ran_on_the_senders_thread().to_owned()) } else { Ok(()) }
}

/// One turn, with tasks that were woken before it and a job.
fn a_turn_polls_its_batch() -> Verdict {
    // Whether jobs run at all is rule 11.3's.
    if !KEPT.get_or_init(|| no_job_is_left_behind().is_ok()) {
        return Ok(());
    }
    let ready = [1, 2];
    let turn = || {
        job::begin();
        let handle = Handle::new();
        handle.wake(1);
        handle.call_soon_threadsafe(Job { number: 0, sends_to: None });
        handle.wake(2);
        handle.turn();
        threads::finish();
        if polled() == ready { Ok(()) } else { Err(messages::not_the_batch(&ready, &polled())) }
    };
    in_every_order(0, turn).map_err(|trouble| why(1, trouble))
}

fn a_job_may_send_another() -> Verdict {
    // Whether they run at all is rule 11.3's.
    if !KEPT.get_or_init(|| no_job_is_left_behind().is_ok()) {
        return Ok(());
    }
    let sends = || {
        job::begin();
        let handle = Arc::new(Handle::new());
        handle.call_soon_threadsafe(Job { number: 0, sends_to: Some(handle.clone()) });
        handle.turn();
        threads::finish();
        Ok(())
    };
    match in_every_order(0, sends) {
        Err(Trouble { end: End::LockedTwice(first, second), .. }) if !ran().is_empty() => {
            Err(messages::job_under_the_lock(first, second))
        }
        _ => Ok(()),
    }
}

/// Whether the rule is kept on which the others rest; found out once.
static KEPT: OnceLock<bool> = OnceLock::new();

fn no_job_is_left_behind() -> Verdict {
    it_parks()?;
    for jobs in SENDERS {
        in_every_order(0, || run(jobs, |_| Ok(()))).map_err(|trouble| why(jobs.iter().sum(), trouble))?;
    }
    Ok(())
}

thread_local! {
    /// `turn` came back.
    static CAME_BACK: Cell<bool> = const { Cell::new(false) };
}

/// A turn with nothing in the ready queue waits.
fn it_parks() -> Verdict {
    let turn = || {
        let handle = Handle::new();
        if threads::made() > 0 {
            handle.turn();
            CAME_BACK.set(true);
        }
        threads::finish();
        Ok(())
    };
    let end = in_every_order(0, turn).map_err(|trouble| trouble.end);
    if CAME_BACK.get() || matches!(end, Err(End::Endless(_))) {
        return Err(messages::never_parks().to_owned());
    }
    Ok(())
}

fn why(sent: usize, trouble: Trouble) -> String {
    let Trouble { end, order, thread } = trouble;
    match end {
        End::Stuck(waiting) => messages::job_left_behind(sent, ran().len(), &waiting, &order),
        End::LockedTwice(first, second) => messages::locks_twice(first, second),
        End::Endless(steps) if thread > 0 => messages::endless_sender(steps),
        End::Endless(steps) => messages::endless_turns(steps, sent, ran().len(), &order),
        End::Broken(seen) => seen,
        End::NotPossible(..) => order,
    }
}

fn they_run_in_the_order_in_which_they_were_sent() -> Verdict {
    // Whether they run at all is rule 11.3's.
    if !KEPT.get_or_init(|| no_job_is_left_behind().is_ok()) {
        return Ok(());
    }
    let judge = |ran: &[usize]| {
        for job in ran {
            let times = ran.iter().filter(|other| *other == job).count();
            if times > 1 {
                return Err(messages::ran_twice(*job, times));
            }
        }
        if ran.is_sorted() { Ok(()) } else { Err(messages::jobs_out_of_order(ran)) }
    };
    for jobs in [&[1][..], &[2]] {
        if let Err(Trouble { end: End::Broken(seen), .. }) = in_every_order(0, || run(jobs, judge)) {
            return Err(seen);
        }
    }
    Ok(())
}
