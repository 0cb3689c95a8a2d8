//! Exercise 10.2, extend: about 15 minutes.
//!
//! `task` makes a future into the two sides of a task: the handle, and the work, which the loop polls when it was woken.
//! Nothing can stop it: `cancel` does nothing. Extend both sides:
//!
//! 1. After `cancel` the work does not poll the future again: it drops it, at the latest in its next poll, and is ready.
//!    `cancel` wakes the task, so that this poll comes. It drops nothing itself: the future may be running now.
//! 2. `cancel` is true when it has cancelled the task, and false when the task is over, or was cancelled before.
//! 3. The outcome is `Err(Cancelled)` then, and whoever awaits the handle is woken.
//! 4. A task that cancels itself, and is ready in that very poll, keeps its value.
//!
//! `Slot` may get more fields; the signatures stay as they are. Check it with `cargo run -- check ch10 2`.

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
}

impl<T> Slot<T> {
    /// The task is over: keeps its outcome, and wakes who awaits it.
    fn end(&self, outcome: Result<T, Cancelled>) {
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
    let slot = Rc::new(Slot { outcome: Cell::new(None), waiter: Cell::new(None) });
    let handle = Task { slot: slot.clone() };
    let mut future = Box::pin(future);
    let work = poll_fn(move |context| {
        let poll = future.as_mut().poll(context);
        poll.map(|value| slot.end(Ok(value)))
    });
    (handle, work)
}

impl<T> Task<T> {
    /// Has the future dropped at the task's next poll. False where the task is over, or was cancelled before.
    pub fn cancel(&self) -> bool {
        false
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
