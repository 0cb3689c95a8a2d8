//! The event loop as its user sees it, and the free functions of a running one.

use std::fmt;
use std::panic::Location;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::builder::Builder;
use crate::callback::{Handle, LoopClosed};
use crate::context::{self, Enter};
use crate::handle::LoopHandle;
use crate::join::Task;
use crate::local::Local;
use crate::record::What;
use crate::report::{Report, TaskInfo};
use crate::stall::StallReport;
use crate::task::TaskRef;
use crate::turn::Root;

/// An event loop, `asyncio`'s `new_event_loop()`: it runs tasks and callbacks on the thread that made it.
///
/// It is neither `Send` nor `Sync` (LOOP-19, TSAFE-02, case 110): other threads have a [`LoopHandle`]. Every method
/// takes `&self`. Dropping it closes it.
///
/// ```
/// let event_loop = handloop::EventLoop::new();
/// let sum = event_loop.run_until_complete(async {
///     let (a, b) = (handloop::spawn(async { 1 }), handloop::spawn(async { 2 }));
///     a.await.unwrap() + b.await.unwrap()
/// });
/// assert_eq!(sum, 3);
/// ```
pub struct EventLoop {
    local: Rc<Local>,
}

/// Why [`EventLoop::try_run_until_complete`] returned without the future's output.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RunError {
    /// Somebody called `stop` (LOOP-05).
    Stopped,
    /// Nothing is left that could wake the loop.
    Stalled(StallReport),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Stopped => f.write_str("The event loop was stopped before its future completed."),
            RunError::Stalled(report) => report.fmt(f),
        }
    }
}

impl std::error::Error for RunError {}

impl Default for EventLoop {
    fn default() -> Self {
        Self::new()
    }
}

impl EventLoop {
    /// A loop with a real clock, which reports to stderr.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// See [`Builder`].
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn from_local(local: Rc<Local>) -> Self {
        EventLoop { local }
    }

    /// Runs the loop until `future` is done, and returns its output. It is `loop.run_until_complete`.
    ///
    /// The future may borrow, and need not be `Send` (case 11). It is the loop's next task (`Task-1` at first). When
    /// it is done the turn is finished; tasks that are not done stay, and go on in the next run (LOOP-03, LOOP-16).
    ///
    /// # Panics
    /// If the loop is closed, this thread already runs a loop, `future` panics, somebody stops the loop first, or
    /// the loop stalls; then the text is the [`StallReport`]. A future given by value is dropped; to go on with it
    /// later, pass `pin!(future)` as `.as_mut()`, or `&mut task`.
    ///
    /// ```
    /// let event_loop = handloop::EventLoop::new();
    /// let text = String::from("borrowed");
    /// assert_eq!(event_loop.run_until_complete(async { text.len() }), 8);
    /// ```
    #[track_caller]
    pub fn run_until_complete<F: Future>(&self, future: F) -> F::Output {
        match self.try_run_until_complete(future) {
            Ok(output) => output,
            Err(error) => panic!("{error}"),
        }
    }

    /// The same, and a loop that was stopped or is stalled is an error (LOOP-05).
    ///
    /// # Errors
    /// [`RunError::Stopped`] or [`RunError::Stalled`].
    ///
    /// # Panics
    /// If the loop is closed, this thread already runs a loop, or `future` panics.
    ///
    /// ```
    /// let event_loop = handloop::EventLoop::new();
    /// let error = event_loop.try_run_until_complete(std::future::pending::<()>()).unwrap_err();
    /// assert!(matches!(error, handloop::RunError::Stalled(_)));
    /// ```
    #[track_caller]
    pub fn try_run_until_complete<F: Future>(&self, future: F) -> Result<F::Output, RunError> {
        // Dropped last, so that while the future is dropped this is still the current loop: its destructors may spawn.
        let _current = self.enter();
        let mut output = None;
        let ran = {
            let mut future = pin!(async { output = Some(future.await) });
            let task = RootTask::new(&self.local, std::any::type_name::<F>(), Location::caller());
            self.local.drive(Some(&mut Root { task: task.task.clone(), future: future.as_mut(), is_done: false }))
        };
        match output {
            Some(output) => Ok(output),
            None => Err(ran.expect_err("a root that is done has an output")),
        }
    }

    /// Runs the loop until somebody calls `stop`. It is `loop.run_forever`. A loop that was stopped before runs
    /// exactly one turn (LOOP-06). A loop that stalls reports that and returns.
    ///
    /// # Panics
    /// If the loop is closed, or this thread already runs a loop.
    ///
    /// ```
    /// let event_loop = handloop::EventLoop::new();
    /// let handle = event_loop.handle();
    /// let thread = std::thread::spawn(move || handle.stop());
    /// event_loop.run_forever();
    /// thread.join().unwrap();
    /// ```
    #[track_caller]
    pub fn run_forever(&self) {
        let _current = self.enter();
        if let Err(RunError::Stalled(report)) = self.local.drive(None) {
            self.local.shared.report(&Report::Stalled(report));
        }
    }

