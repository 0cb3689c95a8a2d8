//! A future that waits is dropped: which destructors run, in which order, on which thread.

use std::future::pending;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::thread;

struct Named(&'static str);

impl Drop for Named {
    fn drop(&mut self) {
        let thread = thread::current();
        println!("  {} is dropped, on the thread {}", self.0, thread.name().unwrap_or("-"));
    }
}

async fn inner() {
    let _third = Named("the third");
    pending::<()>().await;
    println!("never printed");
}

async fn outer(argument: Named) {
    let _first = Named("the first");
    let second = Named("the second");
    drop(second);
    inner().await;
    let _fourth = Named("the fourth");
    drop(argument);
}

fn polled() -> Pin<Box<impl Future<Output = ()> + Send>> {
    let mut future = Box::pin(outer(Named("the argument")));
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    future
}

fn main() {
    println!("not polled:");
    drop(outer(Named("the argument")));
    println!("polled once:");
    let future = polled();
    println!("  it waits");
    drop(future);
    println!("polled once, and dropped by another thread:");
    let future = polled();
    thread::Builder::new().name("other".into()).spawn(move || drop(future)).unwrap().join().unwrap();
}
