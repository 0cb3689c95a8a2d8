//! Breaks rule 5.1: it polls the sleep with the waker of its first poll only, unless its time is over, and the task has another one by then.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::clock::Sleep;

pub struct Timeout<F> {
    /// `None` when it was too slow, and is dropped.
    future: Option<Pin<Box<F>>>,
    sleep: Sleep,
    first: Option<Waker>,
}

impl<F: Future> Timeout<F> {
    pub fn new(sleep: Sleep, future: F) -> Self {
        Timeout { future: Some(Box::pin(future)), sleep, first: None }
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let Timeout { future, sleep, first } = self.get_mut();
        if let Some(future) = future {
            if let Poll::Ready(result) = future.as_mut().poll(context) {
                return Poll::Ready(Some(result));
            }
        }
        let waker = first.get_or_insert_with(|| context.waker().clone());
        if Pin::new(sleep).poll(&mut Context::from_waker(waker)).is_pending() {
            return Poll::Pending;
        }
        *future = None;
        Poll::Ready(None)
    }
}
