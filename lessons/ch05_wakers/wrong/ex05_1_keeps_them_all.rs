//! Breaks rule 5.3: each poll adds a waker to those that are there already.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::lock::Mutex;

pub struct Slot<T> {
    result: Option<T>,
    wakers: Vec<Waker>,
}

pub struct Promise<T>(Arc<Mutex<Slot<T>>>);

pub struct Promised<T>(Arc<Mutex<Slot<T>>>);

pub fn promise<T>() -> (Promise<T>, Promised<T>) {
    let slot = Arc::new(Mutex::new(Slot { result: None, wakers: vec![] }));
    (Promise(slot.clone()), Promised(slot))
}

impl<T> Promise<T> {
    pub fn set(&self, result: T) {
        let mut slot = self.0.lock().unwrap();
        slot.result = Some(result);
        let wakers = std::mem::take(&mut slot.wakers);
        drop(slot);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl<T> Future for Promised<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let new = context.waker().clone();
        let mut slot = self.0.lock().unwrap();
        match slot.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                slot.wakers.push(new);
                Poll::Pending
            }
        }
    }
}
