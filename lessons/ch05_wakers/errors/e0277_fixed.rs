//! The twin of e0277.rs: the count is one that several threads may change.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Wake, Waker};

/// Counts how often it is called.
#[derive(Default)]
pub struct Bell {
    pub rings: AtomicU32,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rings.fetch_add(1, Ordering::Relaxed);
    }
}

fn main() {
    Waker::from(Arc::new(Bell::default())).wake();
}
