//! Exercise 8.2, extend: about 5 minutes.
//!
//! `task` makes a future into the two sides of a task: the handle, and the work, which the loop polls until it is
//! ready. It runs, and its result goes nowhere. Extend both sides, over the slot that they share:
//!
//! 1. When the future is ready, the handle is ready with its result, whether somebody awaits it then or only later.
//! 2. Whoever awaits the handle before that is woken at the end of the task, and not earlier. After the end no waker is
//!    left in the slot.
//! 3. A panic of the future ends this task only, and is its result. `caught` is given.
//! 4. When the handle is dropped the work goes on as before.
//!
//! `Slot`, `Task` and the signatures stay as they are. Check it with `cargo run -- check ch08 2`.

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
        future.await;
    };
    (handle, work)
}

impl<T> Future for Task<T> {
    type Output = thread::Result<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let _ = (&self.slot, context);
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
