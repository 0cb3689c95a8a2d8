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

use std::cell::{Cell, UnsafeCell};
use std::future::{Future, Pending};
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, offset_of};
use std::panic::Location;
use std::pin::Pin;
use std::ptr::NonNull;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::gather::Group;
use crate::report::TaskInfo;
use crate::shared::Shared;
use crate::state::{Snapshot, State};
use crate::sync::{Arc, Mutex};
use crate::unwind::{Payload, catch};
use crate::{context, waker};

#[repr(C)]
pub(crate) struct Header {
    pub(crate) state: State,
    vtable: &'static Vtable,
    /// Valid while the loop is open, and after that while the `HELD` bit is set: the allocation then owns a
    /// reference. An unfinished task always has one or the other, because closing the loop finishes every task.
    shared: NonNull<Shared>,
    pub(crate) spawned_at: &'static Location<'static>,
    // From here on: the loop's own thread only.
    pub(crate) id: Cell<u64>,
    refs: Cell<u32>,
    /// Where the loop keeps the task while it waits, or `NO_SLOT`.
    pub(crate) slot: Cell<u32>,
    pub(crate) polls: Cell<u32>,
    pub(crate) phase: Cell<Phase>,
    /// In the ready queue, which holds one reference for it.
    pub(crate) queued: Cell<bool>,
    /// Output or payload are no longer here.
    taken: Cell<bool>,
    waiter: Cell<Waiter>,
}

impl Header {
    pub(crate) fn kind(&self) -> Kind {
        self.vtable.kind
    }
}

pub(crate) const NO_SLOT: u32 = u32::MAX;

/// What is in the allocation. `Pending` and `Running`: the future.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    Pending,
    Running,
    Finished,
    Panicked,
    Cancelled,
}

impl Phase {
    pub(crate) fn is_over(self) -> bool {
        !matches!(self, Phase::Pending | Phase::Running)
    }
}

/// Who is to hear of the end of a task that was spawned here: what [`LocalJoiner`] holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waiter {
    Detached,
    Nobody,
    Waker,
    Group,
}

/// The same in one value.
pub(crate) enum Joiner {
    /// No handle is left: the output is nobody's.
    Detached,
    Nobody,
    Waker(Waker),
    /// The task is this child of a gather.
    Group(Rc<Group>, u32),
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

struct Vtable {
    kind: Kind,
    stage: usize,
    poll: unsafe fn(NonNull<Header>, &mut Context<'_>) -> Poll<Option<Payload>>,
    drop_future: unsafe fn(NonNull<Header>) -> Option<Payload>,
    drop_output: unsafe fn(NonNull<Header>) -> Option<Payload>,
    name: unsafe fn(NonNull<Header>) -> Option<String>,
    free: unsafe fn(NonNull<Header>),
}

/// The place in the allocation where a joiner waits.
trait Slot {
    const KIND: Kind;
    fn name(&self) -> Option<String> {
        None
    }
}

/// 16 bytes, because it is in every task; which field is live stands in `Header::waiter`.
union LocalSlot {
    nobody: (),
    waker: ManuallyDrop<Waker>,
    group: ManuallyDrop<(Rc<Group>, u32)>,
}

struct LocalJoiner(UnsafeCell<LocalSlot>);

impl Slot for LocalJoiner {
    const KIND: Kind = Kind::Task;
}

#[repr(C)]
struct NamedJoiner {
    joiner: LocalJoiner,
    name: String,
}

impl Slot for NamedJoiner {
    const KIND: Kind = Kind::Task;
    fn name(&self) -> Option<String> {
        Some(self.name.clone())
    }
}

type RemoteJoiner = Mutex<Option<Waker>>;

impl Slot for RemoteJoiner {
    const KIND: Kind = Kind::Remote;
}

/// Nobody can wait for a callback.
struct NoJoiner;

impl Slot for NoJoiner {
    const KIND: Kind = Kind::Callback;
}

/// Which field is live stands in `Header::phase` and `Header::taken`.
union Stage<F: Future> {
    future: ManuallyDrop<F>,
    output: ManuallyDrop<F::Output>,
    panic: ManuallyDrop<Payload>,
}

/// `repr(C)`: a pointer to the block is a pointer to its header, and the joiner lies behind that at the same place
/// for every future.
#[repr(C)]
struct Block<J, F: Future> {
    header: Header,
    joiner: J,
    stage: UnsafeCell<Stage<F>>,
}

/// What is known of a block without its future's type.
#[repr(C)]
struct Front<J> {
    header: Header,
    joiner: J,
}

impl<J: Slot, F: Future> Block<J, F> {
    const VTABLE: Vtable = Vtable {
        kind: J::KIND,
        stage: offset_of!(Self, stage),
        poll: Self::poll,
        drop_future: Self::drop_future,
        drop_output: Self::drop_output,
        name: Self::name,
        free: Self::free,
    };

