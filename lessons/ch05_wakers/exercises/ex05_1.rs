//! Exercise 5.1, fill in: about 2 minutes.
//!
//! `Promised` is a future whose result comes from elsewhere: somebody calls `set`, on any thread. The two share a slot.
//! `set` is written. Write `poll`: ready with the result if it is there, and otherwise pending, with the waker of this
//! poll in the slot.
//!
//! The lesson's `poll` copies a `u32` out of the slot. A `T` need not be `Copy`, and for that the compiler refuses
//! `if let Some(result) = slot.result` (E0507): here the result has to be taken out of its `Option`.
//!
//! `Mutex` is used as the one of std is. The check brings it along, so that it can let `set` come in whenever the lock is
//! free. Check it with `cargo run -- check ch05 1`.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::lock::Mutex;

pub struct Slot<T> {
    result: Option<T>,
    waker: Option<Waker>,
}

pub struct Promise<T>(Arc<Mutex<Slot<T>>>);

pub struct Promised<T>(Arc<Mutex<Slot<T>>>);

pub fn promise<T>() -> (Promise<T>, Promised<T>) {
    let slot = Arc::new(Mutex::new(Slot { result: None, waker: None }));
    (Promise(slot.clone()), Promised(slot))
}

impl<T> Promise<T> {
    pub fn set(&self, result: T) {
        let mut slot = self.0.lock().unwrap();
        slot.result = Some(result);
        let waker = slot.waker.take();
        drop(slot);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Future for Promised<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Only to silence a warning: delete it.
        let _ = (&self.0, context);
        todo!("look whether the result is there, and keep the waker if it is not")
    }
}
