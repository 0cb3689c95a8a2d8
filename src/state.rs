//! The one atomic word of a task: what other threads may know of it, and who keeps its allocation.
//!
//! Everything else in a task belongs to the thread of its loop. The word counts the references that may be on
//! another thread (waker clones, [`RemoteTask`](crate::RemoteTask)s, entries of the inbox), each as one; all
//! references of the loop's own thread together hold *one* more, the share. A task whose count is one can thus be
//! reached from its loop's thread alone, and most tasks live and die without a single locked instruction.
//!
//! ```text
//!                    notify (elsewhere)          adopt / begin_poll
//!   NOTIFIED clear ─────────────────────▶ set ─────────────────────▶ clear
//!                      cancel
//!   CANCEL   clear ─────────────────────▶ set     for ever
//!                      finish
//!   DONE     clear ─────────────────────▶ set     for ever
//!                 drop of the RemoteTask
//!   HANDLE   set   ─────────────────────▶ clear   for ever
//!                     first wait
//!   WAITS    clear ─────────────────────▶ set     for ever
//!                     first waker clone
//!   TAKEN, HELD ────────────────────────▶ set     for ever
//! ```

use crate::sync::{AtomicUsize, Ordering};

/// A wake from outside the running loop has put an entry into the inbox that is still good. Whoever sets it pushes
/// the entry; whoever clears it owes the task a poll.
const NOTIFIED: usize = 1 << 0;
/// The task is to be cancelled instead of polled.
const CANCEL: usize = 1 << 1;
/// The future is gone. What the task left behind no longer changes, and wakes mean nothing.
const DONE: usize = 1 << 2;
/// A `RemoteTask` will take the output, or drop it.
const HANDLE: usize = 1 << 3;
/// A waker has been cloned at least once.
const TAKEN: usize = 1 << 4;
/// The allocation keeps its loop's `Shared` alive. Before the first waker clone it need not: only the loop's own
/// thread can reach the task.
const HELD: usize = 1 << 5;
/// The `RemoteTask` has left a waker. It stays set; whether the waker is still there, the lock over it says.
const WAITS: usize = 1 << 6;
/// One reference.
const ONE: usize = 1 << 7;

/// A count that no program reaches but by leaking wakers; past it the count could overflow into a use after free.
const TOO_MANY: usize = usize::MAX / 2;

pub(crate) struct State(AtomicUsize);

/// What the word said at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Snapshot(usize);

impl Snapshot {
    pub(crate) fn is_notified(self) -> bool {
        self.0 & NOTIFIED != 0
    }

    pub(crate) fn is_cancelled(self) -> bool {
        self.0 & CANCEL != 0
    }

    pub(crate) fn is_done(self) -> bool {
        self.0 & DONE != 0
    }

    pub(crate) fn has_handle(self) -> bool {
        self.0 & HANDLE != 0
    }

    pub(crate) fn waker_was_taken(self) -> bool {
        self.0 & TAKEN != 0
    }

    pub(crate) fn is_held(self) -> bool {
        self.0 & HELD != 0
    }

    pub(crate) fn is_waited_for(self) -> bool {
        self.0 & WAITS != 0
    }

    /// The references beside the share of the loop's own thread, while that share is held.
    pub(crate) fn outside(self) -> usize {
        self.0 / ONE - 1
    }
}

impl State {
    /// Spawned on the loop's own thread: the share, and nothing else.
    pub(crate) fn spawned() -> Self {
        State(AtomicUsize::new(ONE))
    }

    /// The same on a recording loop, where the allocation keeps `Shared` from the start.
    pub(crate) fn recorded() -> Self {
        State(AtomicUsize::new(ONE + HELD))
    }

    /// Sent to the loop: the entry of the inbox, and the `RemoteTask` if there is one.
    pub(crate) fn submitted(with_handle: bool) -> Self {
        let handle = if with_handle { ONE + HANDLE } else { 0 };
        State(AtomicUsize::new(ONE + NOTIFIED + HELD + handle))
    }