    fn allocate(joiner: J, future: F, seed: Seed<'_>) -> NonNull<Header> {
        let block = Box::new(Block {
            header: Header {
                state: seed.state,
                vtable: &Self::VTABLE,
                shared: shared_pointer(seed.shared),
                spawned_at: seed.spawned_at,
                id: Cell::new(seed.id),
                refs: Cell::new(seed.refs),
                slot: Cell::new(NO_SLOT),
                polls: Cell::new(0),
                phase: Cell::new(Phase::Pending),
                queued: Cell::new(false),
                taken: Cell::new(false),
                waiter: Cell::new(seed.waiter),
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
        // SAFETY: by the caller; the phase is set first, so that whatever the destructor does finds no future.
        // (cancelled_future_is_dropped_once)
        unsafe {
            task.as_ref().phase.set(Phase::Cancelled);
            let future = &raw mut (*Self::stage(task)).future;
            catch(|| ManuallyDrop::drop(&mut *future)).err()
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
        unsafe { (*(&raw const (*task.cast::<Self>().as_ptr()).joiner)).name() }
    }

    /// SAFETY: `task` is a block of this type that nothing refers to any more, its stage dropped or taken.
    unsafe fn free(task: NonNull<Header>) {
        // SAFETY: by the caller; it came from a box. The stage, a union, drops nothing.
        drop(unsafe { Box::from_raw(task.cast::<Self>().as_ptr()) });
    }
}

/// What a new header is made from.
struct Seed<'a> {
    state: State,
    shared: &'a Arc<Shared>,
    spawned_at: &'static Location<'static>,
    id: u64,
    refs: u32,
    waiter: Waiter,
}

/// How a loop is told from another: by the address of its `Shared`, which no other can have while a task keeps it.
pub(crate) fn shared_pointer(shared: &Arc<Shared>) -> NonNull<Shared> {
    NonNull::new(Arc::as_ptr(shared).cast_mut()).expect("an Arc is never null")
}

/// What every kind of reference can read: the header.
///
/// SAFETY: the caller holds a reference to the task for as long as it uses the answer.
unsafe fn header<'a>(task: NonNull<Header>) -> &'a Header {
    // SAFETY: by the caller.
    unsafe { task.as_ref() }
}

/// The loop's `Shared`, with a reference of its own that outlives the task.
///
/// SAFETY: the task is alive, and is either unfinished or has its `HELD` bit set.
unsafe fn shared_of(task: NonNull<Header>) -> Arc<Shared> {
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

/// Frees the allocation.
///
/// SAFETY: the last reference has just been given up, by this thread.
unsafe fn free(task: NonNull<Header>) {
    // SAFETY: by the caller nobody else can reach the task. What the HELD bit stands for is given back last, since
    // it may be the end of `Shared`. (waker_outlives_its_loop, leaks counted in tests/ledger.rs)
    unsafe {
        let held = task.as_ref().state.snapshot().is_held().then(|| Arc::from_raw(task.as_ref().shared.as_ptr()));
        (task.as_ref().vtable.free)(task);
        drop(held);
    }
}

/// Queues the task if its loop runs on this thread. False: the caller goes through the inbox.
///
/// SAFETY: the task is alive.
pub(crate) unsafe fn wake_here(task: NonNull<Header>) -> bool {
    // SAFETY: by the caller; the other fields are touched only after `with_loop` has found that this is their
    // thread.
    let shared = unsafe { task.as_ref().shared };
    context::with_loop(shared, |ready| {
        // SAFETY: as above: this is the loop's own thread.
        let header = unsafe { task.as_ref() };
        if !header.phase.get().is_over() && !header.queued.replace(true) {
            header.refs.set(header.refs.get() + 1);
            ready.push(TaskRef(task));
        }
    })
}

/// A reference on the loop's own thread.
pub(crate) struct TaskRef(NonNull<Header>);

impl TaskRef {
    pub(crate) fn root(shared: &Arc<Shared>, id: u64, spawned_at: &'static Location<'static>) -> Self {
        let joiner = LocalJoiner(UnsafeCell::new(LocalSlot { nobody: () }));
        let seed = Seed { state: State::spawned(), shared, spawned_at, id, refs: 1, waiter: Waiter::Detached };
        TaskRef(Block::allocate(joiner, std::future::pending::<()>() as Pending<()>, seed))
    }

    pub(crate) fn callback(
        shared: &Arc<Shared>,
        code: impl FnOnce() + 'static,
        spawned_at: &'static Location<'static>,
    ) -> Self {
        let seed = Seed { state: State::spawned(), shared, spawned_at, id: 0, refs: 1, waiter: Waiter::Detached };
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
            // and `Local::run`, which set it, is the only caller and skips a task that runs already.
            unsafe { (self.header().vtable.poll)(self.0, &mut Context::from_waker(waker)) }
        })
    }

    /// Drops the future in place. The phase must be `Pending`. A panic of its destructor becomes the task's own.
    pub(crate) fn drop_future(&self) {
        assert!(self.header().phase.get() == Phase::Pending, "only a task that waits has a future to drop");
        // SAFETY: the phase is `Pending`, and a `TaskRef` is on the loop's thread.
        if let Some(payload) = unsafe { (self.header().vtable.drop_future)(self.0) } {
            self.keep_panic(payload);
        }
    }

    fn keep_panic(&self, payload: Payload) {
        // SAFETY: the future is dropped, its place is free and large enough for a payload.
        unsafe { self.place::<ManuallyDrop<Payload>>().write(ManuallyDrop::new(payload)) };
        self.header().phase.set(Phase::Panicked);
    }

    fn place<T>(&self) -> *mut T {
        place(self.0)
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
            Phase::Panicked => Some(unsafe { ManuallyDrop::into_inner(self.place::<ManuallyDrop<Payload>>().read()) }),
            _ => None,
        }
    }

    /// Tells a `RemoteTask` that its result is there.
    pub(crate) fn take_remote_waker(&self) -> Option<Waker> {
        assert!(self.kind() == Kind::Remote, "only a submitted task has a remote joiner");
        // SAFETY: the kind says what the joiner is.
        unsafe { remote_joiner(self.0) }.lock().take()
    }

    fn local_slot(&self) -> Option<*mut LocalSlot> {
        // SAFETY: the kind says what the joiner is; `NamedJoiner` begins with a `LocalJoiner`.
        (self.kind() == Kind::Task)
            .then(|| unsafe { (*(&raw const (*self.0.cast::<Front<LocalJoiner>>().as_ptr()).joiner)).0.get() })
    }

    /// Moves out whoever waits, and leaves `next` there.
    pub(crate) fn replace_joiner(&self, next: Joiner) -> Joiner {
        let (Some(slot), waiter) = (self.local_slot(), &self.header().waiter) else { return Joiner::Detached };
        // SAFETY: `waiter` names the live field, and is set to the one written. A `TaskRef` is on the loop's thread,
        // and no code of the user's runs in here. (joiner_of_each_kind_is_dropped_once)
        unsafe {
            let before = match waiter.get() {
                Waiter::Detached => Joiner::Detached,
                Waiter::Nobody => Joiner::Nobody,
                Waiter::Waker => Joiner::Waker(ManuallyDrop::into_inner((&raw const (*slot).waker).read())),
                Waiter::Group => {
                    let (group, index) = ManuallyDrop::into_inner((&raw const (*slot).group).read());
                    Joiner::Group(group, index)
                }
            };
            waiter.set(match next {
                Joiner::Detached => Waiter::Detached,
                Joiner::Nobody => Waiter::Nobody,
                Joiner::Waker(waker) => {
                    (&raw mut (*slot).waker).write(ManuallyDrop::new(waker));
                    Waiter::Waker
                }
                Joiner::Group(group, index) => {
                    (&raw mut (*slot).group).write(ManuallyDrop::new((group, index)));
                    Waiter::Group
                }
            });
            before
        }
    }

    /// Lets `code` look at the waker that waits for this task, or for the gather that it is a child of.
    pub(crate) fn with_joiner<R>(&self, code: impl FnOnce(Option<&Waker>, Option<&Group>) -> R) -> R {
        // SAFETY: as in `replace_joiner`; `code` is the loop's own and changes no joiner.
        match (self.header().waiter.get(), self.local_slot()) {
            (Waiter::Waker, Some(slot)) => code(Some(unsafe { &*(&raw const (*slot).waker) }), None),
            (Waiter::Group, Some(slot)) => {
                // SAFETY: likewise.
                let group: &(Rc<Group>, u32) = unsafe { &*(&raw const (*slot).group) };
                code(None, Some(&group.0))
            }
            _ => code(None, None),
        }
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
    pub(crate) fn cancel(&self) -> bool {
        if self.header().phase.get().is_over() {
            return false;
        }
        self.header().state.cancel();
        self.with_waker(Waker::wake_by_ref);
        true
    }
}

impl Clone for TaskRef {
    fn clone(&self) -> Self {
        let refs = &self.header().refs;
        refs.set(refs.get() + 1);
        TaskRef(self.0)
    }
}

impl Drop for TaskRef {
    fn drop(&mut self) {
        let header = self.header();
        let left = header.refs.get() - 1;
        if left == 0 && !header.phase.get().is_over() {
            // A task that was never handed to a loop. Its destructor may make references and drop them again.
            self.drop_future();
            if let Some(payload) = self.drop_outcome() {
                crate::unwind::discard(payload);
            }
        }
        header.refs.set(header.refs.get() - 1);
        // SAFETY: the last reference of this thread gives the share back, and whoever gave up the last reference of
        // all frees. `self` is not used again.
        if left == 0 && header.state.drop_share() {
            unsafe { free(self.0) };
        }
    }
}

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
        if header.refs.get() == 0 && header.id.get() == 0 && header.vtable.kind == Kind::Remote {
            header.id.set(number());
        }
        let stale = !header.state.adopt().is_notified() || header.phase.get().is_over();
        if stale || header.queued.replace(true) {
            return None;
        }
        header.refs.set(header.refs.get() + 1);
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
                crate::unwind::discard(payload);
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
        if context::is_loop(task.as_ref().shared) {
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

/// SAFETY: the task is alive and of `Kind::Remote`.
unsafe fn remote_joiner<'a>(task: NonNull<Header>) -> &'a RemoteJoiner {
    // SAFETY: by the caller; the place is the same for every future.
    unsafe { &(*task.cast::<Front<RemoteJoiner>>().as_ptr()).joiner }
}

fn place<T>(task: NonNull<Header>) -> *mut T {
    // SAFETY: the offset is that of the stage of this very block, so it stays inside the allocation.
    unsafe { task.as_ptr().byte_add(task.as_ref().vtable.stage).cast() }
}

/// Takes what became of a task.
///
/// SAFETY: the task is alive and over, its output is of type `T`, and the caller has the right to it.
unsafe fn take<T>(task: NonNull<Header>) -> Option<Result<T, Failure>> {
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
        let seed = Seed { state: State::spawned(), shared, spawned_at, id, refs: 1, waiter: Waiter::Nobody };
        let joiner = LocalJoiner(UnsafeCell::new(LocalSlot { nobody: () }));
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
        let task = Block::allocate(RemoteJoiner::default(), future, seed);
        (Outside(task), TypedOutside { task: Outside(task), output: PhantomData })
    }

    pub(crate) fn is_done(&self) -> bool {
        self.task.state().snapshot().is_done()
    }

    /// Leaves a waker for the end of the task. False: the end has come.
    pub(crate) fn wait_with(&self, waker: &Waker) -> bool {
        // SAFETY: `new` made it a remote task.
        let joiner = unsafe { remote_joiner(self.task.0) };
        if matches!(&*joiner.lock(), Some(waiting) if waiting.will_wake(waker)) {
            return !self.is_done();
        }
        let new = waker.clone();
        let mut slot = joiner.lock();
        if self.is_done() {
            drop(slot);
            return false;
        }
        // Under the lock and before DONE: the loop, which sets DONE first and looks here afterwards, finds it.
        let before = slot.replace(new);
        drop(slot);
        drop(before);
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
        // SAFETY: `new` made it a remote task.
        let waiting = unsafe { remote_joiner(self.task.0) }.lock().take();
        drop(waiting);
        let done = self.task.state().drop_handle().is_done();
        // SAFETY: over; the loop saw HANDLE and left the output here.
        if done { unsafe { take(self.task.0) } } else { None }
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

/// `call_soon`'s closure as a future: ready at its first poll.
struct Callback<F>(Option<F>);

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

/// What the word says, for those who only look.
pub(crate) fn snapshot(task: &TaskRef) -> Snapshot {
    task.header().state.snapshot()
}
