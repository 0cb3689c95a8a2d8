//! Exercise 5.2, extend: about 5 minutes.
//!
//! A waker by hand. Write its four functions. What the pointer points to is in a ledger, which the check brings along:
//!
//! - `ledger::add(pointer)` adds one to the count,
//! - `ledger::take(pointer)` takes one off it,
//! - `ledger::wake(pointer)` says that the task is to be polled again.
//!
//! The ledger frees nothing. It writes down what a real task would not survive, so a count that is wrong does no harm
//! here. Check it with `cargo run -- check ch05 2`.

use std::task::{RawWaker, RawWakerVTable};

use crate::ledger;

pub static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

/// One waker more.
fn clone(pointer: *const ()) -> RawWaker {
    let _ = (ledger::add, pointer);
    todo!("`clone`: a second waker for the same task")
}

/// Wakes the task, and is the end of this waker.
fn wake(pointer: *const ()) {
    let _ = (ledger::take, pointer);
    todo!("`wake`")
}

/// Wakes the task. The waker is still there afterwards.
fn wake_by_ref(pointer: *const ()) {
    let _ = (ledger::wake, pointer);
    todo!("`wake_by_ref`")
}

/// The end of this waker. In the table it is the function `drop`.
fn release(pointer: *const ()) {
    let _ = pointer;
    todo!("`release`")
}
