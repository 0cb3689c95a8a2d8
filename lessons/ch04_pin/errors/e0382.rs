//! E0382

use std::pin::pin;
use std::task::{Context, Waker};

async fn nothing() {}

fn main() {
    let mut context = Context::from_waker(Waker::noop());
    let future = pin!(nothing());
    while future.poll(&mut context).is_pending() {}
}
