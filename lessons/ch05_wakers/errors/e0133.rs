//! E0133

use std::sync::Arc;
use std::task::{RawWaker, RawWakerVTable, Waker};

static TABLE: RawWakerVTable = RawWakerVTable::new(clone, nothing, nothing, nothing);

fn clone(pointer: *const ()) -> RawWaker {
    RawWaker::new(pointer, &TABLE)
}

fn nothing(_: *const ()) {}

pub fn lend<T>(parker: &Arc<T>) -> Waker {
    Waker::new(Arc::as_ptr(parker).cast(), &TABLE)
}

fn main() {
    lend(&Arc::new(())).wake();
}
