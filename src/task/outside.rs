//! `Outside`: a reference that may be on any thread. Entries of the inbox and `RemoteTask`s have one each; a waker is
//! one without its Rust type.

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::ptr::NonNull;
use std::task::Waker;

use super::block::{Block, Callback, Front, Seed, free, header, keep_panic, take};
use super::joiner::{NoJoiner, RemoteJoiner, Waiter};
use super::{Failure, Header, Kind, TaskRef, wake_here};
use crate::record::{Holder, Id, given_up, kept};
use crate::report::TaskInfo;
use crate::shared::Shared;
use crate::state::State;
use crate::sync::Arc;
use crate::{context, waker};

/// A reference that may be on any thread, counted by the atomic word.
pub(crate) struct Outside(NonNull<Header>);

// SAFETY: what an `Outside` touches away from the loop's thread is the atomic word, the fields that never change,
// and what DONE and HANDLE leave to a `RemoteTask`. The future inside may not be `Send`: it is dropped by the loop,
// or here, unpolled, where it was made. (futures_are_dropped_on_the_loops_own_thread)
unsafe impl Send for Outside {}

impl Outside {
    /// SAFETY: the caller gives up a counted reference.
    pub(crate) unsafe fn from_counted(task: NonNull<Header>) -> Self {
        Outside(task)
    }

    /// One more reference, to say something of the task; it is no waker.
    ///
    /// SAFETY: the task is alive and its loop records, so that it keeps `Shared`.
    pub(crate) unsafe fn another_of(task: NonNull<Header>) -> Self {
        // SAFETY: by the caller.
        unsafe { header(task) }.state.add_reference();
        Outside(task)
    }

    /// For comparison.
    pub(crate) fn address(&self) -> *const () {
        self.0.as_ptr().cast_const().cast()
    }

    pub(crate) fn another(&self) -> Self {
        // SAFETY: this is a reference, and an `Outside` implies HELD.
        unsafe { Outside::another_of(self.0) }
    }

    pub(crate) fn is_recorded(&self) -> bool {
        // SAFETY: this is a reference, and what is read never changes.
        unsafe { header(self.0) }.is_recorded()
    }

    /// Loop's thread only.
    pub(crate) fn recorded_id(&self) -> Id {
        // SAFETY: this is a reference, and this is the loop's thread.
        unsafe { header(self.0) }.recorded_id()
    }

    /// The loop has taken it over. Loop's thread only.
    pub(crate) fn is_numbered(&self) -> bool {
        // SAFETY: this is a reference, and this is the loop's thread.
        unsafe { header(self.0) }.number() > 0
    }

    /// Queues the task if its loop runs on this thread, and says whether that was needed.
    pub(crate) fn wake_here(&self) -> Option<bool> {
        // SAFETY: this is a reference.
        unsafe { wake_here(self.0) }
    }

    /// Numbers what the loop has not seen before. Loop's thread only.
    pub(crate) fn number(&self, task: impl FnOnce() -> u64, callback: impl FnOnce() -> u64) {
        // SAFETY: this is a reference, and this is the loop's thread.
        let header = unsafe { header(self.0) };
        match header.kind() {
            Kind::Remote if header.number() == 0 => header.set_id(task()),
            Kind::Callback if header.number() == 0 => header.set_id(callback()),
            _ => {}
        }
    }

    /// A callback for the loop's inbox.
    pub(crate) fn callback(
        shared: &Arc<Shared>,
        code: impl FnOnce() + Send + 'static,
        spawned_at: &'static Location<'static>,
    ) -> Self {
        std::mem::forget(shared.clone()); // what HELD stands for
        let state = State::submitted(false);
        let seed = Seed { state, shared, spawned_at, id: 0, refs: 0, waiter: Waiter::Detached };
        Outside(Block::allocate(NoJoiner, Callback(Some(code)), seed))
    }

    pub(crate) fn state(&self) -> &State {
        // SAFETY: this is a reference.
        unsafe { &header(self.0).state }
    }

