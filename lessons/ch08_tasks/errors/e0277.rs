//! E0277

use std::panic::catch_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::thread;

/// Polls a future, and catches its panic.
pub fn poll_caught<F: Future>(future: Pin<&mut F>, context: &mut Context<'_>) -> thread::Result<Poll<F::Output>> {
    catch_unwind(|| future.poll(context))
}

fn main() {
    let mut future = Box::pin(async {});
    assert!(poll_caught(future.as_mut(), &mut Context::from_waker(Waker::noop())).is_ok());
}
