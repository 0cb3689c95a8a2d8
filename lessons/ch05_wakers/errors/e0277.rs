//! E0277

use std::cell::Cell;
use std::sync::Arc;
use std::task::{Wake, Waker};

/// Counts the wakes.
#[derive(Default)]
pub struct Counter {
    pub wakes: Cell<u32>,
}

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.wakes.set(self.wakes.get() + 1);
    }
}

fn main() {
    Waker::from(Arc::new(Counter::default())).wake();
}
