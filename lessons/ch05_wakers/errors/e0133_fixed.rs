//! The twin of e0133.rs: the claim that the compiler cannot check is made, with its reason.

use std::sync::Arc;
use std::task::{RawWaker, RawWakerVTable, Waker};

static TABLE: RawWakerVTable = RawWakerVTable::new(clone, nothing, nothing, nothing);

fn clone(pointer: *const ()) -> RawWaker {
    RawWaker::new(pointer, &TABLE)
}

fn nothing(_: *const ()) {}

pub fn lend<T>(parker: &Arc<T>) -> Waker {
    // SAFETY: the four functions never follow the pointer, so they can be called from any thread at any time.
    unsafe { Waker::new(Arc::as_ptr(parker).cast(), &TABLE) }
}

fn main() {
    lend(&Arc::new(())).wake();
}
