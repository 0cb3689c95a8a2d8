//! The allocation: header, joiner, and a stage that holds the future, then what became of it.

use std::cell::{Cell, UnsafeCell};
use std::mem::{ManuallyDrop, offset_of};
use std::panic::Location;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, RawWakerVTable};

use super::joiner::{Slot, Waiter};
use super::{Failure, Header, Kind, NO_SLOT, Phase, shared_pointer};
use crate::shared::Shared;
use crate::state::State;
use crate::sync::Arc;
use crate::unwind::{Payload, catch};
use crate::{record, waker};

/// What the loop does with a future whose type it does not know.
pub(super) struct Vtable {
    pub(super) kind: Kind,
    /// Which wakers its task gives out: those that record, or the plain ones.
    pub(super) waker: &'static RawWakerVTable,
    pub(super) stage: usize,
    pub(super) poll: unsafe fn(NonNull<Header>, &mut Context<'_>) -> Poll<Option<Payload>>,
    pub(super) drop_future: unsafe fn(NonNull<Header>) -> Option<Payload>,
    pub(super) drop_output: unsafe fn(NonNull<Header>) -> Option<Payload>,
    pub(super) name: unsafe fn(NonNull<Header>) -> Option<String>,
    pub(super) free: unsafe fn(NonNull<Header>),
}

/// Which field is live stands in `Header::phase` and `Header::taken`. `repr(C)`: all fields are where the union is.
#[repr(C)]
union Stage<F: Future> {
    future: ManuallyDrop<F>,
    output: ManuallyDrop<F::Output>,
    panic: ManuallyDrop<Payload>,
}

/// `repr(C)`: a pointer to the block is a pointer to its header, and the joiner lies behind that at the same place
/// for every future.
#[repr(C)]
pub(super) struct Block<J, F: Future> {
    header: Header,
    joiner: J,
    stage: UnsafeCell<Stage<F>>,
}

/// What is known of a block without its future's type.
#[repr(C)]
pub(super) struct Front<J> {
    header: Header,
    pub(super) joiner: J,
}

impl<J: Slot, F: Future> Block<J, F> {
    const VTABLE: Vtable = Self::vtable(&waker::PLAIN);
    const RECORDED: Vtable = Self::vtable(&record::waker::RECORDING);

    const fn vtable(waker: &'static RawWakerVTable) -> Vtable {
        Vtable {
            kind: J::KIND,
            waker,
            stage: offset_of!(Self, stage),
            poll: Self::poll,
            drop_future: Self::drop_future,
            drop_output: Self::drop_output,
            name: Self::name,
            free: Self::free,
        }
    }

    pub(super) fn allocate(joiner: J, future: F, seed: Seed<'_>) -> NonNull<Header> {
        let block = Box::new(Block {
            header: Header {
                state: seed.state,
                vtable: if seed.shared.is_recorded { &Self::RECORDED } else { &Self::VTABLE },
                shared: shared_pointer(seed.shared),
                spawned_at: seed.spawned_at,
                next: Cell::new(None),
                count: Cell::new(seed.id << 16),
                slot: Cell::new(NO_SLOT),
                refs: Cell::new(seed.refs),
                phase: Cell::new(Phase::Pending),
                waiter: Cell::new(seed.waiter),
                taken: Cell::new(false),
            },
            joiner,
            stage: UnsafeCell::new(Stage { future: ManuallyDrop::new(future) }),
        });
        NonNull::from(Box::leak(block)).cast()
    }

    /// SAFETY: `task` is a live block of this type.
    unsafe fn stage(task: NonNull<Header>) -> *mut Stage<F> {
        // SAFETY: by the caller. Only the place is computed, no reference is made that could alias another.
        unsafe { UnsafeCell::raw_get(&raw const (*task.cast::<Self>().as_ptr()).stage) }
    }

