//! E0277

use std::cell::Cell;
use std::sync::Arc;
use std::task::{Wake, Waker};

/// Counts how often it is called.
#[derive(Default)]
pub struct Bell {
    pub rings: Cell<u32>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rings.set(self.rings.get() + 1);
    }
}

fn main() {
    Waker::from(Arc::new(Bell::default())).wake();
}
