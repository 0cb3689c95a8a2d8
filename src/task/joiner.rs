//! The place in a task where its joiner waits.

use std::cell::UnsafeCell;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::task::Waker;

use super::block::Front;
use super::{Kind, TaskRef};
use crate::gather::Group;

/// Who is to hear of the end of a task that was spawned on this thread: which field of its [`LocalSlot`] is live.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiter {
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

/// The place in the allocation where a joiner waits.
pub(super) trait Slot {
    const KIND: Kind;
    fn name(&self) -> Option<String> {
        None
    }
}

/// 16 bytes, because it is in every task; which field is live stands in `Header::waiter`.
pub(super) union LocalSlot {
    nobody: (),
    waker: ManuallyDrop<Waker>,
    group: ManuallyDrop<(Rc<Group>, u32)>,
}

pub(super) struct LocalJoiner(UnsafeCell<LocalSlot>);

impl LocalJoiner {
    pub(super) fn new() -> Self {
        LocalJoiner(UnsafeCell::new(LocalSlot { nobody: () }))
    }
}

impl Slot for LocalJoiner {
    const KIND: Kind = Kind::Task;
}

#[repr(C)]
pub(super) struct NamedJoiner {
    pub(super) joiner: LocalJoiner,
    pub(super) name: String,
}

impl Slot for NamedJoiner {
    const KIND: Kind = Kind::Task;
    fn name(&self) -> Option<String> {
        Some(self.name.clone())
    }
}

/// Touched only under the lock `Shared::joining`, which all remote tasks of a loop share: so it is 16 bytes, not 24.
pub(super) struct RemoteJoiner(pub(super) UnsafeCell<Option<Waker>>);

impl Slot for RemoteJoiner {
    const KIND: Kind = Kind::Remote;
}

/// Nobody can wait for a callback.
pub(super) struct NoJoiner;

impl Slot for NoJoiner {
    const KIND: Kind = Kind::Callback;
}

impl TaskRef {
    /// Whether the handle of a task that was spawned here is there, and nobody waits at it.
    pub(crate) fn is_unwatched(&self) -> bool {
        self.header().waiter.get() == Waiter::Nobody
    }

    /// Whether somebody has left a waker, or gathers.
    pub(crate) fn is_waited_for(&self) -> bool {
        matches!(self.header().waiter.get(), Waiter::Waker | Waiter::Group)
    }

    fn local_slot(&self) -> Option<*mut LocalSlot> {
        // SAFETY: the kind says what the joiner is; `NamedJoiner` begins with a `LocalJoiner`.
        (self.kind() == Kind::Task).then(|| unsafe { (*self.0.cast::<Front<LocalJoiner>>().as_ptr()).joiner.0.get() })
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
        match (self.header().waiter.get(), self.local_slot()) {
            (Waiter::Waker, Some(slot)) => {
                // SAFETY: as in `replace_joiner`; `code` is the loop's own and changes no joiner.
                let waker: &ManuallyDrop<Waker> = unsafe { &(*slot).waker };
                code(Some(waker), None)
            }
            (Waiter::Group, Some(slot)) => {
                // SAFETY: likewise.
                let group: &ManuallyDrop<(Rc<Group>, u32)> = unsafe { &(*slot).group };
                code(None, Some(&group.0))
            }
            _ => code(None, None),
        }
    }
}
