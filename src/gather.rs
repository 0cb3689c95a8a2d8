//! `gather` and its two sisters: wait for several tasks, with one wake for all of them.
//!
//! A child does not keep the waker of whoever gathers. It keeps a reference to its group and its own place in it, and
//! reports its end there. The group wakes when there is something to return, so n children cost n reports, one wake
//! and n looks, in whatever order they end.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::join::{JoinError, Task};
use crate::task::Joiner;
use crate::timer::wake_one;
use crate::waker::task_of;

/// When a group wakes, beside the end of its last child.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Last,
    FirstFailure,
    /// The caller looks at each output.
    Each,
}

pub(crate) struct Group {
    until: Until,
    /// Children that are not over.
    running: Cell<usize>,
    /// The children that ended and were not looked at: all of them under `Each`, else the first failure.
    ended: RefCell<Vec<u32>>,
    waker: RefCell<Option<Waker>>,
}

impl Group {
    pub(crate) fn child_ended(&self, index: u32, is_ok: bool) {
        self.running.set(self.running.get() - 1);
        let tells = match self.until {
            Until::Last => false,
            Until::FirstFailure => !is_ok && self.ended.borrow().is_empty(),
            Until::Each => true,
        };
        if tells {
            self.ended.borrow_mut().push(index);
        }
        if tells || self.running.get() == 0 {
            if let Some(waker) = self.waker.take() {
                wake_one(waker);
            }
        }
    }

    /// Calls `see` with the task that the group wakes, if it is one of ours.
    pub(crate) fn with_waker(&self, see: impl FnOnce(*const ())) {
        if let Some(address) = self.waker.borrow().as_ref().and_then(task_of) {
            see(address);
        }
    }

    fn wake_later(&self, waker: &Waker) {
        if !matches!(&*self.waker.borrow(), Some(known) if known.will_wake(waker)) {
            // Cloned before and dropped after the borrow: both may be code of the user's.
            let new = waker.clone();
            drop(self.waker.replace(Some(new)));
        }
    }
}

/// The tasks of one gather. Dropped while it is armed, it cancels those that are not over (GATH-04, GATH-05).
struct Children<T> {
    tasks: Vec<Task<T>>,
    group: Rc<Group>,
    is_armed: bool,
}

impl<T> Children<T> {
    fn new(tasks: impl IntoIterator<Item = Task<T>>, until: Until) -> Self {
        let tasks: Vec<Task<T>> = tasks.into_iter().collect();
        let running = Cell::new(tasks.len());
        let group = Rc::new(Group { until, running, ended: RefCell::default(), waker: RefCell::default() });
        for (index, task) in (0..).zip(&tasks) {
            if task.is_finished() {
                group.child_ended(index, task.state() == crate::TaskState::Finished);
            } else {
                task.join_group(Joiner::Group(group.clone(), index));
            }
        }
        Children { tasks, group, is_armed: true }
    }

    fn is_over(&self) -> bool {
        self.group.running.get() == 0
    }

    /// Takes all results, when all are over.
    fn take_all(&mut self) -> impl Iterator<Item = Result<T, JoinError>> {
        self.disarm().into_iter().map(|mut task| task.try_result().expect("all children are over"))
    }

    /// From here on the tasks that still run are nobody's to cancel (GATH-09).
    fn disarm(&mut self) -> Vec<Task<T>> {
        self.is_armed = false;
        std::mem::take(&mut self.tasks)
    }

    fn wait<R>(&self, context: &mut Context<'_>) -> Poll<R> {
        assert!(self.is_armed, "a gather that has returned is not polled again");
        self.group.wake_later(context.waker());
        Poll::Pending
    }
}

impl<T> Drop for Children<T> {
    fn drop(&mut self) {
        if self.is_armed {
            for task in &self.tasks {
                task.cancel();
            }
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

/// Waits for all of `tasks`, and returns what became of each in the order of the arguments. It is `asyncio.gather`
/// with `return_exceptions=True` (GATH-03).
///
/// Dropped while pending it cancels the tasks that are not over.
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

/// [`gather`] for tasks whose own output is a `Result`: an `Err` counts as a failure too, and is returned at once.
///
/// Dropped while pending it cancels the tasks that are not over.
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
    let outputs = children.tasks.iter().map(|_| None).collect();
    TryGather { children, outputs }
}

/// The future of [`gather`].
#[must_use = "a gather that is dropped cancels its tasks: `.await` it"]
pub struct Gather<T>(Children<T>);

/// The future of [`gather_settled`].
#[must_use = "a gather that is dropped cancels its tasks: `.await` it"]
pub struct GatherSettled<T>(Children<T>);

/// The future of [`try_gather`].
#[must_use = "a gather that is dropped cancels its tasks: `.await` it"]
pub struct TryGather<T, E> {
    children: Children<Result<T, E>>,
    outputs: Vec<Option<T>>,
}

// No output is ever pinned in here.
impl<T, E> Unpin for TryGather<T, E> {}

impl<T> Future for Gather<T> {
    type Output = Result<Vec<T>, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let failed = self.0.group.ended.borrow_mut().pop();
        if let Some(index) = failed {
            let mut tasks = self.0.disarm();
            let failure = tasks[index as usize].try_result().expect("it has ended");
            return Poll::Ready(failure.map(|_| unreachable!("it has failed")));
        }
        if self.0.is_over() && self.0.is_armed {
            return Poll::Ready(self.0.take_all().collect());
        }
        self.0.wait(context)
    }
}

impl<T> Future for GatherSettled<T> {
    type Output = Vec<Result<T, JoinError>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.0.is_over() && self.0.is_armed {
            return Poll::Ready(self.0.take_all().collect());
        }
        self.0.wait(context)
    }
}

impl<T, E> Future for TryGather<T, E> {
    type Output = Result<Vec<T>, TryGatherError<E>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = self.children.group.ended.take();
        for index in ended {
            let index = index as usize;
            let failure = match self.children.tasks[index].try_result().expect("it has ended") {
                Ok(Ok(output)) => {
                    self.outputs[index] = Some(output);
                    continue;
                }
                Ok(Err(error)) => TryGatherError::Failed(error),
                Err(error) => TryGatherError::Join(error),
            };
            drop(self.children.disarm());
            return Poll::Ready(Err(failure));
        }
        if self.children.is_over() && self.children.is_armed {
            drop(self.children.disarm());
            let outputs = std::mem::take(&mut self.outputs);
            return Poll::Ready(Ok(outputs.into_iter().map(|output| output.expect("all have ended")).collect()));
        }
        self.children.wait(context)
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

impl<T> fmt::Debug for Children<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.tasks).finish()
    }
}

impl<T> fmt::Debug for Gather<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gather").field(&self.0).finish()
    }
}

impl<T> fmt::Debug for GatherSettled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GatherSettled").field(&self.0).finish()
    }
}

impl<T, E> fmt::Debug for TryGather<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TryGather").field(&self.children).finish()
    }
}
