//! E0599

use std::task::{Context, Poll, Waker};

async fn answer() -> u32 {
    42
}

fn main() {
    let mut future = answer();
    let mut context = Context::from_waker(Waker::noop());
    if let Poll::Ready(number) = future.poll(&mut context) {
        println!("{number}");
    }
}
