//! What a leaf future says of the waker that it keeps: who keeps it, and the `.await` that it is kept for. Where the waker
//! does not record, a comparison is all that this costs.

use std::cell::Cell;
use std::task::Waker;

use super::{Holder, Place};
use crate::context;
use crate::shared::Shared;
use crate::sync::Arc;
use crate::task::Outside;
use crate::waker::is_recorded;

thread_local! {
    /// Who keeps, or gives up, the waker whose function is called next.
    static HOLDER: Cell<Option<(Holder, Option<Place>)>> = const { Cell::new(None) };
}

/// Who keeps the waker whose function has been called, and the `.await` that it is kept for.
pub(super) fn holder() -> (Holder, Option<Place>) {
    HOLDER.try_with(Cell::take).ok().flatten().unwrap_or((Holder::Unknown, None))
}

/// Clones a waker for `holder` to keep, on behalf of the `.await` at `at`.
#[inline]
pub(crate) fn kept(waker: &Waker, holder: impl FnOnce() -> Holder, at: Place) -> Waker {
    if is_recorded(waker) {
        let _ = HOLDER.try_with(|cell| cell.set(Some((holder(), Some(at)))));
    }
    waker.clone()
}

/// Lets `end` wake, or drop, a waker that `holder` has kept.
#[inline]
pub(crate) fn given_up(waker: Waker, holder: impl FnOnce() -> Holder, end: impl FnOnce(Waker)) {
    if is_recorded(&waker) {
        let _ = HOLDER.try_with(|cell| cell.set(Some((holder(), None))));
    }
    end(waker);
}

/// A leaf future returns pending: where the `.await` is that polled it, and who keeps its waker.
#[inline]
pub(crate) fn waits_at(waker: &Waker, holder: impl FnOnce() -> Holder, at: Place) {
    if is_recorded(waker) {
        keep_wait(holder(), at);
    }
}

/// Polled through a pointer, a future sees the line of its own `poll`; through `&mut` or a box one of std's; as a task
/// of its own, one of the loop's. None of them is a line of the program.
pub(super) fn is_of_the_program(at: Place) -> bool {
    let file = at.file().replace('\\', "/");
    let own = file!().replace('\\', "/");
    let own = own.trim_end_matches("record/leaf.rs");
    !file.starts_with(own)
        && !["/library/core/", "/library/alloc/", "/library/std/"].iter().any(|std| file.contains(std))
}

#[cold]
fn keep_wait(holder: Holder, at: Place) {
    if !is_of_the_program(at) {
        return;
    }
    if let Some(local) = context::current() {
        local.recording.iter().for_each(|recording| recording.waits_at.borrow_mut().push((holder, at)));
    }
}

/// The reference to the task of a waker, if it is one of `shared`'s loop, which records.
pub(crate) fn say_of_waker(shared: &Shared, waker: &Waker) -> Option<Outside> {
    super::waker::task_of(waker).filter(|task| std::ptr::eq(Arc::as_ptr(&task.shared()), shared))
}
