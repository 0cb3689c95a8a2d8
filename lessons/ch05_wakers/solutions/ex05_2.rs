//! Exercise 5.2, solved.
//!
//! Each waker is one of the count. `clone` makes a waker, so it adds one. `wake` and `release` are each the end of a waker,
//! so they take one off. `wake_by_ref` makes none and ends none. `wake` wakes first: once its count is off, the task may
//! be gone. A clone has the same pointer and the same table, so `will_wake` says that the two wake the same task.

use std::task::{RawWaker, RawWakerVTable};

use crate::ledger;

pub static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

/// One waker more.
fn clone(pointer: *const ()) -> RawWaker {
    ledger::add(pointer);
    RawWaker::new(pointer, &TABLE)
}

/// Wakes the task, and is the end of this waker.
fn wake(pointer: *const ()) {
    ledger::wake(pointer);
    ledger::take(pointer);
}

/// Wakes the task. The waker is still there afterwards.
fn wake_by_ref(pointer: *const ()) {
    ledger::wake(pointer);
}

/// The end of this waker. In the table it is the function `drop`.
fn release(pointer: *const ()) {
    ledger::take(pointer);
}
