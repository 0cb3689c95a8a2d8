//! Two fields behind one `Pin`, used at the same time.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

struct Sum {
    numbers: Vec<u32>,
    total: u32,
}

impl Future for Sum {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
        let this = &mut *self;
        for number in &this.numbers {
            this.total += number;
        }
        Poll::Ready(this.total)
    }
}

fn main() {
    let mut sum = Sum { numbers: vec![1, 2, 4], total: 0 };
    println!("{:?}", Pin::new(&mut sum).poll(&mut Context::from_waker(Waker::noop())));
}
