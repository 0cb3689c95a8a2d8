//! The check of exercise 11.3.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex11_3.rs"]
mod exercise;
/// The handle as it was handed out.
#[path = "../given/ex11_3.rs"]
mod handed_out;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use checker::threads::{self, End, Trouble, in_every_order, in_this_order};
use checker::{Verdict, messages};
use exercise::{Handle, Step, reproduce};
use job::{Inbox, Job, new_job, ran, refused};

fn main() -> ExitCode {
    checker::run(
        "ex11_3",
        &[
            ("11.7", each_job_is_run_or_refused),
            ("11.3", no_job_is_left_behind),
            ("11.4", they_run_in_the_order_in_which_they_were_sent),
            ("5.6", take_looks_again),
            ("7.6", a_destructor_may_send_another),
        ],
    )
}

/// A job, as the exercise sees it.
mod job {
    use std::cell::RefCell;
    use std::sync::Arc;

    use super::{exercise, handed_out, threads};

    /// The handle of the exercise, or as it was handed out.
    pub trait Inbox: Send + Sync + 'static {
        fn send(&self, job: Job);
        fn take_all(&self) -> Vec<Job>;
        fn shut(&self);
    }

    impl Inbox for exercise::Handle {
        fn send(&self, job: Job) {
            self.call_soon_threadsafe(job);
        }

        fn take_all(&self) -> Vec<Job> {
            self.take()
        }

        fn shut(&self) {
            self.close();
        }
    }

    impl Inbox for handed_out::Handle {
        fn send(&self, job: Job) {
            self.call_soon_threadsafe(job);
        }

        fn take_all(&self) -> Vec<Job> {
            self.take()
        }

        fn shut(&self) {
            self.close();
        }
    }

    #[derive(Clone)]
    pub struct Job {
        number: usize,
        /// The loop to which its destructor sends another one.
        sends_to: Option<Arc<dyn Inbox>>,
        is_run: bool,
    }

    /// Names the job, so that a step whose only result is the job tells it from others.
    impl std::fmt::Debug for Job {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(formatter, "{}", self.number)
        }
    }

    pub fn new_job(number: usize, sends_to: Option<Arc<dyn Inbox>>) -> Job {
        Job { number, sends_to, is_run: false }
    }

    thread_local! {
        static RAN: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
        static REFUSED: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    }

    pub fn begin() {
        RAN.take();
        REFUSED.take();
    }

    /// The jobs that were run, in order.
    pub fn ran() -> Vec<usize> {
        RAN.with_borrow(Clone::clone)
    }

    /// The jobs that were dropped without having been run, in order.
    pub fn refused() -> Vec<usize> {
        REFUSED.with_borrow(Clone::clone)
    }

    impl Job {
        pub fn run(mut self) {
            self.is_run = true;
            threads::once(|| RAN.with_borrow_mut(|ran| ran.push(self.number)));
        }
    }

    impl Drop for Job {
        fn drop(&mut self) {
            if threads::is_outside() || self.is_run {
                return;
            }
            threads::once(|| REFUSED.with_borrow_mut(|refused| refused.push(self.number)));
            if let Some(handle) = self.sends_to.take() {
                handle.send(new_job(self.number + 1, None));
            }
        }
    }
}

/// Threads that send so many jobs each. The jobs of a thread are numbered from ten times its own number on.
fn spawn_senders(handle: &Arc<impl Inbox>, jobs: &[usize]) {
    for (thread, jobs) in (1..).zip(jobs.iter().copied()) {
        let handle = handle.clone();
        threads::spawn(messages::sender(thread), move || {
            for number in 0..jobs {
                handle.send(new_job(10 * thread + number, None));
            }
        });
    }
}

/// A loop that takes so often what has come, and then closes.
fn close_while_they_send<H: Inbox>(make: fn() -> H, jobs: &[usize], takes: usize) -> Verdict {
    begin();
    let handle = Arc::new(make());
    if threads::made() == 0 {
        return Err(messages::has_other_locks().to_owned());
    }
    spawn_senders(&handle, jobs);
    for _ in 0..takes {
        handle.take_all().into_iter().for_each(Job::run);
    }
    close(&*handle);
    threads::finish();
    // The sentence needs the order, too.
    if ends() == 1 && different() == jobs.iter().sum() { Ok(()) } else { Err(String::new()) }
}

