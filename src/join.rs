//! `Task`: the handle by which a task is awaited, watched, cancelled, or let go.

use std::any::Any;
use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::record::{What, given_up, kept, waits_at};
use crate::report::{Report, TaskInfo, TaskState, default_name, state_of};
use crate::sync::Mutex;
use crate::task::{Failure, Joiner, TaskRef, Typed};
use crate::unwind::{Payload, discard, message};

/// A spawned task: a future of its result. It is `asyncio.Task`.
///
/// Dropping it detaches: the task runs on, since its loop owns it (TASK-14). To end it, [`cancel`](Task::cancel).
/// Awaiting it is cancel-safe: awaited as `&mut task`, it can be awaited again.
///
/// It stays on its loop's thread; from others, [`submit`](crate::LoopHandle::submit).
///
/// ```
/// handloop::run(async {
///     let task = handloop::spawn(async { 6 * 7 });
///     assert_eq!(task.await.unwrap(), 42);
/// });
/// ```
///
/// # Panics
/// When it is awaited again after it gave its result (case 56).
#[must_use = "a task that is dropped runs on unwatched: await it, or say drop(task)"]
pub struct Task<T>(Typed<T>);

// `T` is in the task's allocation, never in the handle.
impl<T> Unpin for Task<T> {}

impl<T> Task<T> {
    pub(crate) fn new(typed: Typed<T>) -> Self {
        Task(typed)
    }

    fn inner(&self) -> &TaskRef {
        &self.0.task
    }

    pub(crate) fn info(&self) -> TaskInfo {
        TaskInfo::of(self.inner())
    }

    /// The loop's own count of its tasks, from 1.
    pub fn id(&self) -> u64 {
        self.inner().header().id()
    }

    /// The name given to [`spawn_named`](crate::spawn_named), else `Task-N` (TASK-04).
    pub fn name(&self) -> String {
        self.info().name
    }

    /// The line that spawned it.
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.inner().header().spawned_at
    }

    /// What it does at this moment.
    pub fn state(&self) -> TaskState {
        state_of(self.inner().header())
    }

    /// Whether it is over: finished, panicked or cancelled.
    pub fn is_finished(&self) -> bool {
        self.inner().header().phase.get().is_over()
    }

    /// Asks the loop to drop the task's future at its next turn, on its own thread. It is `Task.cancel`, but nothing
    /// can refuse it (CANC-03). False: the task is over already, or was when its loop closed.
    ///
    /// A task that cancels itself runs to its next `.await` that is pending; if it returns before, its result counts
    /// (CANC-10). A task that this one waits for is not cancelled with it (CANC-08).
    #[track_caller]
    pub fn cancel(&self) -> bool {
        self.inner().cancel()
    }

    /// The result if the task is over, and `None` while it is not (TASK-15).
    ///
    /// # Errors
    /// [`JoinError`] if the task panicked or was cancelled.
    ///
    /// # Panics
    /// If the result was taken before.
    #[inline]
    #[track_caller]
    pub fn try_result(&mut self) -> Option<Result<T, JoinError>> {
        if !self.is_finished() {
            return None;
        }
        let taken = self.0.take();
        let at = Location::caller();
        self.inner().say(move |_, said| What::Joined { id: said.id(), by: said.by }.at(at));
        match taken {
            Some(result) => Some(result.map_err(|failure| JoinError::new(self.id(), self.name(), failure))),
            None => panic!("{} has given its result already: keep it from the first time", self.name()),
        }
    }

    pub(crate) fn join_with(&self, joiner: Joiner) {
        self.replace_joiner(joiner);
    }

    /// Lets go of whoever waited before.
    fn replace_joiner(&self, joiner: Joiner) {
        if let Joiner::Waker(waker) = self.inner().replace_joiner(joiner) {
            given_up(waker, || self.inner().header().joiner(), drop);
        }
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, JoinError>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(result) = self.try_result() {
            return Poll::Ready(result);
        }
        let is_known =
            self.inner().with_joiner(|waiting, _| waiting.is_some_and(|waiting| waiting.will_wake(context.waker())));
        if !is_known {
            let waker = kept(context.waker(), || self.inner().header().joiner(), Location::caller());
            // To clone a waker may be code of the user's, in which the task has ended.
            if let Some(result) = self.try_result() {
                given_up(waker, || self.inner().header().joiner(), drop);
                return Poll::Ready(result);
            }
            // The latest waker counts (RUST-05, case 61); the one before is released.
            self.replace_joiner(Joiner::Waker(waker));
        }
        waits_at(context.waker(), || self.inner().header().joiner(), Location::caller());
        Poll::Pending
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        if self.inner().header().is_taken() {
            return;
        }
        self.inner().say(|_, said| What::Detached { id: said.id(), by: said.by });
        let waiting = self.inner().replace_joiner(Joiner::Detached);
        let unread = if self.is_finished() { self.0.take() } else { None };
        if let Some(Err(Failure::Panic(payload))) = unread {
            if let Some(shared) = self.inner().shared() {
                shared.report(&Report::Panic { task: self.info(), message: message(&*payload) });
            }
            discard(payload);
        }
        if let Joiner::Waker(waker) = waiting {
            given_up(waker, || self.inner().header().joiner(), drop);
        }
    }
}

/// Why a task has no result: it was cancelled, or it panicked (CANC-13).
pub struct JoinError {
    id: u64,
    name: String,
    /// `None`: cancelled. Behind a lock, because a payload is `Send` but not `Sync`.
    panic: Option<Mutex<Payload>>,
}

impl JoinError {
    pub(crate) fn new(id: u64, name: String, failure: Failure) -> Self {
        let panic = match failure {
            Failure::Cancelled => None,
            Failure::Panic(payload) => Some(Mutex::new(payload)),
        };
        JoinError { id, name, panic }
    }

    pub(crate) fn unnamed(id: u64, failure: Failure) -> Self {
        Self::new(id, default_name(id), failure)
    }

    /// The id of the task; 0 if its loop was closed and never took it.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The name of the task.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the task's future was dropped before it finished: by `cancel`, or because the loop closed.
    pub fn is_cancelled(&self) -> bool {
        self.panic.is_none()
    }

    /// Whether the task panicked.
    pub fn is_panic(&self) -> bool {
        self.panic.is_some()
    }

    /// What the panic carries, for [`resume_unwind`](std::panic::resume_unwind).
    ///
    /// # Panics
    /// If the task was cancelled; ask [`is_panic`](Self::is_panic) first.
    #[track_caller]
    pub fn into_panic(self) -> Box<dyn Any + Send + 'static> {
        match self.panic {
            Some(payload) => payload.into_inner(),
            None => panic!("{} did not panic, it was cancelled: ask is_panic() first", self.name),
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.panic {
            None => write!(f, "{} was cancelled before it finished.", self.name),
            Some(payload) => write!(f, "{} panicked: {}", self.name, message(&**payload.lock())),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinError({self})")
    }
}

impl std::error::Error for JoinError {}

shows! { Task<T> { name, state } }
