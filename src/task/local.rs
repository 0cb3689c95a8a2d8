//! `TaskRef`: a reference on the loop's own thread.

use std::cell::Cell;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

use super::block::{Block, Callback, Seed, free, header, keep_panic, place, take};
use super::joiner::{LocalJoiner, NamedJoiner, NoJoiner, Waiter};
use super::outside::{replace_remote, shared_of};
use super::{Failure, Header, Kind, Outside, Phase};
use crate::record::What;
use crate::shared::Shared;
use crate::state::State;
use crate::sync::Arc;
use crate::unwind::Payload;
use crate::waker;

/// A reference on the loop's own thread.
pub(crate) struct TaskRef(pub(super) NonNull<Header>);

/// A recorded task keeps `Shared` from the start, since an event about it may be on its way at any time.
fn state_for(shared: &Arc<Shared>) -> State {
    if !shared.is_recorded {
        return State::spawned();
    }
    std::mem::forget(shared.clone()); // what HELD stands for
    State::recorded()
}

impl TaskRef {
    pub(crate) fn root(shared: &Arc<Shared>, id: u64, spawned_at: &'static Location<'static>) -> Self {
        let seed = Seed { state: state_for(shared), shared, spawned_at, id, refs: 1, waiter: Waiter::Detached };
        TaskRef(Block::allocate(LocalJoiner::new(), std::future::pending::<()>(), seed))
    }

    pub(crate) fn callback(
        shared: &Arc<Shared>,
        code: impl FnOnce() + 'static,
        id: u64,
        spawned_at: &'static Location<'static>,
    ) -> Self {
        let seed = Seed { state: state_for(shared), shared, spawned_at, id, refs: 1, waiter: Waiter::Detached };
        TaskRef(Block::allocate(NoJoiner, Callback(Some(code)), seed))
    }

    pub(crate) fn header(&self) -> &Header {
        // SAFETY: this is a reference.
        unsafe { header(self.0) }
    }

    /// For comparison with [`waker::task_of`].
    pub(crate) fn address(&self) -> *const () {
        self.0.as_ptr().cast_const().cast()
    }

    pub(crate) fn is(&self, other: &TaskRef) -> bool {
        self.0 == other.0
    }

    pub(crate) fn kind(&self) -> Kind {
        self.header().kind()
    }

    pub(crate) fn name(&self) -> Option<String> {
        // SAFETY: the vtable is that of the block.
        unsafe { (self.header().vtable.name)(self.0) }
    }

    /// A reference that may leave this thread, with an event. The task must be recorded.
    pub(crate) fn outside(&self) -> Outside {
        assert!(self.header().is_recorded(), "only of recorded tasks there is something to say");
        // SAFETY: `self` keeps the task alive.
        unsafe { Outside::another_of(self.0) }
    }

    /// Lends the waker of this task, without counting it.
    pub(crate) fn with_waker<R>(&self, code: impl FnOnce(&Waker) -> R) -> R {
        // SAFETY: `self` keeps the task alive beyond the call, and `ManuallyDrop` never gives back a reference that
        // was not taken. (refcount_ledger)
        let lent = ManuallyDrop::new(unsafe { waker::from_task(self.0) });
        code(&lent)
    }

    /// Polls the future. The phase must be `Running`, which the loop sets for this.
    pub(crate) fn poll(&self) -> Poll<Option<Payload>> {
        assert!(self.header().phase.get() == Phase::Running, "only the loop polls, one task at a time");
        self.with_waker(|waker| {
            // SAFETY: the vtable is that of the block; a `TaskRef` is on the loop's thread; the phase is `Running`,
            // and `Local::step`, which set it, is the only caller and skips a task that runs already.
            unsafe { (self.header().vtable.poll)(self.0, &mut Context::from_waker(waker)) }
        })
    }

    /// The future is about to be dropped. The phase must be `Pending`.
    pub(crate) fn begin_drop(&self) {
        let phase = self.header().phase.replace(Phase::Dropping);
        assert!(phase == Phase::Pending, "only a task that waits has a future to drop");
    }

    /// Drops the future in place, after `begin_drop`. A panic of its destructor becomes the task's own.
    pub(crate) fn drop_future(&self) {
        assert!(self.header().phase.get() == Phase::Dropping, "a future is dropped once");
        // SAFETY: the phase was `Pending`, nothing was polled since, and a `TaskRef` is on the loop's thread.
        unsafe {
            if let Some(payload) = (self.header().vtable.drop_future)(self.0) {
                keep_panic(self.0, payload);
            }
        }
    }