    /// SeqCst: the stall check orders it against `Shared::watching`.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot(self.0.load(Ordering::SeqCst))
    }

    /// A wake from outside the running loop. True: the caller puts the task into the inbox.
    ///
    /// AcqRel although the bit may be set already: what the waker's thread wrote before this wake is seen by the
    /// poll that clears the bit, because that poll reads the last of these writes.
    pub(crate) fn notify(&self) -> bool {
        self.0.fetch_or(NOTIFIED, Ordering::AcqRel) & (NOTIFIED | DONE) == 0
    }

    /// Asks for the task to be cancelled; a wake must follow, so that the loop looks. False: it is too late.
    pub(crate) fn cancel(&self) -> bool {
        self.0.fetch_or(CANCEL, Ordering::AcqRel) & DONE == 0
    }

    /// The loop takes an entry over from the inbox.
    pub(crate) fn adopt(&self) -> Snapshot {
        Snapshot(self.0.fetch_and(!NOTIFIED, Ordering::AcqRel))
    }

    /// A poll is about to begin: wakes from now on ask for another. A plain load where nothing came from outside.
    pub(crate) fn begin_poll(&self) -> Snapshot {
        let now = Snapshot(self.0.load(Ordering::Acquire));
        if now.is_notified() { self.adopt() } else { now }
    }

    /// The future is gone. Release: whoever sees the bit sees what the task left behind.
    ///
    /// With a count of one there is no other thread to tell, and a plain store will do: the poll is over, so no
    /// borrowed waker is left either from which a clone could be made.
    #[inline]
    pub(crate) fn finish(&self) -> Snapshot {
        let now = self.0.load(Ordering::Acquire);
        if now / ONE == 1 {
            self.0.store(now | DONE, Ordering::Relaxed);
            return Snapshot(now);
        }
        Snapshot(self.0.fetch_or(DONE, Ordering::AcqRel))
    }

    /// The `RemoteTask` has left a waker. True: too late, the task is over, and the loop may not have seen the waker.
    pub(crate) fn wait(&self) -> bool {
        self.0.fetch_or(WAITS, Ordering::AcqRel) & DONE != 0
    }

    /// The `RemoteTask` goes away. In the answer, `is_done` says that the output is left to it.
    pub(crate) fn drop_handle(&self) -> Snapshot {
        Snapshot(self.0.fetch_and(!HANDLE, Ordering::AcqRel))
    }

    /// +1 for a waker clone. True: the caller must take a reference on `Shared` for the allocation.
    ///
    /// Relaxed, as in `Arc`: a new reference is made from one that is alive.
    pub(crate) fn clone_waker(&self) -> bool {
        let mut now = self.0.load(Ordering::Relaxed);
        loop {
            if now > TOO_MANY {
                // A panic could be caught and repeated until the count wraps.
                std::process::abort();
            }
            let new = (now + ONE) | TAKEN | HELD;
            match self.0.compare_exchange_weak(now, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return now & HELD == 0,
                Err(actual) => now = actual,
            }
        }
    }

    /// +1 for an event on its way to the loop: no waker, so it leaves TAKEN as it is.
    pub(crate) fn add_reference(&self) {
        self.0.fetch_add(ONE, Ordering::Relaxed);
    }

    /// The allocation keeps `Shared` alive from now on. True: the caller must take the reference.
    pub(crate) fn hold(&self) -> bool {
        self.0.fetch_or(HELD, Ordering::Relaxed) & HELD == 0
    }

    /// −1. True: it was the last, and the caller frees the allocation.
    ///
    /// SeqCst rather than AcqRel: the stall check orders it against `Shared::watching`.
    #[must_use]
    pub(crate) fn drop_reference(&self) -> bool {
        self.0.fetch_sub(ONE, Ordering::SeqCst) / ONE == 1
    }

    /// −1 for the share. True: it was the last. A count of one is this very share, and nobody can add to it.
    #[inline]
    #[must_use]
    pub(crate) fn drop_share(&self) -> bool {
        self.0.load(Ordering::Acquire) / ONE == 1 || self.drop_reference()
    }
}
