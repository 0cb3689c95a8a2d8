//! E0599

use std::cell::Cell;
use std::thread;

/// What a task and its handle share.
pub struct Slot<T> {
    pub result: Cell<Option<thread::Result<T>>>,
}

impl<T> Slot<T> {
    pub fn has_result(&self) -> bool {
        self.result.get().is_some()
    }
}

fn main() {
    let slot = Slot { result: Cell::new(Some(Ok(42))) };
    assert!(slot.has_result());
}
