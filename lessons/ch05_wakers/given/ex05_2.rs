//! Exercise 5.2, extend: about 5 minutes.
//!
//! Four functions of a waker that wake and do not count: they serve a task that is never freed. Extend them, so that the
//! last waker frees the task (rule 5.7).
//!
//! The pointer is a key for a ledger, which the check brings along. No `unsafe` is needed: nothing follows the pointer.
//!
//! - `ledger::add(pointer)` adds one to the count,
//! - `ledger::take(pointer)` takes one off it, and returns how many are left,
//! - `ledger::free(pointer)` frees the task,
//! - `ledger::wake(pointer)` says that the task is to be polled again.
//!
//! The ledger frees nothing. It writes down what a real task would not survive, so a count that is wrong does no harm
//! here. The four functions keep their names and signatures. Check it with `cargo run -- check ch05 2`.

use std::task::{RawWaker, RawWakerVTable};

use crate::ledger;

pub static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

/// One waker more.
pub fn clone(pointer: *const ()) -> RawWaker {
    RawWaker::new(pointer, &TABLE)
}

/// Wakes the task, and is the end of this waker.
pub fn wake(pointer: *const ()) {
    ledger::wake(pointer);
}

/// Wakes the task. The waker is still there afterwards.
pub fn wake_by_ref(pointer: *const ()) {
    ledger::wake(pointer);
}

/// The end of this waker. In the table it is the function `drop`.
pub fn release(_pointer: *const ()) {}
