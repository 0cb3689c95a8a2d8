//! Breaks rule 8.5: a handle that is dropped before it has given the result panics.

use std::cell::Cell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::thread;

/// What the two sides share.
pub struct Slot<T> {
    result: Cell<Option<thread::Result<T>>>,
    waiter: Cell<Option<Waker>>,
}

/// The handle: a future of the result.
pub struct Task<T> {
    slot: Rc<Slot<T>>,
    was_read: bool,
}

/// The handle of a task, and its work.
pub fn task<T>(future: impl Future<Output = T>) -> (Task<T>, impl Future<Output = ()>) {
    let slot = Rc::new(Slot { result: Cell::new(None), waiter: Cell::new(None) });
    let handle = Task { slot: slot.clone(), was_read: false };
    let work = async move {
        slot.result.set(Some(caught(future).await));
        if let Some(waiter) = slot.waiter.take() {
            waiter.wake();
        }
    };
    (handle, work)
}

impl<T> Future for Task<T> {
    type Output = thread::Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(result) = self.slot.result.take() {
            self.was_read = true;
            return Poll::Ready(result);
        }
        self.slot.waiter.set(Some(context.waker().clone()));
        Poll::Pending
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        assert!(self.was_read, "nobody has awaited this task");
    }
}

// What follows is given.

/// What a future is ready with, or the panic that ended it.
pub async fn caught<F: Future>(future: F) -> thread::Result<F::Output> {
    let mut future = pin!(future);
    let result = poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    });
    result.await
}
