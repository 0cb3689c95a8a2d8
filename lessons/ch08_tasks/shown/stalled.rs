//! Tasks that can never go on: what the loop says, and what it cannot see. The clock is virtual, so no run hangs.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::rc::Rc;
use std::sync::Mutex;
use std::task::{Poll, Waker};

use stage::{Clock, EventLoop, Task, Time};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

thread_local! {
    /// A place of the program's own, where a waker is kept and forgotten.
    static KEPT: RefCell<Option<Waker>> = const { RefCell::new(None) };
}

/// Runs the loop until it panics, and prints with what.
fn report(case: &str, run: impl FnOnce()) {
    let panic = catch_unwind(AssertUnwindSafe(run)).expect_err("no task is ever over");
    println!("{case}\n  {}", panic.downcast_ref::<&str>().unwrap());
}

fn main() {
    set_hook(Box::new(|_| {}));
    let clock = Clock::new(Time::Virtual(Mutex::default()));

    report("main takes no waker:", || EventLoop::new(&clock).run_until_complete(pending()));

    report("main drops each clone of its waker:", || {
        EventLoop::new(&clock).run_until_complete(poll_fn(|context| {
            drop(context.waker().clone());
            Poll::Pending
        }))
    });

    report("main awaits a task that takes no waker:", || {
        let event_loop = EventLoop::new(&clock);
        let task = event_loop.spawn("stuck", pending::<()>());
        let _ = event_loop.run_until_complete(task);
    });

    report("main's waker is in a place of the program's own:", || {
        EventLoop::new(&clock).run_until_complete(poll_fn(|context| {
            KEPT.set(Some(context.waker().clone()));
            Poll::Pending
        }))
    });

    report("two tasks await each other:", || {
        let event_loop = EventLoop::new(&clock);
        let place: Rc<Cell<Option<Task<()>>>> = Rc::default();
        let other = place.clone();
        let one = event_loop.spawn("one", async move { other.take().unwrap().await.unwrap() });
        place.set(Some(event_loop.spawn("two", async { one.await.unwrap() })));
        event_loop.run_until_complete(pending())
    });
}
