//! The twin of e0599.rs: the future is in a `Pin`.

use std::task::{Context, Poll, Waker};

async fn answer() -> u32 {
    42
}

fn main() {
    let mut future = Box::pin(answer());
    let mut context = Context::from_waker(Waker::noop());
    if let Poll::Ready(number) = future.as_mut().poll(&mut context) {
        println!("{number}");
    }
}
