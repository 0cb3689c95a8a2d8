//! Handles of tasks that are not there: a check says when each of them ends, and with what.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::endless::count;

/// No poll of a check makes so many polls of handles; past it they are ended from within.
pub const TOO_MANY: usize = 100_000;

/// What all handles of a run have seen.
#[derive(Default)]
pub struct Log {
    /// In this poll of the gather.
    polls: Cell<usize>,
    /// The numbers of those that were polled in it.
    pub asked: RefCell<Vec<usize>>,
    /// The first that was polled after it had given its outcome.
    pub late: Cell<Option<usize>>,
    /// How many have given theirs.
    pub given: Cell<usize>,
}

impl Log {
    /// A poll of the gather begins.
    pub fn begin_poll(&self) {
        self.polls.set(0);
        self.asked.take();
    }
}

/// The handle of a task.
pub struct Task<T>(Rc<Slot<T>>);

pub struct Slot<T> {
    pub number: usize,
    outcome: RefCell<Option<T>>,
    pub has_given: Cell<bool>,
    waiter: RefCell<Option<Waker>>,
    log: Rc<Log>,
}

impl<T> Task<T> {
    pub fn new(number: usize, log: &Rc<Log>) -> (Self, Rc<Slot<T>>) {
        let slot = Slot {
            number,
            outcome: RefCell::new(None),
            has_given: Cell::new(false),
            waiter: RefCell::new(None),
            log: log.clone(),
        };
        let slot = Rc::new(slot);
        (Task(slot.clone()), slot)
    }
}

impl<T> Slot<T> {
    pub fn end(&self, outcome: T) {
        self.outcome.replace(Some(outcome));
        let waiter = self.waiter.take();
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }
}

impl<T> Future for Task<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Task(slot) = self.get_mut();
        count(&slot.log.polls, TOO_MANY);
        slot.log.asked.borrow_mut().push(slot.number);
        if slot.has_given.get() {
            slot.log.late.set(slot.log.late.get().or(Some(slot.number)));
            return Poll::Pending;
        }
        if let Some(outcome) = slot.outcome.take() {
            slot.has_given.set(true);
            slot.log.given.set(slot.log.given.get() + 1);
            return Poll::Ready(outcome);
        }
        let old = slot.waiter.replace(Some(context.waker().clone()));
        drop(old);
        Poll::Pending
    }
}
