//! The machine by hand and the one of the compiler, polled in turn: what each of them says.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Ready when the clock shows its deadline.
struct Sleep<'a> {
    clock: &'a Cell<u64>,
    deadline: u64,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.clock.get() >= self.deadline { Poll::Ready(()) } else { Poll::Pending }
    }
}

enum DoSomeWork<'a> {
    Start { clock: &'a Cell<u64>, x: u64 },
    Sleeping { x: u64, inner: Sleep<'a> },
    Done,
}

impl Future for DoSomeWork<'_> {
    type Output = String;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<String> {
        if let DoSomeWork::Start { clock, x } = *self {
            println!("    waiting: {x}");
            let inner = Sleep { clock, deadline: clock.get() + x };
            *self = DoSomeWork::Sleeping { x, inner };
        }
        let DoSomeWork::Sleeping { x, ref mut inner } = *self else { panic!("a future that is ready is not polled") };
        match Pin::new(inner).poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                *self = DoSomeWork::Done;
                Poll::Ready(format!("Done after {x}s"))
            }
        }
    }
}

async fn do_some_work(clock: &Cell<u64>, x: u64) -> String {
    println!("    waiting: {x}");
    Sleep { clock, deadline: clock.get() + x }.await;
    format!("Done after {x}s")
}

fn main() {
    let clock = Cell::new(0);
    let mut by_hand = Box::pin(DoSomeWork::Start { clock: &clock, x: 2 });
    let mut by_compiler = Box::pin(do_some_work(&clock, 2));
    println!("Both are made. Nothing of them has run.");
    let mut context = Context::from_waker(Waker::noop());
    for second in 0..=2 {
        clock.set(second);
        println!("second {second}, by hand:");
        println!("    {:?}", by_hand.as_mut().poll(&mut context));
        println!("second {second}, by the compiler:");
        println!("    {:?}", by_compiler.as_mut().poll(&mut context));
    }
}
