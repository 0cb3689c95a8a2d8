//! A loop that can never finish says so, instead of hanging.
//!
//! It is stalled when nothing is ready, no timer, callback or job is out, no `LoopHandle` or pending `RemoteTask` is
//! left, and every waker clone of its pending tasks lies in the joiner of another of its pending tasks: such a waker
//! is called only when that one ends. What this cannot see is a waker that is kept and will never be called: a leaked
//! one, one in the task's own future, one in a cycle of the user's. Such a loop waits, as any other would.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use crate::local::Local;
use crate::report::TaskInfo;
use crate::task::{Kind, TaskRef};
use crate::waker::task_of;

/// Why nothing can happen any more: the tasks that wait, and what became of the waker of each.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct StallReport {
    /// The pending tasks, oldest first; the future of `run_until_complete` is one of them.
    pub tasks: Vec<StalledTask>,
}

/// One task of a [`StallReport`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct StalledTask {
    /// Which task it is, where it comes from, how often it was polled.
    pub task: TaskInfo,
    /// Why nobody will wake it.
    pub waker: WakerFate,
}

/// What became of a stalled task's waker.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum WakerFate {
    /// No clone was ever made: a future returned `Pending` and kept nothing to be woken by.
    NeverTaken,
    /// Clones were made, and all of them were dropped: the last wake has been, and led to nothing.
    Dropped,
    /// It waits for these tasks, and they are stuck themselves.
    HeldByStuck(Vec<TaskInfo>),
}

/// The report, unless a waker clone of a pending task is anywhere but in the joiner of a pending task.
pub(crate) fn check(local: &Local) -> Option<StallReport> {
    let (mut clones, mut joined) = (0, 0);
    for task in local.waiting.borrow().iter() {
        clones += task.header().state.snapshot().outside();
        joined += usize::from(task.is_waited_for());
    }
    if clones > joined {
        // More than could lie in joiners: the common case, without a list.
        return None;
    }
    let mut tasks: Vec<TaskRef> = local.waiting.borrow().iter().cloned().collect();
    tasks.sort_by_key(|task| task.header().id());
    let mut awaits: BTreeMap<*const (), Vec<&TaskRef>> = tasks.iter().map(|task| (task.address(), vec![])).collect();
    // One clone for each joiner, but a gather keeps one for all its children.
    let (mut held, mut groups) = (0, HashSet::new());
    for task in &tasks {
        task.with_joiner(|waker, group| {
            let waiting = waker.and_then(task_of).or_else(|| group?.wakes());
            let is_counted = group.is_none_or(|group| groups.insert(std::ptr::from_ref(group)));
            if let Some(others) = waiting.and_then(|address| awaits.get_mut(&address)) {
                others.push(task);
                held += usize::from(is_counted);
            }
        });
    }
    // No task has more clones in joiners than it has clones, so the sums are equal only if each pair is.
    if clones > held {
        return None;
    }
    let fate = |task: &TaskRef| match &awaits[&task.address()] {
        others if !others.is_empty() => WakerFate::HeldByStuck(others.iter().map(|task| TaskInfo::of(task)).collect()),
        _ if task.header().state.snapshot().waker_was_taken() => WakerFate::Dropped,
        _ => WakerFate::NeverTaken,
    };
    // A callback whose time never comes waits for nothing.
    let stuck = tasks.iter().filter(|task| task.kind() != Kind::Callback);
    let stalled = stuck.map(|task| StalledTask { task: TaskInfo::of(task), waker: fate(task) });
    Some(StallReport { tasks: stalled.collect() })
}

impl fmt::Display for StallReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tasks.len() {
            0 => return f.write_str("The loop has nothing to wait for: no task, no timer, no callback, no handle."),
            1 => f.write_str("The loop is stalled: 1 task waits, and nothing is left that could wake it.")?,
            n => write!(f, "The loop is stalled: {n} tasks wait, and nothing is left that could wake them.")?,
        }
        self.tasks.iter().try_for_each(|task| write!(f, "\n  {task}"))
    }
}

impl fmt::Display for StalledTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = match self.task.polls {
            1 => "once".to_owned(),
            n => format!("{n} times"),
        };
        write!(f, "{}, polled {times}: ", self.task)?;
        match &self.waker {
            WakerFate::NeverTaken => f.write_str("it returned Pending, and nothing ever took its waker."),
            WakerFate::Dropped => f.write_str("every clone of its waker was dropped."),
            WakerFate::HeldByStuck(others) => {
                let names: Vec<&str> = others.iter().map(|task| task.name.as_str()).collect();
                let verb = if names.len() == 1 { "is" } else { "are" };
                write!(f, "it waits for {}, which {verb} stuck too.", names.join(", "))
            }
        }
    }
}

impl std::error::Error for StallReport {}
