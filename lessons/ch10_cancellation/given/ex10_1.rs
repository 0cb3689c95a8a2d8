//! Exercise 10.1, fill in: about 2 minutes.
//!
//! `Timeout` waits for a future until its sleep is over. It is ready with `Some` of the future's result, or with `None`
//! when the time was over first. `new` is written. Write `poll`.
//!
//! `Sleep` is ready when its deadline has come. It is `Unpin`, and the check brings it along, with a virtual clock. Check
//! it with `cargo run -- check ch10 1`.

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
        let _ = (future, sleep, context);
        todo!("ask the future, and then the clock; when the time is over, drop the future")
    }
}
