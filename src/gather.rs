//! `gather` and its two sisters: wait for several tasks, with one wake for all of them.
//!
//! A child does not keep the waker of whoever gathers. It keeps a reference to its group and its own place in it, and
//! reports its end there. The group wakes when there is something to return, so n children cost n reports, one wake
//! and n looks, in whatever order they end.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use crate::join::{JoinError, Task};
use crate::record::{Holder, given_up, kept, waits_at};
use crate::report::TaskState;
use crate::task::Joiner;
use crate::unwind::wake_one;
use crate::waker::task_of;

/// Which ends of children are worth a look, beside the last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Last,
    FirstFailure,
    Each,
}

pub(crate) struct Group {
    until: Until,
    /// Children that are not over.
    running: Cell<usize>,
    /// The children whose end is worth a look, and has had none; oldest first.
    ended: RefCell<VecDeque<u32>>,
    waker: RefCell<Option<Waker>>,
}

impl Group {
    pub(crate) fn child_ended(&self, index: u32, is_ok: bool) {
        self.running.set(self.running.get() - 1);
        let is_worth_a_look = self.until == Until::Each || self.until == Until::FirstFailure && !is_ok;
        if is_worth_a_look {
            self.ended.borrow_mut().push_back(index);
        }
        if is_worth_a_look || self.running.get() == 0 {
            self.give_up(wake_one);
        }
    }

    fn give_up(&self, end: impl FnOnce(Waker)) {
        if let Some(waker) = self.waker.take() {
            given_up(waker, || Holder::Gather, end);
        }
    }

    /// The task that the group wakes, if it is one of ours. To be compared, not to be followed.
    pub(crate) fn wakes(&self) -> Option<*const ()> {
        self.waker.borrow().as_ref().and_then(task_of)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.give_up(drop);
    }
}

/// The tasks of one gather. Dropped before it has returned, it cancels those that are not over (GATH-04, GATH-05).
struct Children<T> {
    /// `None` once it has returned: then they are nobody's to cancel (GATH-09).
    tasks: Option<Vec<Task<T>>>,
    group: Rc<Group>,
}

impl<T> Children<T> {
    fn new(tasks: impl IntoIterator<Item = Task<T>>, until: Until) -> Self {
        let tasks: Vec<Task<T>> = tasks.into_iter().collect();
        let running = Cell::new(tasks.len());
        let group = Rc::new(Group { until, running, ended: RefCell::default(), waker: RefCell::default() });
        for (index, task) in (0..).zip(&tasks) {
            if task.is_finished() {
                group.child_ended(index, task.state() == TaskState::Finished);
            } else {
                task.join_with(Joiner::Group(group.clone(), index));
            }
        }
        Children { tasks: Some(tasks), group }
    }

    /// The next child whose end is worth a look; `None` when all are over.
    #[track_caller]
    fn poll_ended(&mut self, context: &mut Context<'_>) -> Poll<Option<usize>> {
        assert!(self.tasks.is_some(), "a gather that has returned is not polled again");
        let group = &self.group;
        let is_known = matches!(&*group.waker.borrow(), Some(known) if known.will_wake(context.waker()));
        let is_waiting = || group.ended.borrow().is_empty() && group.running.get() > 0;
        if !is_known && is_waiting() {
            // Cloned and dropped outside the borrow, and before the last look: both may be code of the user's.
            let waker = kept(context.waker(), || Holder::Gather, Location::caller());
            group.give_up(drop);
            group.waker.replace(Some(waker));
        }
        if is_waiting() {
            waits_at(context.waker(), || Holder::Gather, Location::caller());
            return Poll::Pending;
        }
        Poll::Ready(group.ended.borrow_mut().pop_front().map(|index| index as usize))
    }

    /// The result of a child that has ended. Its task stays, to be let go with the others.
    fn take(&mut self, index: usize) -> Result<T, JoinError> {
        let tasks = self.tasks.as_mut().expect("polled only until it returns");
        tasks[index].try_result().expect("it has ended")
    }

    /// From here on nobody is cancelled: the tasks are let go.
    fn release(&mut self) {
        self.tasks = None;
    }

    /// The same. The results of the children, which are over.
    fn take_all(&mut self) -> impl Iterator<Item = Result<T, JoinError>> {
        let tasks = self.tasks.take().expect("polled only until it returns");
        tasks.into_iter().map(|mut task| task.try_result().expect("it has ended"))
    }
}

impl<T> Drop for Children<T> {
    fn drop(&mut self) {
        for task in self.tasks.iter().flatten() {
            task.cancel();
        }
    }
}

