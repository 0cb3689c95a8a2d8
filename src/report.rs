//! What a loop reports instead of hanging, slowing down or swallowing: a stall, a slow poll, an unjoined panic.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crate::stall::StallReport;
use crate::sync::Arc;
use crate::task::{Header, Kind, Phase, TaskRef};
use crate::unwind::{catch, discard};

/// The state of a task, as `asyncio` keeps it in its `Task`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum TaskState {
    /// In the ready queue, or on its way there.
    Ready,
    /// Being polled at this moment, or its future being dropped.
    Running,
    /// Pending: it waits for a wake.
    Waiting,
    /// Its output is there, or has been taken.
    Finished,
    /// Its future panicked.
    Panicked,
    /// Its future was dropped before it finished.
    Cancelled,
}

/// What is known of a task: for reports, [`current_task`] and [`all_tasks`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct TaskInfo {
    /// The loop's own count of its tasks, from 1 (TASK-04). A callback has 0.
    pub id: u64,
    /// The name given by [`spawn_named`](crate::spawn_named), else `Task-N` (TASK-04).
    pub name: String,
    /// The line that spawned it (DBG-10).
    pub spawned_at: &'static Location<'static>,
    /// What it did when this was written.
    pub state: TaskState,
    /// How often it was polled; it stops counting at 65,535.
    pub polls: u32,
}

impl TaskInfo {
    pub(crate) fn of(task: &TaskRef) -> Self {
        Self::of_parts(task.header(), task.name())
    }

    pub(crate) fn of_parts(header: &Header, name: Option<String>) -> Self {
        let id = header.id();
        let name = match header.kind() {
            Kind::Callback => "a callback".to_owned(),
            _ => name.unwrap_or_else(|| default_name(id)),
        };
        TaskInfo { id, name, spawned_at: header.spawned_at, state: state_of(header), polls: header.polls() }
    }
}

impl fmt::Display for TaskInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (from {})", self.name, self.spawned_at)
    }
}

pub(crate) fn default_name(id: u64) -> String {
    format!("Task-{id}")
}

pub(crate) fn state_of(header: &Header) -> TaskState {
    match header.phase.get() {
        Phase::Running | Phase::Dropping => TaskState::Running,
        Phase::Finished => TaskState::Finished,
        Phase::Panicked => TaskState::Panicked,
        Phase::Cancelled => TaskState::Cancelled,
        Phase::Pending if header.is_queued() || header.state.snapshot().is_notified() => TaskState::Ready,
        Phase::Pending => TaskState::Waiting,
    }
}

/// What [`on_report`](crate::Builder::on_report) receives. Its text is one sentence, or for a stall a few lines.
#[derive(Debug)]
#[non_exhaustive]
pub enum Report {
    /// One poll or callback took at least as long as the loop's threshold, and nothing else ran meanwhile (DBG-01).
    SlowPoll {
        /// The task or callback that blocked the loop.
        task: TaskInfo,
        /// By the real clock, also where the loop's own is virtual.
        took: Duration,
    },
    /// A panic that nobody joined: of a detached task, a callback, a job, a destructor (DBG-02).
    Panic {
        /// Whose panic it was.
        task: TaskInfo,
        /// The text given to `panic!`.
        message: String,
    },
    /// [`run_forever`](crate::EventLoop::run_forever) gave up: nothing can wake the loop any more.
    Stalled(StallReport),
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Report::SlowPoll { task, took } => write!(
                f,
                "{task} blocked its loop for {:.3} s: move the work into run_in_executor, or await more often.",
                took.as_secs_f64()
            ),
            Report::Panic { task, message } => {
                write!(f, "{task} panicked, and nobody joined it: {message}")
            }
            Report::Stalled(report) => report.fmt(f),
        }
    }
}

pub(crate) type OnReport = Arc<dyn Fn(&Report) + Send + Sync>;

pub(crate) fn to_stderr(report: &Report) {
    eprintln!("handloop: {report}");
}

/// Hands a report over. A receiver that panics must not take the loop with it: then stderr gets the report.
pub(crate) fn deliver(on_report: &OnReport, report: &Report) {
    if let Err(payload) = catch(|| on_report(report)) {
        discard(payload);
        discard_closed_stderr(report);
    }
}

/// `eprintln!` panics where stderr is closed.
fn discard_closed_stderr(report: &Report) {
    if let Err(payload) = catch(|| to_stderr(report)) {
        discard(payload);
    }
}

/// The task that is being polled; `None` in a plain callback and outside a running loop. It is
/// `asyncio.current_task` (TASK-11).
///
/// ```
/// handloop::run(async {
///     assert_eq!(handloop::current_task().unwrap().name, "Task-1");
/// });
/// assert!(handloop::current_task().is_none());
/// ```
pub fn current_task() -> Option<TaskInfo> {
    crate::context::current()?.running_task()
}

/// The unfinished tasks of the running loop, in the order in which they were spawned. It is `asyncio.all_tasks`
/// (TASK-11). A task that another thread submitted is among them from the next turn on.
///
/// # Panics
/// Outside a running loop.
///
/// ```
/// handloop::run(async {
///     let task = handloop::spawn(async {});
///     let names: Vec<_> = handloop::all_tasks().into_iter().map(|task| task.name).collect();
///     assert_eq!(names, ["Task-1", "Task-2"]);
///     task.await.unwrap();
/// });
/// ```
#[track_caller]
pub fn all_tasks() -> Vec<TaskInfo> {
    crate::context::expect_current("all_tasks").all_tasks()
}
