//! Exercise 10.1, solved.
//!
//! The future comes first: when it is ready in the very poll in which the time is over, its result is there, and `None`
//! would throw it away. The sleep is polled in each poll in which the future is pending, also when it was polled before:
//! the task may have another waker by now, and whoever comes first, the future's event or the deadline, has to wake the
//! task with the latest one. `*future = None` drops the future in this poll. Without that line it would live as long as
//! the `Timeout` does, and so would the file, the connection or the lock that it holds.

use std::pin::Pin;
use std::task::{Context, Poll};

use crate::clock::Sleep;

pub struct Timeout<F> {
    /// `None` when it was too slow, and is dropped.
    future: Option<Pin<Box<F>>>,
    sleep: Sleep,
}

impl<F: Future> Timeout<F> {
    pub fn new(sleep: Sleep, future: F) -> Self {
        Timeout { future: Some(Box::pin(future)), sleep }
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let Timeout { future, sleep } = self.get_mut();
        if let Some(future) = future {
            if let Poll::Ready(result) = future.as_mut().poll(context) {
                return Poll::Ready(Some(result));
            }
        }
        if Pin::new(sleep).poll(context).is_pending() {
            return Poll::Pending;
        }
        *future = None;
        Poll::Ready(None)
    }
}
