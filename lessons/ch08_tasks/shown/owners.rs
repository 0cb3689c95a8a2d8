//! Who drops a future that is not over, and where: with wakers that own their task, and on the stage.

use std::cell::RefCell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::pin::Pin;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use stage::{Clock, EventLoop, Time};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

/// The usual design: whoever has a waker owns the task, and with it the future.
struct Owned {
    future: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    ready: Sender<Arc<Owned>>,
}

impl Wake for Owned {
    fn wake(self: Arc<Self>) {
        // Nobody listens when the loop is gone.
        let _ = self.ready.send(self.clone());
    }
}

/// Polls until nobody is ready any more. Then the loop is dropped, and with it the queue.
fn run_owned(future: impl Future<Output = ()> + Send + 'static) {
    let (ready, queue) = channel();
    ready.send(Arc::new(Owned { future: Mutex::new(Some(Box::pin(future))), ready: ready.clone() })).unwrap();
    while let Ok(task) = queue.try_recv() {
        let waker = Waker::from(task.clone());
        let mut future = task.future.lock().unwrap();
        if future.as_mut().is_some_and(|future| future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()) {
            *future = None;
        }
    }
}

/// The stage: main is polled once, and the loop says that it is stalled, or that nobody is left. Then it is dropped.
fn run_stage(future: impl Future<Output = ()>) {
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    let event_loop = EventLoop::new(&clock);
    let _ = catch_unwind(AssertUnwindSafe(|| event_loop.run_until_complete(future)));
}

thread_local! {
    static DROPPED: RefCell<usize> = const { RefCell::new(0) };
}

/// A value of the future's.
struct Value;

impl Drop for Value {
    fn drop(&mut self) {
        let thread = thread::current();
        let name = thread.name().unwrap_or("a thread without a name");
        println!("    dropped by {}", if name == "main" { "the loop's thread" } else { name });
        DROPPED.with_borrow_mut(|dropped| *dropped += 1);
    }
}

/// Keeps a clone of its own waker, and waits for ever.
async fn keeps_its_waker() {
    let _value = Value;
    let mut own = None;
    poll_fn(|context| {
        own = Some(context.waker().clone());
        Poll::<()>::Pending
    })
    .await;
}

/// Gives its waker away, and waits for ever.
async fn gives_its_waker(to: Sender<Waker>) {
    let _value = Value;
    poll_fn(|context| {
        to.send(context.waker().clone()).unwrap();
        Poll::<()>::Pending
    })
    .await;
}

/// How many futures were dropped on this thread by the end of `run`.
fn report(design: &str, run: impl FnOnce()) {
    let before = DROPPED.take();
    println!("  {design}:");
    run();
    println!("    when the loop is gone, dropped here: {}", DROPPED.replace(before));
}

/// Keeps the waker that it is sent until the loop is gone.
fn helper() -> (Sender<Waker>, impl FnOnce()) {
    let (give, given) = channel();
    let (end, is_end) = channel::<()>();
    let thread = thread::Builder::new().name("the helper".to_owned()).spawn(move || {
        let waker: Waker = given.recv().unwrap();
        let _ = is_end.recv();
        drop(waker);
    });
    let join = move || {
        drop(end);
        thread.unwrap().join().unwrap();
    };
    (give, join)
}

fn main() {
    set_hook(Box::new(|_| {}));
    println!("a future that keeps its own waker");
    report("wakers own it", || run_owned(keeps_its_waker()));
    report("the loop owns it", || run_stage(keeps_its_waker()));

    println!("a future whose waker a thread keeps until the loop is gone");
    let (give, join) = helper();
    report("wakers own it", || run_owned(gives_its_waker(give)));
    join();
    let (give, join) = helper();
    report("the loop owns it", || run_stage(gives_its_waker(give)));
    join();
}
