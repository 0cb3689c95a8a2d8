//! The waker: a pointer to a task, four functions, and a count that is one higher for each clone.
//!
//! A wake on the thread of the running loop puts the task into the plain ready queue. From anywhere else it goes
//! through the locked inbox. It never runs the task, never drops a future, and takes no lock but the inbox's.

use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::record::waker::RECORDING;
use crate::task::{self, Header, Outside};

/// One static table, so that `will_wake` can compare its address. The tasks of a recording loop have the other one,
/// [`RECORDING`].
pub(crate) static PLAIN: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop);

/// A waker from a counted reference.
///
/// SAFETY: the caller gives the reference up to the waker, or forgets the waker while it still has it.
pub(crate) unsafe fn from_task(task: NonNull<Header>) -> Waker {
    // SAFETY: by the caller the task is alive. The four functions of either table keep the contract of `RawWaker`:
    // they can be called from any thread.
    unsafe { Waker::new(task.as_ptr().cast_const().cast(), task::wakers(task)) }
}

/// The task that a waker wakes, if it is one of ours. To be compared, not to be followed.
pub(crate) fn task_of(waker: &Waker) -> Option<*const ()> {
    (std::ptr::eq(waker.vtable(), &PLAIN) || is_recorded(waker)).then(|| waker.data())
}

/// Whether it wakes a task of a recording loop.
pub(crate) fn is_recorded(waker: &Waker) -> bool {
    std::ptr::eq(waker.vtable(), &RECORDING)
}

pub(crate) fn task(data: *const ()) -> NonNull<Header> {
    NonNull::new(data.cast_mut().cast()).expect("a waker is made from a task")
}

/// +1
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the waker that is cloned keeps the task alive, or is lent for a poll. (refcount_ledger)
    unsafe { task::add_outside(task(data)) };
    RawWaker::new(data, &PLAIN)
}

/// −1, or the reference goes into the inbox.
unsafe fn wake(data: *const ()) {
    let task = task(data);
    // SAFETY: this waker's own reference keeps the task alive until `outside` is moved or dropped. (refcount_ledger)
    unsafe {
        let here = task::wake_here(task).is_some();
        let outside = Outside::from_counted(task);
        if !here && outside.state().notify() {
            // `push` may be overtaken by the loop, which takes the entry, ends and frees the task: from here on
            // only `shared`, which has a reference of its own, is touched.
            let shared = outside.shared();
            shared.push(outside);
        }
    }
}

/// ±0, or +1 for the inbox.
unsafe fn wake_by_ref(data: *const ()) {
    let task = task(data);
    // SAFETY: the waker outlives the call. Where it is lent to a poll and is called on another thread meanwhile, the
    // loop is in that poll and so alive. (refcount_ledger)
    unsafe {
        if task::wake_here(task).is_none() && task.as_ref().state.notify() {
            task::add_outside(task);
            let outside = Outside::from_counted(task);
            let shared = outside.shared();
            shared.push(outside);
        }
    }
}

/// −1
unsafe fn drop(data: *const ()) {
    // SAFETY: this waker's own reference. (refcount_ledger)
    unsafe { task::release(task(data)) };
}
