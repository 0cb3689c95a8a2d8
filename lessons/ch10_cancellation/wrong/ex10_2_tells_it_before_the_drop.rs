//! Breaks rule 10.4: it wakes who awaits the handle, and drops the future only then.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// What a cancelled task has instead of a value.
#[derive(Debug, PartialEq)]
pub struct Cancelled;

/// What the two sides share.
pub struct Slot<T> {
    outcome: Cell<Option<Result<T, Cancelled>>>,
    /// Who awaits the handle.
    waiter: Cell<Option<Waker>>,
    is_cancelled: Cell<bool>,
    is_over: Cell<bool>,
    /// The waker of the work's latest poll, for who cancels the task.
    own: Cell<Option<Waker>>,
}

impl<T> Slot<T> {
    /// The task is over: keeps its outcome, and wakes who awaits it.
    fn end(&self, outcome: Result<T, Cancelled>) {
        self.is_over.set(true);
        self.own.set(None);
        self.outcome.set(Some(outcome));
        if let Some(waiter) = self.waiter.take() {
            waiter.wake();
        }
    }
}

/// The handle: a future of the outcome.
pub struct Task<T> {
    slot: Rc<Slot<T>>,
}

/// The handle of a task, and its work. A new task is polled once without a wake.
pub fn task<T: 'static>(future: impl Future<Output = T> + 'static) -> (Task<T>, impl Future<Output = ()> + 'static) {
    let slot = Slot {
        outcome: Cell::new(None),
        waiter: Cell::new(None),
        is_cancelled: Cell::new(false),
        is_over: Cell::new(false),
        own: Cell::new(None),
    };
    let slot = Rc::new(slot);
    let handle = Task { slot: slot.clone() };
    let mut future = Some(Box::pin(future));
    let work = poll_fn(move |context| match &mut future {
        Some(future) if !slot.is_cancelled.get() => {
            slot.own.set(Some(context.waker().clone()));
            future.as_mut().poll(context).map(|value| slot.end(Ok(value)))
        }
        _ => {
            slot.end(Err(Cancelled));
            future = None;
            Poll::Ready(())
        }
    });
    (handle, work)
}

impl<T> Task<T> {
    /// Has the future dropped at the task's next poll. False where the task is over, or was cancelled before.
    pub fn cancel(&self) -> bool {
        if self.slot.is_over.get() || self.slot.is_cancelled.replace(true) {
            return false;
        }
        if let Some(own) = self.slot.own.take() {
            own.wake();
        }
        true
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, Cancelled>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(outcome) = self.slot.outcome.take() {
            return Poll::Ready(outcome);
        }
        self.slot.waiter.set(Some(context.waker().clone()));
        Poll::Pending
    }
}
