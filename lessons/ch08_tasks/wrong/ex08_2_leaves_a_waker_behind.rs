//! Breaks rule 8.3: each poll of the handle leaves a waker and looks after that, so one is left when it is ready.

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
        self.slot.waiter.set(Some(context.waker().clone()));
        match self.slot.result.take() {
            Some(result) => Poll::Ready(result),
            None => Poll::Pending,
        }
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
