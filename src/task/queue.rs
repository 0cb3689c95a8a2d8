//! The ready queue: first in, first out, linked through the tasks themselves.
//!
//! A task is in it at most once, which its own link says; so n wakes make one entry (RUST-01), and an entry costs
//! no memory. The queue owns one reference for each.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use super::block::header;
use super::{Header, TaskRef};
use crate::context;

/// Both ends are `None`, or neither is.
#[derive(Default)]
pub(crate) struct Ready {
    first: Cell<Option<NonNull<Header>>>,
    last: Cell<Option<NonNull<Header>>>,
}

impl Ready {
    /// Puts a task behind all others. One that is there already keeps its place.
    #[inline]
    pub(crate) fn push(&self, task: TaskRef) {
        if task.header().is_queued() {
            return;
        }
        // The queue's reference is this one.
        let task = ManuallyDrop::new(task).0;
        // SAFETY: what is linked is alive: the queue owns a reference to it. (ready_queue_owns_what_it_links)
        unsafe { header(task) }.next.set(Some(task));
        match self.last.replace(Some(task)) {
            // SAFETY: likewise.
            Some(before) => unsafe { header(before) }.next.set(Some(task)),
            None => self.first.set(Some(task)),
        }
    }

    #[inline]
    pub(crate) fn pop(&self) -> Option<TaskRef> {
        // The queue's reference goes to the caller.
        let task = TaskRef(self.first.get()?);
        let next = task.header().next.take().filter(|next| *next != task.0);
        self.first.set(next);
        if next.is_none() {
            self.last.set(None);
        }
        Some(task)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.get().is_none()
    }

    /// The task up to which a turn runs. To be compared, not to be followed.
    pub(crate) fn last(&self) -> Option<*const ()> {
        self.last.get().map(|task| task.as_ptr().cast_const().cast())
    }

    pub(crate) fn snapshot(&self) -> Vec<TaskRef> {
        let mut tasks: Vec<TaskRef> = Vec::new();
        let mut next = self.first.get();
        while let Some(task) = next {
            // SAFETY: linked, so alive; the new reference is counted.
            let header = unsafe { header(task) };
            header.add_ref();
            tasks.push(TaskRef(task));
            next = header.next.get().filter(|next| *next != task);
        }
        tasks
    }
}

/// Queues the task if its loop runs on this thread, and says whether that was needed. `None`: the caller goes through
/// the inbox.
///
/// SAFETY: the task is alive.
pub(crate) unsafe fn wake_here(task: NonNull<Header>) -> Option<bool> {
    // SAFETY: by the caller; this field never changes.
    let shared = unsafe { task.as_ref().shared };
    let here = context::here().filter(|here| here.shared == shared)?;
    // SAFETY: this is the task's own thread, so the rest of the header may be touched; and the `Enter` that `here`
    // comes from keeps the ready queue alive. (waker_called_while_thread_locals_are_destroyed)
    let (header, ready) = unsafe { (task.as_ref(), here.ready.as_ref()) };
    // Without a reference on this thread the task is still in the inbox, and its entry there owes it a poll.
    // (task_submitted_and_cancelled_in_one_poll_lives_as_long_as_its_handle)
    let is_queued_now = header.refs.get() > 0 && !header.phase.get().is_over() && !header.is_queued();
    if is_queued_now {
        header.add_ref();
        ready.push(TaskRef(task));
    }
    Some(is_queued_now)
}
