//! Which loop runs on this thread, and the free functions that ask for it.

use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::ptr::NonNull;
use std::rc::Rc;
use std::time::Instant;

use crate::handle::LoopHandle;
use crate::join::Task;
use crate::local::Local;
use crate::shared::Shared;
use crate::task::{Ready, shared_pointer};

thread_local! {
    static CURRENT: RefCell<Option<Rc<Local>>> = const { RefCell::new(None) };
    /// The same for a wake, which must be short: two addresses, and nothing to destroy when the thread ends.
    static HERE: Cell<Option<Here>> = const { Cell::new(None) };
}

/// The loop that runs on this thread, by its address, and its ready queue.
#[derive(Clone, Copy)]
pub(crate) struct Here {
    pub(crate) shared: NonNull<Shared>,
    /// Alive while this is what [`here`] returns: the [`Enter`] that put it there keeps the loop.
    pub(crate) ready: NonNull<Ready>,
}

/// What the innermost [`Enter`] of this thread stands for.
pub(crate) fn here() -> Option<Here> {
    HERE.try_with(Cell::get).ok().flatten()
}

/// Whether the loop that `shared` belongs to runs on this thread.
pub(crate) fn is_loop(shared: *const Shared) -> bool {
    here().is_some_and(|here| here.shared.as_ptr().cast_const() == shared)
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
        None => {
            panic!("{function} needs a running loop: call it inside handloop::run or EventLoop::run_until_complete")
        }
    }
}

/// While it lives, its loop is the current one of this thread. It restores what was before on every way out.
pub(crate) struct Enter {
    local: Rc<Local>,
    before: (Option<Rc<Local>>, Option<Here>),
}

impl Enter {
    pub(crate) fn new(local: &Rc<Local>) -> Self {
        let here = Here { shared: shared_pointer(&local.shared), ready: NonNull::from(&local.ready) };
        let before = (replace(Some(local.clone())), self::here());
        set_here(Some(here));
        Enter { local: local.clone(), before }
    }
}

impl Drop for Enter {
    fn drop(&mut self) {
        set_here(self.before.1);
        drop(replace(self.before.0.take()));
        // A stop that came too late for this run is not meant for the next (LOOP-20).
        self.local.is_running.set(false);
        self.local.stopping.set(false);
        let mut inbox = self.local.shared.lock();
        (inbox.stop, inbox.is_running) = (false, false);
        let alarm = std::mem::take(&mut inbox.alarm);
        drop(inbox);
        if alarm {
            self.local.shared.timers.wake_due();
        }
    }
}

// A loop may be closed while its thread ends and has no locals any more; then there is nothing to replace.

fn set_here(here: Option<Here>) {
    let _ = HERE.try_with(|cell| cell.set(here));
}

fn replace(next: Option<Rc<Local>>) -> Option<Rc<Local>> {
    CURRENT.try_with(|current| current.replace(next)).ok().flatten()
}

/// Makes a task of `future` in the running loop; it is first polled in the next turn (TASK-01). It is
/// `asyncio.create_task`. While the loop closes, the task is cancelled at once.
///
/// # Panics
/// Outside a running loop (TASK-02); there, use [`EventLoop::spawn`](crate::EventLoop::spawn).
///
/// ```
/// handloop::run(async {
///     let task = handloop::spawn(async { "done" });
///     assert_eq!(task.await.unwrap(), "done");
/// });
/// ```
#[track_caller]
pub fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Task<T> {
    Task::new(expect_current("spawn").spawn(future, None, Location::caller()))
}

/// [`spawn`] with a name in place of `Task-N`. It is `asyncio.create_task(…, name=…)` (TASK-04).
///
/// # Panics
/// Outside a running loop.
///
/// ```
/// handloop::run(async {
///     let task = handloop::spawn_named("fetch", async {});
///     assert_eq!(task.name(), "fetch");
///     task.await.unwrap();
/// });
/// ```
#[track_caller]
pub fn spawn_named<T: 'static>(name: impl Into<String>, future: impl Future<Output = T> + 'static) -> Task<T> {
    Task::new(expect_current("spawn_named").spawn(future, Some(name.into()), Location::caller()))
}

/// What the running loop's clock shows. It is `loop.time`.
///
/// # Panics
/// Outside a running loop.
///
/// ```
/// handloop::run(async {
///     let start = handloop::time();
///     assert!(handloop::time() >= start);
/// });
/// ```
#[track_caller]
pub fn time() -> Instant {
    expect_current("time").shared.now()
}

impl LoopHandle {
    /// The loop that runs on this thread; `None` outside. It is `asyncio.get_running_loop` (LOOP-15).
    ///
    /// ```
    /// assert!(handloop::LoopHandle::current().is_none());
    /// handloop::run(async { assert!(handloop::LoopHandle::current().is_some()) });
    /// ```
    pub fn current() -> Option<LoopHandle> {
        current().map(|local| LoopHandle::new(local.shared.clone()))
    }
}
