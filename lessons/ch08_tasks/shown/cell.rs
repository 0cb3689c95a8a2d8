//! A slot for a waker as a `RefCell` and as a `Cell`, and a waker whose end looks into the slot that it was in.

use std::cell::{Cell, RefCell};
use std::panic::{catch_unwind, set_hook};
use std::sync::Arc;
use std::task::{Wake, Waker};

thread_local! {
    static REF_CELL: RefCell<Option<Waker>> = const { RefCell::new(None) };
    static CELL: Cell<Option<Waker>> = const { Cell::new(None) };
}

/// Does this when it is dropped.
struct Looks(fn());

impl Wake for Looks {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Looks {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn with_a_ref_cell() {
    let keep = |waker: Waker| REF_CELL.with(|slot| *slot.borrow_mut() = Some(waker));
    keep(Waker::from(Arc::new(Looks(|| {
        REF_CELL.with(|slot| assert!(slot.borrow().is_some()));
    }))));
    keep(Waker::noop().clone());
}

fn with_a_cell() {
    let keep = |waker: Waker| CELL.with(|slot| slot.set(Some(waker)));
    keep(Waker::from(Arc::new(Looks(|| {
        let waker = CELL.take();
        assert!(waker.is_some());
        CELL.set(waker);
    }))));
    keep(Waker::noop().clone());
}

fn main() {
    set_hook(Box::new(|_| {}));
    for (name, run) in [("RefCell", with_a_ref_cell as fn()), ("Cell", with_a_cell)] {
        let word = if catch_unwind(run).is_ok() { "the new waker is there" } else { "panics, as it is borrowed" };
        println!("{name}: the old waker is dropped, and looks: {word}");
    }
}
