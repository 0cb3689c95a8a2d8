//! `RemoteTask`: a task of another thread's loop, to wait for, with or without blocking, or to cancel.

use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use crate::join::JoinError;
use crate::record::{Holder, What, waits_at};
use crate::report::Report;
use crate::sync::{Arc, spin_until, thread};
use crate::task::{Failure, TypedOutside};
use crate::unwind::{discard, message};

/// A task that was submitted to a loop. It is the `concurrent.futures.Future` that
/// `asyncio.run_coroutine_threadsafe` returns, and a Rust future too, for any executor (RCT-20).
///
/// Dropping it detaches the task (RCT-19). It is `Send`; the task itself never leaves its loop's thread. Awaiting it
/// is cancel-safe.
///
/// # Panics
/// When it is awaited, or asked for its result, after it gave that.
#[must_use = "a task that is dropped runs on unwatched: wait for it, or say drop(task)"]
pub struct RemoteTask<T>(TypedOutside<T>);

// `T` is in the task's allocation, never in the handle.
impl<T> Unpin for RemoteTask<T> {}

impl<T> RemoteTask<T> {
    pub(crate) fn new(typed: TypedOutside<T>) -> Self {
        RemoteTask(typed)
    }

    /// Blocks until the task is over, and returns its result. It is `Future.result()`.
    ///
    /// # Errors
    /// [`ResultError::Failed`] if the task panicked or was cancelled, also by the end of its loop (RCT-10);
    /// [`ResultError::OwnThread`] at once if this is the loop's own thread and the task is pending (RCT-08).
    ///
    /// # Panics
    /// If the result was taken before.
    #[track_caller]
    pub fn result(&self) -> Result<T, ResultError> {
        self.block(None)
    }

    /// The same for at most `limit`. The task goes on, and this can be called again (RCT-02).
    ///
    /// # Errors
    /// As [`result`](Self::result), and [`ResultError::Timeout`].
    ///
    /// # Panics
    /// If the result was taken before.
    #[track_caller]
    pub fn result_timeout(&self, limit: Duration) -> Result<T, ResultError> {
        self.block(Some(limit))
    }

    #[track_caller]
    fn block(&self, limit: Option<Duration>) -> Result<T, ResultError> {
        if !spin_until(200, || self.0.is_done()) {
            if self.0.task.shared().is_own_thread() {
                return Err(ResultError::OwnThread);
            }
            // A deadline too far to express never comes.
            let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
            let waker = Waker::from(Arc::new(Unpark(thread::current())));
            while self.0.wait_with(&waker) {
                match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                    None => thread::park(),
                    Some(Duration::ZERO) => return Err(ResultError::Timeout),
                    Some(left) => thread::park_timeout(left),
                }
            }
        }
        self.take().map_err(ResultError::Failed)
    }

    #[track_caller]
    fn take(&self) -> Result<T, JoinError> {
        let taken = self.0.take();
        let at = Location::caller();
        self.0.task.say(move |_, said| What::Joined { id: said.id(), by: said.by }.at(at));
        match taken {
            Some(result) => result.map_err(|failure| JoinError::unnamed(self.0.id(), failure)),
            None => panic!("this task has given its result already: keep it from the first time"),
        }
    }

    /// Whether the task is over.
    pub fn is_finished(&self) -> bool {
        self.0.is_done()
    }

    /// Asks the loop to drop the task's future on its own thread, and wakes the loop (RCT-04). False: the task is
    /// over already. Before its first poll it is never polled (RCT-17). Joined afterwards, the task returns only when
    /// its future was dropped (RCT-12).
    #[track_caller]
    pub fn cancel(&self) -> bool {
        let accepted = self.0.task.state().cancel();
        if accepted {
            let at = Location::caller();
            self.0.task.say(move |_, said| What::CancelAsked { id: said.id(), by: said.by }.at(at));
            self.0.task.wake_by_ref();
        }
        accepted
    }
}

impl<T> Future for RemoteTask<T> {
    type Output = Result<T, JoinError>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.0.is_done() && self.0.wait_with(context.waker()) {
            waits_at(context.waker(), || Holder::Remote, Location::caller());
            return Poll::Pending;
        }
        Poll::Ready(self.take())
    }
}

impl<T> Drop for RemoteTask<T> {
    fn drop(&mut self) {
        if !self.0.is_done() || !self.0.is_taken() {
            self.0.task.say(|_, said| What::Detached { id: said.id(), by: said.by });
        }
        if let Some(Err(Failure::Panic(payload))) = self.0.detach() {
            let task = self.0.info();
            self.0.task.shared().report(&Report::Panic { task, message: message(&*payload) });
            discard(payload);
        }
    }
}

/// Wakes a blocked thread. It looks again whenever it is unparked, so a token that somebody else used does no harm.
struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Why [`RemoteTask::result`] has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum ResultError {
    /// The task was cancelled, or panicked.
    Failed(JoinError),
    /// The task is still pending. It goes on.
    Timeout,
    /// This is the thread of the task's own loop, and the task is pending: to wait would be to wait for ever.
    OwnThread,
}

impl fmt::Display for ResultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResultError::Failed(error) => error.fmt(f),
            ResultError::Timeout => f.write_str("The task is still running: ask again, or cancel it."),
            ResultError::OwnThread => f.write_str(
                "result() on the loop's own thread would wait for ever, since the loop could not go on: await the task.",
            ),
        }
    }
}

impl std::error::Error for ResultError {}

shows! { RemoteTask<T> { is_finished } }