    /// Polls the future; where it is over, drops it and keeps its output or its panic. The payload in the answer is
    /// a panic of the future's destructor.
    ///
    /// SAFETY: on the loop's thread, `task` is a live block of this type, its phase `Running`, and no other call
    /// of this function for it is under way.
    unsafe fn poll(task: NonNull<Header>, context: &mut Context<'_>) -> Poll<Option<Payload>> {
        // SAFETY: by the caller, and the future is live while the phase is `Running`. It is never moved: it stays
        // in the block until it is dropped in place. (futures_are_not_moved_between_polls)
        let (outcome, dropped) = unsafe {
            let stage = Self::stage(task);
            let future = &raw mut (*stage).future;
            let outcome = match catch(|| Pin::new_unchecked(&mut **future).poll(context)) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(output)) => Ok(output),
                Err(payload) => Err(payload),
            };
            (outcome, catch(|| ManuallyDrop::drop(&mut *future)).err())
        };
        // SAFETY: the future is dropped, so its place is free for what it left. The joiner sees that only after the
        // destructor has run (case 60: future_is_dropped_before_the_joiner_sees_the_output).
        unsafe {
            let stage = Self::stage(task);
            let phase = match outcome {
                Ok(output) => {
                    (&raw mut (*stage).output).write(ManuallyDrop::new(output));
                    Phase::Finished
                }
                Err(payload) => {
                    (&raw mut (*stage).panic).write(ManuallyDrop::new(payload));
                    Phase::Panicked
                }
            };
            task.as_ref().phase.set(phase);
        }
        Poll::Ready(dropped)
    }

    /// Drops the future of a task that is cancelled; the payload is its destructor's panic.
    ///
    /// SAFETY: `task` is a live block of this type, its phase `Pending`, and nobody else can reach the future: on
    /// the loop's thread, or before the task was ever sent there.
    unsafe fn drop_future(task: NonNull<Header>) -> Option<Payload> {
        // SAFETY: by the caller. While the destructor runs the phase says so, and whatever it does finds neither a
        // future nor an outcome. (cancelled_future_is_dropped_once)
        unsafe {
            task.as_ref().phase.set(Phase::Dropping);
            let future = &raw mut (*Self::stage(task)).future;
            let panic = catch(|| ManuallyDrop::drop(&mut *future)).err();
            task.as_ref().phase.set(Phase::Cancelled);
            panic
        }
    }

    /// SAFETY: `task` is a live block of this type, its phase `Finished`, the output not taken, and the caller has
    /// the right to it.
    unsafe fn drop_output(task: NonNull<Header>) -> Option<Payload> {
        // SAFETY: by the caller. (output_of_a_detached_task_is_dropped_once)
        unsafe {
            let output = &raw mut (*Self::stage(task)).output;
            catch(|| ManuallyDrop::drop(&mut *output)).err()
        }
    }

    /// SAFETY: `task` is a live block of this type.
    unsafe fn name(task: NonNull<Header>) -> Option<String> {
        // SAFETY: by the caller; the name never changes.
        unsafe { (*task.cast::<Self>().as_ptr()).joiner.name() }
    }

    /// SAFETY: `task` is a block of this type that nothing refers to any more, its stage dropped or taken.
    unsafe fn free(task: NonNull<Header>) {
        // SAFETY: by the caller; it came from a box. The stage, a union, drops nothing.
        drop(unsafe { Box::from_raw(task.cast::<Self>().as_ptr()) });
    }
}

/// What a new header is made from.
pub(super) struct Seed<'a> {
    pub(super) state: State,
    pub(super) shared: &'a Arc<Shared>,
    pub(super) spawned_at: &'static Location<'static>,
    pub(super) id: u64,
    pub(super) refs: u8,
    pub(super) waiter: Waiter,
}

/// What every kind of reference can read: the header.
///
/// SAFETY: the caller holds a reference to the task for as long as it uses the answer.
pub(super) unsafe fn header<'a>(task: NonNull<Header>) -> &'a Header {
    // SAFETY: by the caller.
    unsafe { task.as_ref() }
}

/// Frees the allocation.
///
/// SAFETY: the last reference has just been given up, by this thread.
pub(super) unsafe fn free(task: NonNull<Header>) {
    // SAFETY: by the caller nobody else can reach the task. What the HELD bit stands for is given back last, since
    // it may be the end of `Shared`. (waker_outlives_its_loop)
    unsafe {
        let held = task.as_ref().state.snapshot().is_held().then(|| Arc::from_raw(task.as_ref().shared.as_ptr()));
        (task.as_ref().vtable.free)(task);
        drop(held);
    }
}

/// Where the stage is: the output, if it is a `T`, or the payload.
pub(super) fn place<T>(task: NonNull<Header>) -> *mut T {
    // SAFETY: the offset is that of the stage of this very block, so it stays inside the allocation.
    unsafe { task.as_ptr().byte_add(task.as_ref().vtable.stage).cast() }
}

/// The future's destructor has panicked: that is what became of the task.
///
/// SAFETY: the task is alive, its future has just been dropped by this thread, and nobody was told yet.
pub(super) unsafe fn keep_panic(task: NonNull<Header>, payload: Payload) {
    // SAFETY: by the caller; the future's place is free and large enough for a payload.
    unsafe {
        place::<Payload>(task).write(payload);
        task.as_ref().phase.set(Phase::Panicked);
    }
}

/// Takes what became of a task.
///
/// SAFETY: the task is alive and over, its output is of type `T`, and the caller has the right to it.
pub(super) unsafe fn take<T>(task: NonNull<Header>) -> Option<Result<T, Failure>> {
    // SAFETY: by the caller; the phase names the live field, and `taken` lets it be read once.
    // (output_is_taken_once)
    unsafe {
        let header = header(task);
        if header.taken.replace(true) {
            return None;
        }
        Some(match header.phase.get() {
            Phase::Finished => Ok(place::<T>(task).read()),
            Phase::Panicked => Err(Failure::Panic(place::<Payload>(task).read())),
            _ => Err(Failure::Cancelled),
        })
    }
}

/// `call_soon`'s closure as a future: ready at its first poll.
pub(super) struct Callback<F>(pub(super) Option<F>);

// The closure is never pinned: it is moved out to be called.
impl<F> Unpin for Callback<F> {}

impl<F: FnOnce()> Future for Callback<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if let Some(code) = self.0.take() {
            code();
        }
        Poll::Ready(())
    }
}
