//! `run_in_executor`: blocking work on a thread of its own.

use std::cell::RefCell;
use std::panic::{Location, resume_unwind};

use crate::context::expect_current;
use crate::join::Task;
use crate::promise::create_future;
use crate::report::Report;
use crate::sync::{Ordering, thread};
use crate::unwind::{catch, discard, drop_quietly, message};

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
        let mut threads = self.0.borrow_mut();
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
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
    let wait = async move {
        match future.await.expect("a job's thread keeps its promise") {
            Ok(output) => output,
            Err(payload) => resume_unwind(payload),
        }
    };
    let task = Task::new(local.spawn(wait, None, Location::caller()));
    if local.closed.get() {
        return task;
    }
    let (shared, info) = (local.shared.clone(), task.info());
    shared.jobs.fetch_add(1, Ordering::SeqCst);
    let body = move || {
        // What nobody waits for any more is dropped here; a panic in it is reported.
        let unread = promise.send(catch(code)).err();
        let panic = unread.and_then(|result| result.map_or_else(Some, drop_quietly));
        if let Some(payload) = panic {
            shared.report(&Report::Panic { task: info, message: message(&*payload) });
            discard(payload);
        }
        // After the result, so that a loop that counts no job finds the wake in its inbox.
        shared.jobs.fetch_sub(1, Ordering::SeqCst);
        shared.look_again();
    };
    match thread::Builder::new().name(format!("{}-job", local.shared.name)).spawn(body) {
        Ok(thread) => local.jobs.add(thread),
        Err(error) => {
            local.shared.jobs.fetch_sub(1, Ordering::SeqCst);
            panic!("run_in_executor could not start a thread: {error}");
        }
    }
    task
}