    /// The end of a task that nobody waits for: its output is dropped. What went wrong is returned, to be reported.
    pub(crate) fn drop_outcome(&self) -> Option<Payload> {
        let header = self.header();
        if header.taken.replace(true) {
            return None;
        }
        match header.phase.get() {
            // SAFETY: finished, not taken until now, and whoever calls this has the right to the output.
            Phase::Finished => unsafe { (header.vtable.drop_output)(self.0) },
            // SAFETY: likewise.
            Phase::Panicked => Some(unsafe { ManuallyDrop::into_inner(place::<ManuallyDrop<Payload>>(self.0).read()) }),
            _ => None,
        }
    }

    /// Tells a `RemoteTask` that its result is there.
    pub(crate) fn take_remote_waker(&self) -> Option<Waker> {
        assert!(self.kind() == Kind::Remote, "only a submitted task has a remote joiner");
        // SAFETY: the kind says what the joiner is.
        unsafe { replace_remote(self.0, None) }
    }

    /// The allocation keeps `Shared` from now on, so that a panic nobody joins can be reported after the loop's end.
    pub(crate) fn hold_shared(&self) {
        if self.header().state.hold() {
            // SAFETY: the loop is open: it is about to finish this task.
            unsafe { Arc::increment_strong_count(self.header().shared.as_ptr()) };
        }
    }

    /// Where reports go. `None` where nothing can be left to report.
    pub(crate) fn shared(&self) -> Option<Arc<Shared>> {
        // SAFETY: the bit is set.
        self.header().state.snapshot().is_held().then(|| unsafe { shared_of(self.0) })
    }

    /// Asks the loop to drop the future at its next turn. False: the task is over.
    #[track_caller]
    pub(crate) fn cancel(&self) -> bool {
        if self.header().phase.get().is_over() {
            return false;
        }
        self.header().state.cancel();
        let at = Location::caller();
        self.say(move |_, said| What::CancelAsked { id: said.id(), by: said.by }.at(at));
        self.with_waker(Waker::wake_by_ref);
        true
    }
}

impl Clone for TaskRef {
    fn clone(&self) -> Self {
        self.header().add_ref();
        TaskRef(self.0)
    }
}

impl Drop for TaskRef {
    #[inline]
    fn drop(&mut self) {
        let refs = &self.header().refs;
        if refs.get() > 1 {
            refs.set(refs.get() - 1);
        } else {
            self.drop_last();
        }
    }
}

impl TaskRef {
    /// The last reference of this thread gives the share back, and whoever gives up the last of all frees.
    fn drop_last(&mut self) {
        // A loop owns its tasks until they are over, and closing it ends them all.
        debug_assert!(self.header().phase.get().is_over());
        self.header().refs.set(0);
        if self.header().state.drop_share() {
            // SAFETY: it was the last, and `self` is not used again.
            unsafe { free(self.0) };
        }
    }
}

/// A task on the loop's own thread whose output is known to be a `T`.
pub(crate) struct Typed<T> {
    pub(crate) task: TaskRef,
    output: PhantomData<T>,
}

impl<T> Typed<T> {
    /// A new task: the reference for the ready queue is `task.clone()`.
    pub(crate) fn new<F: Future<Output = T> + 'static>(
        shared: &Arc<Shared>,
        future: F,
        name: Option<String>,
        id: u64,
        spawned_at: &'static Location<'static>,
    ) -> Self {
        let seed = Seed { state: state_for(shared), shared, spawned_at, id, refs: 1, waiter: Waiter::Nobody };
        let joiner = LocalJoiner::new();
        let task = match name {
            None => Block::allocate(joiner, future, seed),
            Some(name) => Block::allocate(NamedJoiner { joiner, name }, future, seed),
        };
        Typed { task: TaskRef(task), output: PhantomData }
    }

    /// What became of the task; `None` where that was taken before. The task must be over.
    pub(crate) fn take(&self) -> Option<Result<T, Failure>> {
        assert!(self.task.header().phase.get().is_over(), "nothing is there before the task is over");
        // SAFETY: over; `T` was fixed by `new`; the handle of a task is the only one with a right to the output.
        unsafe { take(self.task.0) }
    }
}

/// The task that is being polled.
#[derive(Default)]
pub(crate) struct RunningTask(Cell<Option<NonNull<Header>>>);

impl RunningTask {
    /// Runs `code`, which polls `task` or drops its future.
    pub(crate) fn during<R>(&self, task: &TaskRef, code: impl FnOnce() -> R) -> R {
        struct Restore<'a>(&'a RunningTask, Option<NonNull<Header>>);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                self.0.0.set(self.1);
            }
        }
        let _restore = Restore(self, self.0.replace(Some(task.0)));
        code()
    }

    pub(crate) fn get(&self) -> Option<TaskRef> {
        self.0.get().map(|task| {
            // SAFETY: it is set only within `during`, which borrows a reference, and on the loop's thread, since a
            // `RunningTask` is not `Sync`. The one made here is counted.
            unsafe { header(task) }.add_ref();
            TaskRef(task)
        })
    }
}
