//! Exercise 8.2, solved.
//!
//! The end of the work puts the result into the slot, whether it is a value or a panic, and then wakes who is there.
//! Nobody has to be there: the handle may be awaited later, or it was dropped. Each poll of the handle looks first, and
//! leaves the waker of this poll only if there is no result. Between the look and the keeping nothing can come in,
//! because both sides are on one thread. For the same reason the check lets the other order pass, the wake and then the
//! result: whoever is woken is polled only after this poll. Over two threads it could look before the result is there,
//! and wait for ever. `caught` drops the future before the result is in the slot: who reads it knows that what the task
//! owned is gone.

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
}

/// The handle of a task, and its work.
pub fn task<T>(future: impl Future<Output = T>) -> (Task<T>, impl Future<Output = ()>) {
    let slot = Rc::new(Slot { result: Cell::new(None), waiter: Cell::new(None) });
    let handle = Task { slot: slot.clone() };
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

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(result) = self.slot.result.take() {
            return Poll::Ready(result);
        }
        self.slot.waiter.set(Some(context.waker().clone()));
        Poll::Pending
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
