//! The twin of e0521.rs: the thread has a waker of its own.

use std::task::{Context, Waker};
use std::thread;

pub fn call_later(context: &mut Context<'_>) {
    let waker = context.waker().clone();
    thread::spawn(move || waker.wake());
}

fn main() {
    call_later(&mut Context::from_waker(Waker::noop()));
}
