//! The twin of e0728.rs: `main` polls, since it is no future that could pause.

use std::task::{Context, Poll, Waker};

async fn answer() -> u32 {
    42
}

fn main() {
    let mut future = Box::pin(answer());
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(number) = future.as_mut().poll(&mut context) {
            break println!("{number}");
        }
    }
}