thread_local! {
    /// The call that the loop's thread is in.
    static CALL: Cell<Call> = const { Cell::new(Call::Else) };
    /// `close` has begun in this run.
    static CLOSES: Cell<bool> = const { Cell::new(false) };
}

#[derive(Clone, Copy, PartialEq)]
enum Call {
    Close,
    Send,
    Else,
}

fn call<H: Inbox>(call: Call, handle: &H, code: impl FnOnce(&H)) {
    CALL.set(call);
    code(handle);
    CALL.set(Call::Else);
}

fn close(handle: &impl Inbox) {
    CLOSES.set(true);
    call(Call::Close, handle, Inbox::shut);
}

fn send(handle: &impl Inbox, job: Job) {
    call(Call::Send, handle, |handle| handle.send(job));
}

fn begin() {
    job::begin();
    CALL.set(Call::Else);
    CLOSES.set(false);
}

/// How often the job was run or dropped that was so most often.
fn ends() -> usize {
    let all = [ran(), refused()].concat();
    all.iter().map(|job| all.iter().filter(|other| *other == job).count()).max().unwrap_or(1)
}

/// How many jobs were run or dropped.
fn different() -> usize {
    [ran(), refused()].concat().into_iter().collect::<BTreeSet<_>>().len()
}

/// What is said of a call that does not come back: of `close`, or of one that sends, once the loop closes. Of others rule
/// 11.3 judges.
fn never_returns(trouble: &Trouble) -> Option<String> {
    let Trouble { end, order, thread } = trouble;
    let (closes, sends) = (CALL.get() == Call::Close, CALL.get() == Call::Send);
    let is_senders = *thread > 0 && CLOSES.get();
    match end {
        End::Endless(steps) if is_senders || sends => Some(messages::endless_sender(*steps)),
        End::Endless(steps) if closes => Some(messages::endless_close(*steps)),
        End::LockedTwice(first, second) if is_senders || sends || closes => {
            Some(messages::locks_twice(*first, *second))
        }
        End::Stuck(waiting) if closes => Some(messages::close_never_returns(waiting, order)),
        End::Stuck(waiting) if sends || CLOSES.get() && waiting.iter().all(|(thread, _)| *thread > 0) => {
            Some(messages::sender_never_returns(waiting, order))
        }
        _ => None,
    }
}

/// How many jobs each thread sends, and how often the loop takes what is there before it closes.
const CLOSING: [(&[usize], usize); 5] = [(&[1], 0), (&[2], 0), (&[1, 1], 0), (&[1], 1), (&[2], 1)];

fn each_job_is_run_or_refused() -> Verdict {
    reproduction()?;
    accounts_for_each().map_err(|seen| messages::part_2("Handle", &seen))
}

/// Whether the rule is kept on which the others rest; found out once.
static KEPT: OnceLock<bool> = OnceLock::new();

fn accounts_for_each() -> Verdict {
    for (jobs, takes) in CLOSING {
        match in_every_order(0, || close_while_they_send(Handle::new, jobs, takes)) {
            Err(Trouble { end: End::Broken(seen), order, .. }) if seen.is_empty() => {
                let all = jobs.iter().sum();
                let message = if ends() > 1 { messages::had_two_ends } else { messages::job_forgotten };
                return Err(message(all, ran().len(), refused().len(), &order));
            }
            Err(Trouble { end: End::Broken(seen), .. }) => return Err(seen),
            Err(trouble) => never_returns(&trouble).map_or(Ok(()), Err)?,
            Ok(()) => {}
        }
    }
    match in_every_order(0, kept_and_late) {
        Err(Trouble { end: End::Broken(seen), .. }) => Err(seen),
        Err(trouble) => never_returns(&trouble).map_or(Ok(()), Err),
        Ok(()) => Ok(()),
    }
}

/// Jobs come before the loop runs, and when it is closed.
fn kept_and_late() -> Verdict {
    begin();
    let handle = Arc::new(Handle::new());
    send(&*handle, new_job(10, None));
    send(&*handle, new_job(11, None));
    if !refused().is_empty() {
        return Err(messages::refused_before_it_closed().to_owned());
    }
    while ran().is_empty() {
        handle.take_all().into_iter().for_each(Job::run);
    }
    send(&*handle, new_job(12, None));
    if !refused().is_empty() {
        return Err(messages::refused_before_it_closed().to_owned());
    }
    let before = ran().len();
    close(&*handle);
    if ran().len() > before {
        return Err(messages::ran_by_close(ran().len() - before));
    }
    if different() < 3 {
        return Err(messages::kept_by_a_closed_loop(3 - different()));
    }
    send(&*handle, new_job(13, None));
    if !refused().contains(&13) {
        return Err(messages::taken_by_a_closed_loop().to_owned());
    }
    threads::finish();
    Ok(())
}