/// Waits for all of `tasks`, and returns their outputs in the order of the arguments (GATH-01). It is
/// `asyncio.gather`.
///
/// The first failure is returned at once, and the other tasks run on (GATH-02). To be told of every failure use
/// [`gather_settled`]; for tasks whose own output is a `Result`, [`try_gather`].
///
/// Dropped while pending, even before its first poll, it cancels the tasks that are not over (GATH-04, GATH-05).
///
/// # Errors
/// The [`JoinError`] of the first task to panic or to be cancelled (GATH-08).
///
/// ```
/// handloop::run(async {
///     let tasks = [1, 2, 4].map(|x| handloop::spawn(async move { x * 10 }));
///     assert_eq!(handloop::gather(tasks).await.unwrap(), [10, 20, 40]);
/// });
/// ```
pub fn gather<T>(tasks: impl IntoIterator<Item = Task<T>>) -> Gather<T> {
    Gather(Children::new(tasks, Until::FirstFailure))
}

/// The future of [`gather`].
#[must_use = "a gather that is dropped cancels its tasks: `.await` it"]
pub struct Gather<T>(Children<T>);

impl<T> Future for Gather<T> {
    type Output = Result<Vec<T>, JoinError>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_ended(context).map(|failed| match failed {
            None => self.0.take_all().collect(),
            Some(index) => {
                let failure = self.0.take(index).map(|_| unreachable!("only failures are worth a look"));
                self.0.release();
                failure
            }
        })
    }
}

/// Waits for all of `tasks`, and returns what became of each in the order of the arguments. It is `asyncio.gather`
/// with `return_exceptions=True` (GATH-03).
///
/// Dropped while pending, even before its first poll, it cancels the tasks that are not over.
///
/// ```
/// handloop::run(async {
///     let tasks = [handloop::spawn(async { 1 }), handloop::spawn(async { 2 })];
///     tasks[0].cancel();
///     let settled = handloop::gather_settled(tasks).await;
///     assert!(settled[0].as_ref().unwrap_err().is_cancelled());
///     assert_eq!(*settled[1].as_ref().unwrap(), 2);
/// });
/// ```
pub fn gather_settled<T>(tasks: impl IntoIterator<Item = Task<T>>) -> GatherSettled<T> {
    GatherSettled(Children::new(tasks, Until::Last))
}

/// The future of [`gather_settled`].
#[must_use = "a gather that is dropped cancels its tasks: `.await` it"]
pub struct GatherSettled<T>(Children<T>);

impl<T> Future for GatherSettled<T> {
    type Output = Vec<Result<T, JoinError>>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_ended(context).map(|_| self.0.take_all().collect())
    }
}

/// [`gather`] for tasks whose own output is a `Result`: an `Err` counts as a failure too, and is returned at once.
///
/// Dropped while pending, even before its first poll, it cancels the tasks that are not over.
///
/// # Errors
/// The first failure, whether of a task's own or of the task itself.
///
/// ```
/// handloop::run(async {
///     let tasks = ["1", "2", "x"].map(|text| handloop::spawn(async move { text.parse::<u32>() }));
///     let error = handloop::try_gather(tasks).await.unwrap_err();
///     assert!(matches!(error, handloop::TryGatherError::Failed(_)));
/// });
/// ```
pub fn try_gather<T, E>(tasks: impl IntoIterator<Item = Task<Result<T, E>>>) -> TryGather<T, E> {
    let children = Children::new(tasks, Until::Each);
    let outputs = children.tasks.iter().flatten().map(|_| None).collect();
    TryGather { children, outputs }
}

/// The future of [`try_gather`].
#[must_use = "a gather that is dropped cancels its tasks: `.await` it"]
pub struct TryGather<T, E> {
    children: Children<Result<T, E>>,
    outputs: Vec<Option<T>>,
}

// No output is ever pinned in here.
impl<T, E> Unpin for TryGather<T, E> {}

impl<T, E> Future for TryGather<T, E> {
    type Output = Result<Vec<T>, TryGatherError<E>>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        while let Some(index) = ready!(self.children.poll_ended(context)) {
            let failure = match self.children.take(index) {
                Ok(Ok(output)) => {
                    self.outputs[index] = Some(output);
                    continue;
                }
                Ok(Err(error)) => TryGatherError::Failed(error),
                Err(error) => TryGatherError::Join(error),
            };
            self.children.release();
            return Poll::Ready(Err(failure));
        }
        self.children.release();
        Poll::Ready(Ok(std::mem::take(&mut self.outputs).into_iter().flatten().collect()))
    }
}

/// Why a [`try_gather`] failed.
#[derive(Debug)]
pub enum TryGatherError<E> {
    /// A task returned this error.
    Failed(E),
    /// A task panicked or was cancelled.
    Join(JoinError),
}

impl<E: fmt::Display> fmt::Display for TryGatherError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TryGatherError::Failed(error) => error.fmt(f),
            TryGatherError::Join(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for TryGatherError<E> {}

shows! { Gather<T> {} GatherSettled<T> {} TryGather<T, E> {} }
