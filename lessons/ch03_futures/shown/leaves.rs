//! Three leaf futures, polled by hand: what each poll returns.

use std::cell::Cell;
use std::fmt::Debug;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Ready in its first poll, with a number.
struct Ready(u32);

impl Future for Ready {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
        Poll::Ready(self.0)
    }
}

/// Pending once, so that others have their turn.
struct YieldNow {
    has_yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.has_yielded {
            return Poll::Ready(());
        }
        self.has_yielded = true;
        Poll::Pending
    }
}

/// Ready when a number is in the post.
struct Letter<'a> {
    post: &'a Cell<Option<u32>>,
}

impl Future for Letter<'_> {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
        match self.post.get() {
            Some(number) => Poll::Ready(number),
            None => Poll::Pending,
        }
    }
}

/// Polls a future once, and prints the answer.
fn poll_once<F>(name: &str, future: &mut F)
where
    F: Future + Unpin,
    F::Output: Debug,
{
    let mut context = Context::from_waker(Waker::noop());
    println!("{name}: {:?}", Pin::new(future).poll(&mut context));
}

fn main() {
    poll_once("Ready", &mut Ready(7));

    let mut pause = YieldNow { has_yielded: false };
    poll_once("YieldNow", &mut pause);
    poll_once("YieldNow", &mut pause);

    let post = Cell::new(None);
    let mut letter = Letter { post: &post };
    poll_once("Letter", &mut letter);
    poll_once("Letter", &mut letter);
    post.set(Some(42));
    poll_once("Letter", &mut letter);
}
