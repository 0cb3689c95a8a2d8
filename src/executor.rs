//! `run_in_executor`: blocking work on a thread of its own.

use std::cell::RefCell;
use std::panic::{Location, resume_unwind};

use crate::context::{current, expect_current};
use crate::join::Task;
use crate::promise::{PromiseFuture, create_future};
use crate::report::{Report, TaskInfo, TaskState, default_name};
use crate::shared::Shared;
use crate::sync::{Arc, Ordering, thread};
use crate::unwind::{Payload, catch, discard, drop_quietly, message};

/// The threads of a loop's jobs.
#[derive(Default)]
pub(crate) struct Jobs(RefCell<Vec<thread::JoinHandle<()>>>);

impl Jobs {
    pub(crate) fn join(&self) {
        for thread in self.0.take() {
            // A job's panic was caught on its thread.
            let _ = thread.join();
        }
    }

    fn add(&self, thread: thread::JoinHandle<()>) {
        let threads = self.0.take().into_iter().chain([thread]);
        let (ended, out) = threads.partition(thread::JoinHandle::is_finished);
        self.0.replace(out);
        // Joined now, so that what is kept is no more than the jobs that are out.
        Jobs(RefCell::new(ended)).join();
    }
}

/// Runs blocking code on another thread, so that the loop stays free, and returns the task that waits for it. It is
/// `loop.run_in_executor(None, …)`.
///
/// The code starts at once, on a thread of its own (EXEC-05), which the loop joins when it closes. Nothing can stop
/// it: to cancel or drop the task is to stop waiting (EXEC-04). While it runs a virtual clock stands still. On a loop
/// that closes the code is dropped, and the task is cancelled at once (EXEC-06).
///
/// # Panics
/// Outside a running loop, or if the thread cannot be started. A panic of the code itself is the task's
/// [`JoinError`](crate::JoinError) (EXEC-02).
///
/// ```
/// handloop::run(async {
///     let sum = handloop::run_in_executor(|| (1..=100).sum::<u32>()).await.unwrap();
///     assert_eq!(sum, 5050);
/// });
/// ```
#[track_caller]
pub fn run_in_executor<F, T>(code: F) -> Task<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let local = expect_current("run_in_executor");
    let (promise, future) = create_future();
    let origin = Origin { shared: local.shared.clone(), id: local.last_id() + 1, at: Location::caller() };
    let mut wait = Wait { future, origin: origin.clone() };
    local.count_wait(1);
    let future = async move {
        match (&mut wait.future).await.expect("a job's thread keeps its promise") {
            Ok(output) => output,
            Err(payload) => resume_unwind(payload),
        }
    };
    let task = Task::new(local.spawn_as(future, None, "run_in_executor", Location::caller()));
    if local.closed.get() {
        return task;
    }
    let out = Out::new(local.shared.clone());
    let body = move || {
        if let Err(unread) = promise.send(catch(code)) {
            origin.drop_unread(unread);
        }
        // After the result, so that a loop that counts no job finds the wake in its inbox.
        drop(out);
    };
    // A thread's name must not contain a NUL.
    let name = format!("{}-{}", local.shared.name, task.name()).replace('\0', "");
    match thread::Builder::new().name(name).spawn(body) {
        Ok(thread) => local.jobs.add(thread),
        Err(error) => panic!("run_in_executor could not start a thread: {error}"),
    }
    task
}

/// Counts as a job that is out, on every way that it may end.
struct Out(Arc<Shared>);

impl Out {
    fn new(shared: Arc<Shared>) -> Self {
        shared.jobs.fetch_add(1, Ordering::SeqCst);
        Out(shared)
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        self.0.jobs.fetch_sub(1, Ordering::SeqCst);
        self.0.look_again();
    }
}

/// What the task of a job waits in. Dropped with a result in it, it has one that nobody joined.
struct Wait<T> {
    future: PromiseFuture<Result<T, Payload>>,
    origin: Origin,
}

impl<T> Drop for Wait<T> {
    fn drop(&mut self) {
        if let Some(local) = current() {
            // Only its own loop drops it.
            local.count_wait(-1);
        }
        if let Some(Ok(unread)) = self.future.close() {
            self.origin.drop_unread(unread);
        }
    }
}

#[derive(Clone)]
struct Origin {
    shared: Arc<Shared>,
    id: u64,
    at: &'static Location<'static>,
}

impl Origin {
    /// Drops what nobody waits for any more. A panic in it is reported, and so is one of its destructor.
    fn drop_unread<T>(&self, result: Result<T, Payload>) {
        if let Some(payload) = result.map_or_else(Some, drop_quietly) {
            let (id, spawned_at) = (self.id, self.at);
            let task = TaskInfo { id, name: default_name(id), spawned_at, state: TaskState::Cancelled, polls: 0 };
            self.shared.report(&Report::Panic { task, message: message(&*payload) });
            discard(payload);
        }
    }
}
