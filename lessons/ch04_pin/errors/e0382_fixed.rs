//! The twin of e0382.rs: each poll gets a pin of its own.

use std::pin::pin;
use std::task::{Context, Waker};

async fn nothing() {}

fn main() {
    let mut context = Context::from_waker(Waker::noop());
    let mut future = pin!(nothing());
    while future.as_mut().poll(&mut context).is_pending() {}
}
