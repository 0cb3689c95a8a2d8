//! Breaks rule 5.2: between the look and the keeping the lock is free, and the result may come in.

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
        let new = context.waker().clone();
        if let Some(result) = self.0.lock().unwrap().result.take() {
            return Poll::Ready(result);
        }
        let mut slot = self.0.lock().unwrap();
        let old = slot.waker.replace(new);
        drop(slot);
        drop(old);
        Poll::Pending
    }
}
