//! Breaks rule 10.5: it takes the future out when the time is over, and expects it to be there still.

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
        let is_over = Pin::new(sleep).poll(context).is_ready();
        let taken = future.take_if(|_| is_over);
        match future.as_mut().unwrap().as_mut().poll(context) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending if is_over => {
                drop(taken);
                Poll::Ready(None)
            }
            Poll::Pending => Poll::Pending,
        }
    }
}
