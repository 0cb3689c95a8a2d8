//! Which loop runs on this thread, and the free functions that ask for it.

use std::cell::RefCell;
use std::ptr::NonNull;
use std::rc::Rc;

use crate::local::{Local, Ready};
use crate::shared::Shared;
use crate::task::shared_pointer;

thread_local! {
    static CURRENT: RefCell<Option<Rc<Local>>> = const { RefCell::new(None) };
}

/// Runs `code` on the ready queue of the loop that `shared` belongs to, if that loop runs on this thread. False also
/// while the thread's locals are being destroyed.
pub(crate) fn with_loop(shared: NonNull<Shared>, code: impl FnOnce(&Ready)) -> bool {
    CURRENT
        .try_with(|current| match &*current.borrow() {
            Some(local) if shared_pointer(&local.shared) == shared => {
                code(&local.ready);
                true
            }
            _ => false,
        })
        .unwrap_or(false)
}

/// Whether the loop that `shared` belongs to runs on this thread.
pub(crate) fn is_loop(shared: NonNull<Shared>) -> bool {
    with_loop(shared, |_| {})
}

/// The loop that runs on this thread.
pub(crate) fn current() -> Option<Rc<Local>> {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// The same, for a function that makes no sense without.
#[track_caller]
pub(crate) fn expect_current(function: &str) -> Rc<Local> {
    match current() {
        Some(local) => local,
        None => panic!("{function} needs a running loop: call it inside handloop::run or EventLoop::run_until_complete"),
    }
}

/// While it lives, its loop is the current one of this thread. It restores what was before on every way out.
pub(crate) struct Enter {
    before: Option<Rc<Local>>,
}

impl Enter {
    pub(crate) fn new(local: &Rc<Local>) -> Self {
        Enter { before: replace(Some(local.clone())) }
    }
}

impl Drop for Enter {
    fn drop(&mut self) {
        drop(replace(self.before.take()));
    }
}

/// A loop may be closed while its thread ends and has no locals any more; then there is nothing to replace.
fn replace(next: Option<Rc<Local>>) -> Option<Rc<Local>> {
    CURRENT.try_with(|current| current.replace(next)).ok().flatten()
}
