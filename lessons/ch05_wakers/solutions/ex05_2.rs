//! Exercise 5.2, solved.
//!
//! Each waker is one of the count. `clone` makes a waker, so it adds one. `wake` and `release` are each the end of a waker,
//! so they take one off, and whoever takes off the last one frees the task. `wake_by_ref` makes none and ends none. `wake`
//! wakes first: once its count is off, the task may be gone. A clone has the same pointer and the same table, so
//! `will_wake` says that the two wake the same task.
//!
//! An `Arc` does all this when it is cloned and dropped. The header of a task in src is no `Arc`, and its four functions
//! count as these do.

use std::task::{RawWaker, RawWakerVTable};

use crate::ledger;

pub static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

/// One waker more.
pub fn clone(pointer: *const ()) -> RawWaker {
    ledger::add(pointer);
    RawWaker::new(pointer, &TABLE)
}

/// Wakes the task, and is the end of this waker.
pub fn wake(pointer: *const ()) {
    wake_by_ref(pointer);
    release(pointer);
}

/// Wakes the task. The waker is still there afterwards.
pub fn wake_by_ref(pointer: *const ()) {
    ledger::wake(pointer);
}

/// The end of this waker. In the table it is the function `drop`.
pub fn release(pointer: *const ()) {
    if ledger::take(pointer) == 0 {
        ledger::free(pointer);
    }
}
