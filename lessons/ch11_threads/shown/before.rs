//! Chapter 10's stage: what another thread can do for a loop that runs, and what it cannot.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::mpsc::channel;
use std::task::{Poll, Waker};
use std::thread;
use std::time::Instant;

use stage::{Clock, EventLoop, Time};

#[allow(dead_code)]
#[path = "../../ch10_cancellation/stage.rs"]
mod stage;

fn main() {
    set_hook(Box::new(|_| {}));
    let clock = Clock::new(Time::Real(Instant::now()));

    let (sender, receiver) = channel::<&str>();
    let run = || {
        let looks = poll_fn(|_| receiver.try_recv().map_or(Poll::Pending, Poll::Ready));
        EventLoop::new(&clock).run_until_complete(looks)
    };
    // The other thread has not sent anything yet, and would.
    let panic = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
    println!("the task looks into a channel:\n  {}", panic.downcast_ref::<&str>().unwrap());

    let (lends, borrows) = channel::<Waker>();
    let other = thread::spawn(move || {
        let waker = borrows.recv().unwrap();
        sender.send("read a page").unwrap();
        waker.wake();
    });
    let looks_and_lends = poll_fn(|context| {
        _ = lends.send(context.waker().clone());
        receiver.try_recv().map_or(Poll::Pending, Poll::Ready)
    });
    let request = EventLoop::new(&clock).run_until_complete(looks_and_lends);
    println!("and lends its waker to the other thread:\n  it got {request:?}");
    other.join().unwrap();
}
