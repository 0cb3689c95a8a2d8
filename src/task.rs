//! The task: one allocation that holds header, joiner, and the future or what became of it.
//!
//! ```text
//!             wake                     poll
//!   Waiting ────────▶ Ready (queued) ───────▶ Running ──────▶ Finished    the output is there, until taken
//!      ▲                                      │  │  └───────▶ Panicked    the payload is there, until taken
//!      └────────────── Pending ───────────────┘  └──────────▶ Cancelled   the future was dropped unfinished
//! ```
//!
//! Three kinds of reference keep the allocation: [`TaskRef`]s on the loop's thread, counted by a plain `Cell`; and
//! from anywhere [`Outside`]s and wakers, counted by [`State`]. The future, the output, the waiter and all `Cell`s
//! belong to the loop's thread. A `RemoteTask` may touch output and phase from another thread once `DONE` is set,
//! and only while its `HANDLE` bit says that the loop leaves them to it.
//!
//! The parts: [`block`] is the allocation, [`joiner`] the place in it where somebody waits, [`local`] the reference
//! of the loop's thread, [`outside`] that of any other, [`queue`] the ready queue.

mod block;
mod joiner;
mod local;
mod outside;
mod queue;

use std::cell::Cell;
use std::panic::Location;
use std::ptr::NonNull;
use std::task::RawWakerVTable;

use crate::record::waker::RECORDING;
use crate::record::{Holder, Id};
use crate::shared::Shared;
use crate::state::State;
use crate::sync::Arc;
use crate::unwind::Payload;
use block::Vtable;

pub(crate) use joiner::Joiner;
pub(crate) use local::{RunningTask, TaskRef, Typed};
pub(crate) use outside::{Outside, TypedOutside, add_outside, release};
pub(crate) use queue::{Ready, wake_here};

/// What is known of a task without its future's type. 56 bytes: it is in every task.
#[repr(C)]
pub(crate) struct Header {
    pub(crate) state: State,
    vtable: &'static Vtable,
    /// Valid while the loop is open, and after that while the `HELD` bit is set: the allocation then owns a
    /// reference. An unfinished task always has one or the other, because closing the loop finishes every task.
    shared: NonNull<Shared>,
    pub(crate) spawned_at: &'static Location<'static>,
    // From here on: the loop's own thread only.
    /// In the ready queue: the task behind this one, or this one itself if it is the last. Else `None`.
    next: Cell<Option<NonNull<Header>>>,
    /// The id in the upper 48 bits, the polls in the lower 16.
    count: Cell<u64>,
    /// Where the loop keeps the task while it waits, or `NO_SLOT`.
    pub(crate) slot: Cell<u32>,
    refs: Cell<u8>,
    pub(crate) phase: Cell<Phase>,
    /// Which field of the joiner is live.
    waiter: Cell<joiner::Waiter>,
    /// Output or payload are no longer here. Not the loop's own once a `RemoteTask` has the right to them.
    taken: Cell<bool>,
}

const _: () = assert!(size_of::<Header>() == 7 * size_of::<u64>() || size_of::<usize>() < 8);

pub(crate) const NO_SLOT: u32 = u32::MAX;

impl Header {
    /// The task's number; 0 for a callback.
    pub(crate) fn id(&self) -> u64 {
        if self.kind() == Kind::Callback { 0 } else { self.number() }
    }

    /// A callback has one on a recording loop only.
    fn number(&self) -> u64 {
        self.count.get() >> 16
    }

    pub(crate) fn is_recorded(&self) -> bool {
        std::ptr::eq(self.vtable.waker, &RECORDING)
    }

    /// How the record calls whoever keeps a waker to be told of this task's end.
    pub(crate) fn joiner(&self) -> Holder {
        Holder::JoinerOf(self.recorded_id())
    }

    pub(crate) fn recorded_id(&self) -> Id {
        if self.kind() == Kind::Callback { Id::Callback(self.number()) } else { Id::Task(self.number()) }
    }

    pub(crate) fn set_id(&self, id: u64) {
        self.count.set(id << 16 | self.count.get() & 0xffff);
    }

    pub(crate) fn polls(&self) -> u32 {
        (self.count.get() & 0xffff) as u32
    }

    /// One poll more; at 65,535 it stops counting.
    pub(crate) fn count_poll(&self) {
        let count = self.count.get();
        self.count.set(count + u64::from(count & 0xffff != 0xffff));
    }

    pub(crate) fn kind(&self) -> Kind {
        self.vtable.kind
    }

    /// In the ready queue, which holds one reference for it.
    pub(crate) fn is_queued(&self) -> bool {
        self.next.get().is_some()
    }

    /// Output or payload are no longer here.
    pub(crate) fn is_taken(&self) -> bool {
        self.taken.get()
    }

    /// +1 on the loop's own thread.
    fn add_ref(&self) {
        // The handle, the ready queue, the waiting tasks, the poll, and a list that is being looked at.
        self.refs.set(self.refs.get().checked_add(1).expect("a task has a handful of owners on its own thread"));
    }
}

/// What is in the allocation. `Pending`, `Running` and `Dropping`: the future.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    Pending,
    Running,
    /// Cancelled, and its destructor runs.
    Dropping,
    Finished,
    Panicked,
    Cancelled,
}

impl Phase {
    pub(crate) fn is_over(self) -> bool {
        !matches!(self, Phase::Pending | Phase::Running | Phase::Dropping)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Task,
    /// A task with a `RemoteTask` for its handle.
    Remote,
    Callback,
}

/// Why a task has no output.
pub(crate) enum Failure {
    Cancelled,
    Panic(Payload),
}

/// The table of the wakers that a task gives out.
///
/// SAFETY: the task is alive.
pub(crate) unsafe fn wakers(task: NonNull<Header>) -> &'static RawWakerVTable {
    // SAFETY: by the caller; this field never changes.
    unsafe { task.as_ref().vtable.waker }
}

/// How a loop is told from another: by the address of its `Shared`, which no other can have while a task keeps it.
pub(crate) fn shared_pointer(shared: &Arc<Shared>) -> NonNull<Shared> {
    NonNull::new(Arc::as_ptr(shared).cast_mut()).expect("an Arc is never null")
}
