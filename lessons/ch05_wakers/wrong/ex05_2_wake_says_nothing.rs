//! Breaks rule 5.4: `wake` takes its count off, and does not wake.

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
    if ledger::take(pointer) == 0 {
        ledger::free(pointer);
    }
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
