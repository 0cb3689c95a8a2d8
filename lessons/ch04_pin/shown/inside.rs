//! An `async fn` with a reference to one of its own variables. Its box moves between two polls; the future does not.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Pending once.
struct YieldNow {
    has_paused: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.has_paused {
            return Poll::Ready(());
        }
        self.has_paused = true;
        Poll::Pending
    }
}

async fn inside() {
    let number: u64 = 7;
    let reference = &number;
    println!("first poll: the reference points at its own number: {}", std::ptr::eq(reference, &number));
    println!("first poll: the number is at {:p}", &number);
    YieldNow { has_paused: false }.await;
    println!("second poll: the number is at {:p}", &number);
    println!("second poll: the reference points at its own number: {}", std::ptr::eq(reference, &number));
}

fn main() {
    let mut context = Context::from_waker(Waker::noop());
    let mut first = Box::pin(inside());
    let _ = first.as_mut().poll(&mut context);
    let before = &raw const first;
    let mut second = first;
    let has_moved = before != &raw const second;
    println!("between them: the box has moved: {has_moved}");
    let _ = second.as_mut().poll(&mut context);
}
