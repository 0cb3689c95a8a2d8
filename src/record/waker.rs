//! The wakers that record. Those of a recording loop are the same pointer to a task, with a second table of functions,
//! each of which also tells. Those of a watched future are a pointer to its `Tap`.

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

use super::leaf::holder;
use super::news::Said;
use super::watch::Tap;
use super::{Actor, Happening, Holder, Recording, Told, What};
use crate::sync::Arc;
use crate::task::{self, Header, Outside};
use crate::waker::is_recorded;

pub(crate) static RECORDING: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop);

fn task(data: *const ()) -> NonNull<Header> {
    crate::waker::task(data)
}

/// The task of a recorded waker, with a reference of its own.
pub(crate) fn task_of(waker: &Waker) -> Option<Outside> {
    // SAFETY: the table says what the pointer is, and the waker, which outlives the call, keeps the task alive.
    is_recorded(waker).then(|| unsafe { Outside::another_of(task(waker.data())) })
}

/// +1
unsafe fn clone(data: *const ()) -> RawWaker {
    let (holder, at) = holder();
    // SAFETY: the waker that is cloned keeps the task alive, or is lent for a poll. (refcount_ledger)
    unsafe {
        task::add_outside(task(data));
        say(Outside::another_of(task(data)), move |recording, said| {
            let (id, by) = (said.id(), said.by);
            Happening { what: What::WakerCloned { id, by, holder, live: recording.live(id, 1) }, at }
        });
    }
    RawWaker::new(data, &RECORDING)
}

/// −1, or the reference goes into the inbox.
unsafe fn wake(data: *const ()) {
    // SAFETY: this waker's own reference. (refcount_ledger)
    wake_with(unsafe { Outside::from_counted(task(data)) }, true);
}

/// ±0, or +1 for the inbox.
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the waker outlives the call, or is lent for a poll. (refcount_ledger)
    wake_with(unsafe { Outside::another_of(task(data)) }, false);
}

/// −1, once the loop has heard of it.
unsafe fn drop(data: *const ()) {
    let (holder, _) = holder();
    // SAFETY: this waker's own reference. (refcount_ledger)
    say(unsafe { Outside::from_counted(task(data)) }, move |recording, said| {
        let (id, by) = (said.id(), said.by);
        What::WakerDropped { id, by, holder, live: recording.live(id, -1) }
    });
}

fn say<W: Into<Happening>>(task: Outside, what: impl FnOnce(&Recording, Said) -> W + Send + 'static) {
    task.shared().say(Some(task), what);
}

/// Wakes the task, and tells of it in the same step: under the inbox's lock, or on the loop's own thread.
fn wake_with(task: Outside, by_value: bool) {
    let (from, _) = holder();
    let shared = task.shared();
    let queued_here = task.wake_here();
    let what = move |recording: &Recording, said: Said| {
        // A timer that fires between two runs does so on some thread.
        let is_timer = by_value && from == Holder::Timer;
        let by = if is_timer { Actor::Timer } else { said.by.clone() };
        let (id, queued) = (said.id(), queued_here.unwrap_or(said.queued));
        let live = recording.live(id, if by_value { -1 } else { 0 });
        What::Woken { id, by, queued, from, by_value, live }
    };
    if queued_here.is_some() {
        return shared.say(Some(task), what);
    }
    let is_work = task.state().notify();
    std::mem::drop(shared.put(Told::new(&shared, Some(task), is_work, what)));
    if by_value {
        shared.look_again();
    }
}

static WATCHING: RawWakerVTable = RawWakerVTable::new(clone_tap, wake_tap, wake_tap_by_ref, drop_tap);

/// Lends the waker of a watched future, without counting it.
pub(super) fn lend<R>(tap: &Arc<Tap>, code: impl FnOnce(&Waker) -> R) -> R {
    // SAFETY: `tap` outlives the call, and `ManuallyDrop` never gives back a reference that was not taken. The four
    // functions keep the contract of `RawWaker`: a `Tap` is `Sync`. (watched_future_gives_its_wakers_back)
    let lent = ManuallyDrop::new(unsafe { Waker::new(Arc::as_ptr(tap).cast(), &WATCHING) });
    code(&lent)
}

/// SAFETY: `data` is the pointer of a waker that `lend` made, or of a clone of one, and is alive.
unsafe fn tap<'a>(data: *const ()) -> &'a Tap {
    // SAFETY: by the caller.
    unsafe { &*data.cast::<Tap>() }
}

/// +1
unsafe fn clone_tap(data: *const ()) -> RawWaker {
    // SAFETY: the waker that is cloned keeps the `Tap`. (watched_future_gives_its_wakers_back)
    unsafe {
        Arc::increment_strong_count(data.cast::<Tap>());
        tap(data).cloned();
    }
    RawWaker::new(data, &WATCHING)
}

/// −1
unsafe fn wake_tap(data: *const ()) {
    // SAFETY: this waker's own reference, given up at the end. (watched_future_gives_its_wakers_back)
    unsafe { Arc::from_raw(data.cast::<Tap>()) }.woken(true);
}

/// ±0
unsafe fn wake_tap_by_ref(data: *const ()) {
    // SAFETY: the waker outlives the call.
    unsafe { tap(data) }.woken(false);
}

/// −1
unsafe fn drop_tap(data: *const ()) {
    // SAFETY: this waker's own reference, given up at the end. (watched_future_gives_its_wakers_back)
    unsafe { Arc::from_raw(data.cast::<Tap>()) }.dropped();
}
