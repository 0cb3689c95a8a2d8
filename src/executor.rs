//! `run_in_executor`: blocking work on a thread of its own.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::context::expect_current;
use crate::join::JoinError;
use crate::promise::{PromiseFuture, create_future};
use crate::report::{Report, TaskInfo, TaskState};
use crate::shared::Shared;
use crate::sync::{Arc, Ordering, thread};
use crate::task::Failure;
use crate::unwind::{Payload, catch, discard, drop_quietly, message};

/// The threads of a loop's jobs.
#[derive(Default)]
pub(crate) struct Jobs {
    threads: RefCell<Vec<thread::JoinHandle<()>>>,
    last: Cell<u64>,
}

impl Jobs {
    pub(crate) fn join(&self) {
        for thread in self.threads.take() {
            // A job's panic was caught on its thread.
            let _ = thread.join();
        }
    }

    fn add(&self, thread: thread::JoinHandle<()>) {
        let mut threads = self.threads.borrow_mut();
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
    }
}

/// Runs blocking code on another thread, so that the loop stays free. It is `loop.run_in_executor(None, …)`.
///
/// It starts at once, on a thread of its own (EXEC-05), which the loop joins when it closes. Dropping the job does
/// not stop the code, and nothing else can (EXEC-04). While it runs, a virtual clock stands still.
///
/// # Panics
/// Outside a running loop, or if the thread cannot be started. A panic of the code itself is the job's
/// [`JoinError`] (EXEC-02).
///
/// ```
/// handloop::run(async {
///     let sum = handloop::run_in_executor(|| (1..=100).sum::<u32>()).await.unwrap();
///     assert_eq!(sum, 5050);
/// });
/// ```
#[track_caller]
pub fn run_in_executor<F, T>(code: F) -> Job<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let local = expect_current("run_in_executor");
    let (promise, future) = create_future();
    let jobs = &local.jobs;
    jobs.last.set(jobs.last.get() + 1);
    let origin = Origin { id: jobs.last.get(), at: Location::caller(), shared: local.shared.clone() };
    if local.is_closed() {
        // The promise breaks: the job is cancelled.
        return Job { future, origin };
    }
    local.shared.jobs.fetch_add(1, Ordering::SeqCst);
    let thread_origin = origin.clone();
    let body = move || {
        let result = catch(code);
        if let Err(unread) = promise.send(result) {
            thread_origin.drop_unread(unread);
        }
        // After the result, so that a loop that counts no job finds the wake in its inbox.
        thread_origin.shared.jobs.fetch_sub(1, Ordering::SeqCst);
        thread_origin.shared.look_again();
    };
    let name = format!("{}-job-{}", local.shared.name, origin.id);
    match thread::Builder::new().name(name).spawn(body) {
        Ok(thread) => jobs.add(thread),
        Err(error) => {
            local.shared.jobs.fetch_sub(1, Ordering::SeqCst);
            panic!("run_in_executor could not start a thread: {error}");
        }
    }
    Job { future, origin }
}

/// Which job it is, and where its report goes.
#[derive(Clone)]
struct Origin {
    id: u64,
    at: &'static Location<'static>,
    shared: Arc<Shared>,
}

impl Origin {
    fn name(&self) -> String {
        format!("Job-{}", self.id)
    }

    /// Nobody will read this result: a panic is reported, as is that of a destructor.
    fn drop_unread<T>(&self, result: Result<T, Payload>) {
        let payload = match result {
            Ok(output) => drop_quietly(output),
            Err(payload) => Some(payload),
        };
        if let Some(payload) = payload {
            let task =
                TaskInfo { id: self.id, name: self.name(), spawned_at: self.at, state: TaskState::Panicked, polls: 0 };
            self.shared.report(&Report::Panic { task, message: message(&*payload) });
            discard(payload);
        }
    }
}

/// What [`run_in_executor`] runs: a future of its result. Cancel-safe; dropped, the code runs on.
#[must_use = "a job that is dropped runs on unwatched: await it, or say drop(job)"]
pub struct Job<T> {
    future: PromiseFuture<Result<T, Payload>>,
    origin: Origin,
}

impl<T> Future for Job<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.future).poll(context).map(|result| {
            let result = match result {
                Ok(result) => result.map_err(Failure::Panic),
                Err(_) => Err(Failure::Cancelled),
            };
            result.map_err(|failure| JoinError::new(self.origin.id, self.origin.name(), failure))
        })
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        if let Some(Ok(unread)) = self.future.try_result() {
            self.origin.drop_unread(unread);
        }
    }
}

impl<T> fmt::Debug for Job<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("name", &self.origin.name()).field("done", &self.future.is_done()).finish()
    }
}