    /// Runs one turn and never blocks: what is ready now, what other threads have sent, the timers that are due. True
    /// if anything ran. A virtual clock stays where it is: `while event_loop.run_once() {}` settles one moment.
    ///
    /// # Panics
    /// If the loop is closed, or this thread already runs a loop.
    ///
    /// ```
    /// let event_loop = handloop::EventLoop::new();
    /// assert!(!event_loop.run_once());
    /// drop(event_loop.spawn(async {}));
    /// assert!(event_loop.run_once());
    /// ```
    #[track_caller]
    pub fn run_once(&self) -> bool {
        let _current = self.enter();
        self.local.turn(None)
    }

    /// Ends the current run after its turn, or the next one after one turn. It is `loop.stop` (LOOP-06, LOOP-07).
    #[track_caller]
    pub fn stop(&self) {
        self.local.stopping.set(true);
        let at = Location::caller();
        self.local.record_by(|_, by| What::StopAsked { by }.at(at));
    }

    /// Makes a task of `future`; it is first polled in the next turn, of this run or a later one (TASK-01, TASK-02).
    /// On a closed loop the task is cancelled at once.
    #[track_caller]
    pub fn spawn<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> Task<T> {
        Task::new(self.local.spawn(future, None, Location::caller()))
    }

    /// [`call_soon`](crate::call_soon) for a loop that need not be running yet.
    ///
    /// # Errors
    /// [`LoopClosed`] gives the callback back.
    #[track_caller]
    pub fn call_soon<F: FnOnce() + 'static>(&self, callback: F) -> Result<Handle, LoopClosed<F>> {
        self.local.call_soon(callback, Location::caller())
    }

    /// [`call_later`](crate::call_later) for a loop that need not be running yet.
    ///
    /// # Errors
    /// [`LoopClosed`] gives the callback back.
    #[track_caller]
    pub fn call_later<F: FnOnce() + 'static>(&self, delay: Duration, f: F) -> Result<Handle, LoopClosed<F>> {
        self.local.call_later(delay, f, Location::caller())
    }

    /// [`call_at`](crate::call_at) for a loop that need not be running yet.
    ///
    /// # Errors
    /// [`LoopClosed`] gives the callback back.
    #[track_caller]
    pub fn call_at<F: FnOnce() + 'static>(&self, when: Instant, callback: F) -> Result<Handle, LoopClosed<F>> {
        self.local.call_at(Some(when), callback, Location::caller())
    }

    /// What the loop's clock shows. It is `loop.time` (TIME-14): it never goes back. Also on a closed loop.
    pub fn time(&self) -> Instant {
        self.local.shared.now()
    }

    /// The unfinished tasks, oldest first. It is `asyncio.all_tasks(loop)` (TASK-11).
    pub fn all_tasks(&self) -> Vec<TaskInfo> {
        self.local.all_tasks()
    }

    /// What other threads reach this loop by. While one is alive the loop is never stalled, since it may yet submit.
    pub fn handle(&self) -> LoopHandle {
        LoopHandle::new(self.local.shared.clone())
    }

    /// Whether it is running at this moment (LOOP-01).
    pub fn is_running(&self) -> bool {
        self.local.is_running.get()
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        self.local.closed.get()
    }

    /// Cancels every task in the order in which they were spawned, drops callbacks and timers without running them
    /// (LOOP-10), and joins the timer thread and the jobs of `run_in_executor`, which may take as long as the longest
    /// of them. Everybody who waits for one of its tasks, on whatever thread, is told (RCT-10). Again: nothing.
    ///
    /// # Panics
    /// If it is running (LOOP-08).
    #[track_caller]
    pub fn close(&self) {
        assert!(!self.is_running(), "a running event loop cannot be closed: stop it, and close it after its run");
        self.local.close();
    }

    #[track_caller]
    fn enter(&self) -> Enter {
        assert!(!self.is_closed(), "the event loop is closed: make a new one to run anything");
        assert!(!self.is_running(), "this event loop is already running: await the future, or spawn it");
        assert!(
            context::current().is_none(),
            "another event loop is running on this thread: await the future there, or run this loop in another thread"
        );
        self.local.is_running.set(true);
        self.local.shared.lock().is_running = true;
        Enter::new(&self.local)
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        self.local.close();
    }
}

/// The task of a root future. When the run ends, on whatever way, its wakers wake nothing any more.
struct RootTask<'a> {
    local: &'a Local,
    task: TaskRef,
}

impl<'a> RootTask<'a> {
    fn new(local: &'a Local, function: &'static str, at: &'static Location<'static>) -> Self {
        let task = TaskRef::root(&local.shared, local.next_id(), at);
        local.keep(task.clone());
        local.ready.push(task.clone());
        local.record_spawned(&task, None, function, true);
        RootTask { local, task }
    }
}

impl Drop for RootTask<'_> {
    fn drop(&mut self) {
        self.local.end_root(&self.task);
    }
}

/// Runs `future` on a new loop, then closes the loop, which cancels what is left (RUN-01). It is `asyncio.run`.
///
/// # Panics
/// As [`EventLoop::run_until_complete`]; inside a running loop (RUN-02).
///
/// ```
/// assert_eq!(handloop::run(async { 42 }), 42);
/// ```
#[track_caller]
pub fn run<F: Future>(future: F) -> F::Output {
    EventLoop::new().run_until_complete(future)
}

shows! { EventLoop { is_running, is_closed } }