    /// The loop's `Shared`. A task with an outside reference always holds it.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        // SAFETY: every way to make an `Outside` sets HELD.
        unsafe { shared_of(self.0) }
    }

    pub(crate) fn wake_by_ref(&self) {
        // SAFETY: lent, as in `TaskRef::with_waker`.
        ManuallyDrop::new(unsafe { waker::from_task(self.0) }).wake_by_ref();
    }

    /// The loop takes an entry of its inbox over: the task, if this entry still owes it a poll. Loop's thread only.
    pub(crate) fn adopt(self, number: impl FnOnce() -> u64) -> Option<TaskRef> {
        // SAFETY: this is a reference, and this is the loop's thread.
        let header = unsafe { header(self.0) };
        if header.refs.get() == 0 && header.id() == 0 && header.vtable.kind == Kind::Remote {
            header.set_id(number());
        }
        if !header.state.adopt().is_notified() || header.phase.get().is_over() || header.is_queued() {
            return None;
        }
        header.add_ref();
        let task = TaskRef(self.0);
        if header.refs.get() == 1 {
            // The task's first moment on this thread: the entry's reference becomes the share.
            std::mem::forget(self);
        }
        Some(task)
    }

    /// The loop would not take this new task: its future is dropped here, where it was made, unpolled.
    pub(crate) fn refuse(self) {
        // SAFETY: nobody but the entry and its handle, which is still being made, knows the task.
        unsafe {
            let header = header(self.0);
            if let Some(payload) = (header.vtable.drop_future)(self.0) {
                keep_panic(self.0, payload);
            }
            header.state.finish();
        }
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        // SAFETY: the reference is given up here, once.
        unsafe { release(self.0) };
    }
}

/// Gives up an outside reference.
///
/// SAFETY: the caller owns one, and does not use it again.
pub(crate) unsafe fn release(task: NonNull<Header>) {
    // SAFETY: by the caller the task is alive until `drop_reference`, and an outside reference implies HELD. After
    // that only `shared`, which has a reference of its own, is used: another thread may have freed the task.
    unsafe {
        if context::is_loop(task.as_ref().shared.as_ptr()) {
            if task.as_ref().state.drop_reference() {
                free(task);
            }
            return;
        }
        let shared = shared_of(task);
        if task.as_ref().state.drop_reference() {
            free(task);
        }
        shared.look_again();
    }
}

/// The loop's `Shared`, with a reference of its own that outlives the task.
///
/// SAFETY: the task is alive, and is either unfinished or has its `HELD` bit set.
pub(super) unsafe fn shared_of(task: NonNull<Header>) -> Arc<Shared> {
    // SAFETY: the pointer came from an `Arc`, and by the caller that is still alive (see `Header::shared`).
    unsafe {
        let shared = task.as_ref().shared.as_ptr();
        Arc::increment_strong_count(shared);
        Arc::from_raw(shared)
    }
}

/// Makes one more reference for another thread to keep.
///
/// SAFETY: the task is alive, and is either unfinished or has a waker clone already.
pub(crate) unsafe fn add_outside(task: NonNull<Header>) {
    // SAFETY: by the caller; where no reference on `Shared` is held yet this runs within a poll, so the loop is open.
    unsafe {
        if task.as_ref().state.clone_waker() {
            Arc::increment_strong_count(task.as_ref().shared.as_ptr());
        }
    }
}

/// Puts a waker into the joiner of a remote task, or takes the one that is there.
///
/// SAFETY: the task is alive and of `Kind::Remote`.
pub(super) unsafe fn replace_remote(task: NonNull<Header>, waker: Option<Waker>) -> Option<Waker> {
    // SAFETY: by the caller; a remote task keeps `Shared`; the place of the joiner is the same for every future; and
    // the lock is held while it is touched. Nothing is cloned, called or dropped under it.
    unsafe {
        let _lock = task.as_ref().shared.as_ref().joining.lock();
        let joiner = (*task.cast::<Front<RemoteJoiner>>().as_ptr()).joiner.0.get();
        std::mem::replace(&mut *joiner, waker)
    }
}

/// The `RemoteTask`'s reference, with the type of the output.
pub(crate) struct TypedOutside<T> {
    pub(crate) task: Outside,
    output: PhantomData<T>,
}

