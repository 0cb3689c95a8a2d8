//! The twin of e0599.rs: the result is taken out, looked at, and put back.

use std::cell::Cell;
use std::thread;

/// What a task and its handle share.
pub struct Slot<T> {
    pub result: Cell<Option<thread::Result<T>>>,
}

impl<T> Slot<T> {
    pub fn has_result(&self) -> bool {
        let result = self.result.take();
        let has_result = result.is_some();
        self.result.set(result);
        has_result
    }
}

fn main() {
    let slot = Slot { result: Cell::new(Some(Ok(42))) };
    assert!(slot.has_result());
}
