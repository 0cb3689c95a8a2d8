//! E0521

use std::task::{Context, Waker};
use std::thread;

pub fn call_later(context: &mut Context<'_>) {
    let waker = context.waker();
    thread::spawn(move || waker.wake_by_ref());
}

fn main() {
    call_later(&mut Context::from_waker(Waker::noop()));
}