impl<T> TypedOutside<T> {
    /// A task for the loop's inbox, and the reference for its handle.
    pub(crate) fn submitted<F: Future<Output = T> + Send + 'static>(
        shared: &Arc<Shared>,
        future: F,
        spawned_at: &'static Location<'static>,
    ) -> (Outside, Self)
    where
        T: Send,
    {
        Self::new(shared, future, spawned_at)
    }

    /// The same for a future that is made on the loop's thread. Until its first poll there the async block holds
    /// `make` and nothing else, so whatever thread drops it before drops something that is `Send`.
    pub(crate) fn submitted_with<F: Future<Output = T> + 'static>(
        shared: &Arc<Shared>,
        make: impl FnOnce() -> F + Send + 'static,
        spawned_at: &'static Location<'static>,
    ) -> (Outside, Self)
    where
        T: Send,
    {
        Self::new(shared, async move { make().await }, spawned_at)
    }

    fn new<F: Future<Output = T> + 'static>(
        shared: &Arc<Shared>,
        future: F,
        spawned_at: &'static Location<'static>,
    ) -> (Outside, Self) {
        std::mem::forget(shared.clone()); // what HELD stands for
        let state = State::submitted(true);
        let seed = Seed { state, shared, spawned_at, id: 0, refs: 0, waiter: Waiter::Detached };
        let task = Block::allocate(RemoteJoiner(UnsafeCell::new(None)), future, seed);
        (Outside(task), TypedOutside { task: Outside(task), output: PhantomData })
    }

    pub(crate) fn is_done(&self) -> bool {
        self.task.state().snapshot().is_done()
    }

    /// The result of a task that is done is no longer here.
    pub(crate) fn is_taken(&self) -> bool {
        // SAFETY: this is a reference, and once the task is over the field is this handle's.
        unsafe { header(self.task.0) }.is_taken()
    }

    /// Leaves a waker for the end of the task. False: the end has come.
    #[track_caller]
    pub(crate) fn wait_with(&self, waker: &Waker) -> bool {
        // SAFETY: `new` made it a remote task.
        let replace = |waker| unsafe { replace_remote(self.task.0, waker) };
        let let_go = |waker: Option<Waker>| waker.into_iter().for_each(|old| given_up(old, || Holder::Remote, drop));
        let known = match replace(None) {
            Some(known) if known.will_wake(waker) => known,
            other => {
                let_go(other);
                kept(waker, || Holder::Remote, Location::caller())
            }
        };
        let_go(replace(Some(known)));
        // The loop sets DONE and then, if WAITS was set before, takes the waker. So either it finds this waker, or
        // the end is seen here.
        if self.task.state().wait() {
            let_go(replace(None));
            return false;
        }
        true
    }

    /// What became of the task; `None` where that was taken before. The task must be over.
    pub(crate) fn take(&self) -> Option<Result<T, Failure>> {
        assert!(self.is_done(), "nothing is there before the task is over");
        // SAFETY: over, and DONE was read with Acquire; `T` was fixed by `new`; HANDLE is set, so the loop leaves
        // the output to this handle.
        unsafe { take(self.task.0) }
    }

    /// Gives the right to the output back. What nobody will read of it is returned.
    pub(crate) fn detach(&self) -> Option<Result<T, Failure>> {
        let done = self.task.state().drop_handle().is_done();
        // SAFETY: over; the loop saw HANDLE and left the output here.
        let unread = if done { unsafe { take(self.task.0) } } else { None };
        // SAFETY: `new` made it a remote task. Dropped last, since its destructor may panic.
        if let Some(waker) = unsafe { replace_remote(self.task.0, None) } {
            given_up(waker, || Holder::Remote, drop);
        }
        unread
    }

    /// The loop numbers the task when it takes it over; 0 if it never did.
    pub(crate) fn id(&self) -> u64 {
        self.info().id
    }

    /// What is known of a task that is over.
    pub(crate) fn info(&self) -> TaskInfo {
        assert!(self.is_done(), "until then its loop writes what is read here");
        // SAFETY: this is a reference, and the loop no longer writes what is read.
        TaskInfo::of_parts(unsafe { header(self.task.0) }, None)
    }
}
