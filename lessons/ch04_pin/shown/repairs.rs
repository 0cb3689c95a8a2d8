//! Three repairs of the naive join.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// Pending so many times.
struct Pauses(u32);

impl Future for Pauses {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        Poll::Pending
    }
}

async fn work(pauses: u32) {
    Pauses(pauses).await;
}

/// First repair: only futures that may move. Whoever has another one boxes it first.
struct Movable<A, B> {
    a: Option<A>,
    b: Option<B>,
}

impl<A: Future<Output = ()> + Unpin, B: Future<Output = ()> + Unpin> Future for Movable<A, B> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.a.as_mut().is_some_and(|a| Pin::new(a).poll(context).is_ready()) {
            self.a = None;
        }
        if self.b.as_mut().is_some_and(|b| Pin::new(b).poll(context).is_ready()) {
            self.b = None;
        }
        if self.a.is_none() && self.b.is_none() { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Second repair: it boxes them itself, and takes any future.
fn boxed<A: Future<Output = ()>, B: Future<Output = ()>>(a: A, b: B) -> impl Future<Output = ()> {
    Movable { a: Some(Box::pin(a)), b: Some(Box::pin(b)) }
}

/// Third repair: both are local variables of an `async fn`, which will not move.
async fn pinned<A: Future<Output = ()>, B: Future<Output = ()>>(a: A, b: B) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut a_is_ready, mut b_is_ready) = (false, false);
    let both = poll_fn(|context| {
        a_is_ready = a_is_ready || a.as_mut().poll(context).is_ready();
        b_is_ready = b_is_ready || b.as_mut().poll(context).is_ready();
        if a_is_ready && b_is_ready { Poll::Ready(()) } else { Poll::Pending }
    });
    both.await;
}

/// How many polls it takes.
fn polls(future: impl Future) -> usize {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    1 + (0..100).take_while(|_| future.as_mut().poll(&mut context).is_pending()).count()
}

fn main() {
    let movable = Movable { a: Some(Box::pin(work(2))), b: Some(Box::pin(work(4))) };
    println!("only futures that may move: {} polls", polls(movable));
    println!("in boxes of its own: {} polls", polls(boxed(work(2), work(4))));
    println!("pinned in an async fn: {} polls", polls(pinned(work(2), work(4))));
}
