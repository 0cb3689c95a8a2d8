//! The twin of e0277.rs: what is not `Send` is made by the closure, on the thread of the loop.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use stage::{Handle, Remote};

#[allow(dead_code, clippy::type_complexity)]
#[path = "../stage.rs"]
mod stage;

pub fn counts(handle: &Arc<Handle>) -> Remote<u32> {
    handle.submit("counts", || async {
        let count = Rc::new(Cell::new(0));
        count.set(count.get() + 1);
        count.get()
    })
}

fn main() {
    counts(&Arc::new(Handle::default()));
}
