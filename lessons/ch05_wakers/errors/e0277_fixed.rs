//! The twin of e0277.rs: the count is one that several threads may change.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Wake, Waker};

/// Counts the wakes.
#[derive(Default)]
pub struct Counter {
    pub wakes: AtomicU32,
}

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
    }
}

fn main() {
    Waker::from(Arc::new(Counter::default())).wake();
}
