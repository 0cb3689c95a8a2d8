//! E0277

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use stage::{Handle, Remote};

#[allow(dead_code, clippy::type_complexity)]
#[path = "../stage.rs"]
mod stage;

pub fn counts(handle: &Arc<Handle>) -> Remote<u32> {
    let count = Rc::new(Cell::new(0));
    handle.submit("counts", move || async move {
        count.set(count.get() + 1);
        count.get()
    })
}

fn main() {
    counts(&Arc::new(Handle::default()));
}
