//! What each of the four functions of a waker's table does to the count.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::task::{RawWaker, RawWakerVTable, Waker};

/// What the wakers point to.
struct Parker;

static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

/// The parker as an `Arc`, which takes one off the count when it is dropped.
fn own(pointer: *const ()) -> Arc<Parker> {
    // SAFETY: from `into_raw` in `clone`, and then dropped once; or from `as_ptr` of `main`'s `Arc`, and then never.
    unsafe { Arc::from_raw(pointer.cast()) }
}

fn clone(pointer: *const ()) -> RawWaker {
    let target = ManuallyDrop::new(own(pointer));
    RawWaker::new(Arc::into_raw(Arc::clone(&target)).cast(), &TABLE)
}

fn wake(pointer: *const ()) {
    wake_by_ref(pointer);
    release(pointer);
}

fn wake_by_ref(pointer: *const ()) {
    let _ = ManuallyDrop::new(own(pointer));
}

fn release(pointer: *const ()) {
    drop(own(pointer));
}

fn main() {
    let parker = Arc::new(Parker);
    let count = |what: &str| println!("{what:<34} {}", Arc::strong_count(&parker));
    count("the loop has its parker");
    // SAFETY: the table keeps the contract. This waker has no count, is not dropped, and `parker` outlives it.
    let lent = ManuallyDrop::new(unsafe { Waker::new(Arc::as_ptr(&parker).cast(), &TABLE) });
    count("a waker is lent for a poll");
    let first = Waker::clone(&lent);
    count("clone");
    let second = first.clone();
    count("clone of the clone");
    second.wake_by_ref();
    count("wake_by_ref");
    println!("{:<34} {}", "will_wake says", second.will_wake(&lent));
    second.wake();
    count("wake");
    drop(first);
    count("drop");
}