/// A loop that takes what comes until all has run.
fn run_all(jobs: &[usize], judge: impl Fn(&[usize]) -> Verdict) -> Result<(), Trouble> {
    in_every_order(0, || {
        begin();
        let handle = Arc::new(Handle::new());
        spawn_senders(&handle, jobs);
        while ran().len() + refused().len() < jobs.iter().sum() {
            handle.take().into_iter().for_each(Job::run);
        }
        threads::finish();
        judge(&ran())
    })
}

fn no_job_is_left_behind() -> Verdict {
    if !KEPT.get_or_init(|| accounts_for_each().is_ok()) {
        return Ok(());
    }
    for jobs in [&[1][..], &[2], &[1, 1]] {
        run_all(jobs, |_| Ok(())).map_err(|Trouble { end, order, thread }| match end {
            End::Stuck(waiting) => messages::job_left_behind(jobs.iter().sum(), ran().len(), &waiting, &order),
            End::LockedTwice(first, second) => messages::locks_twice(first, second),
            End::Endless(steps) if thread > 0 => messages::endless_sender(steps),
            End::Endless(steps) => messages::endless_takes(steps),
            End::Broken(seen) => seen,
            End::NotPossible(..) => order,
        })?;
    }
    Ok(())
}

fn they_run_in_the_order_in_which_they_were_sent() -> Verdict {
    if !KEPT.get_or_init(|| accounts_for_each().is_ok()) {
        return Ok(());
    }
    let judge = |ran: &[usize]| if ran.is_sorted() { Ok(()) } else { Err(messages::jobs_out_of_order(ran)) };
    match run_all(&[3], judge) {
        Err(Trouble { end: End::Broken(seen), .. }) => Err(seen),
        _ => Ok(()),
    }
}

fn take_looks_again() -> Verdict {
    // Whether it waits at all is rule 11.3's.
    if !KEPT.get_or_init(|| accounts_for_each().is_ok()) || no_job_is_left_behind().is_err() {
        return Ok(());
    }
    let run = || {
        begin();
        let handle = Arc::new(Handle::new());
        spawn_senders(&handle, &[1]);
        let jobs = handle.take();
        let has_waited = !jobs.is_empty();
        jobs.into_iter().for_each(Job::run);
        threads::finish();
        if has_waited { Ok(()) } else { Err(String::new()) }
    };
    match in_every_order(1, run) {
        Err(Trouble { end: End::Broken(_), order, .. }) => Err(messages::take_did_not_look(&order)),
        _ => Ok(()),
    }
}

/// Jobs are dropped by a loop that closes, and by one that is closed, and send others then.
fn a_destructor_may_send_another() -> Verdict {
    if !KEPT.get_or_init(|| accounts_for_each().is_ok()) {
        return Ok(());
    }
    for is_closed in [false, true] {
        let run = || {
            job::begin();
            let handle: Arc<Handle> = Arc::new(Handle::new());
            if is_closed {
                handle.shut();
            }
            handle.send(new_job(10, Some(handle.clone())));
            if !is_closed {
                handle.shut();
            }
            threads::finish();
            Ok(())
        };
        if let Err(Trouble { end: End::LockedTwice(first, second), .. }) = in_every_order(0, run) {
            return Err(messages::refused_under_the_lock(is_closed, first, second));
        }
    }
    Ok(())
}

/// The order of the student, with the handle that was handed out.
fn reproduction() -> Verdict {
    let steps = reproduce();
    let order = steps.iter().map(|step| usize::from(*step == Step::Sender)).collect();
    let ended = in_this_order(order, || close_while_they_send(handed_out::Handle::new, &[1], 0));
    match ended.map_err(|trouble| trouble.end) {
        Err(End::Broken(_)) => Ok(()),
        Err(End::NotPossible(step, thread)) => Err(messages::step_not_possible(step, thread)),
        _ => Err(messages::reproduces_no_forgotten_job(steps.len())),
    }
}
