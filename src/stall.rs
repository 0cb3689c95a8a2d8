//! A loop that can never finish says so, instead of hanging.
//!
//! It is stalled when nothing is ready, no timer, callback or job is out, no `LoopHandle` or pending `RemoteTask` is
//! left, and every waker clone of its pending tasks lies in the joiner of another of its pending tasks: such a waker
//! is called only when that one ends. What this cannot see is a waker that is kept and will never be called: a leaked
//! one, one in the task's own future, one in a cycle of the user's. Such a loop waits, as any other would.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use crate::gather::Group;
use crate::local::Local;
use crate::report::TaskInfo;
use crate::task::TaskRef;
use crate::waker;

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
    /// Clones were made, and all of them were dropped.
    Dropped,
    /// It waits for these tasks, and they are stuck themselves.
    HeldByStuck(Vec<TaskInfo>),
}

/// Calls `see` with each waker that waits for a pending task of this loop, and with that task.
fn joiner_wakers<'a>(tasks: &'a [TaskRef], mut see: impl FnMut(*const (), &'a TaskRef)) {
    for task in tasks {
        task.with_joiner(|waker, group: Option<&Group>| {
            if let Some(address) = waker.and_then(waker::task_of) {
                see(address, task);
            }
            group.into_iter().for_each(|group| group.with_waker(|address| see(address, task)));
        });
    }
}

fn pending(local: &Local) -> Vec<TaskRef> {
    local.waiting.borrow().iter().filter(|task| !task.header().phase.get().is_over()).cloned().collect()
}

/// Whether a waker clone of a pending task is anywhere but in the joiner of a pending task.
pub(crate) fn has_outside_wakers(local: &Local) -> bool {
    let tasks = pending(local);
    let clones: usize = tasks.iter().map(|task| task.header().state.snapshot().outside()).sum();
    if clones == 0 {
        return false;
    }
    let ours: HashSet<*const ()> = tasks.iter().map(TaskRef::address).collect();
    // A gather keeps one waker for all its children.
    let mut groups = HashSet::new();
    let mut held = 0;
    for task in &tasks {
        task.with_joiner(|waker, group| {
            let is_ours = |address: *const ()| usize::from(ours.contains(&address));
            held += waker.and_then(waker::task_of).map_or(0, is_ours);
            if let Some(group) = group {
                if groups.insert(std::ptr::from_ref(group)) {
                    group.with_waker(|address| held += is_ours(address));
                }
            }
        });
    }
    // No task has more clones in joiners than it has clones, so the sums are equal only if each pair is.
    clones > held
}

pub(crate) fn report(local: &Local) -> StallReport {
    let mut tasks = pending(local);
    tasks.sort_by_key(|task| task.header().id());
    let mut waits_for: BTreeMap<*const (), Vec<TaskInfo>> = BTreeMap::new();
    joiner_wakers(&tasks, |address, task| waits_for.entry(address).or_default().push(TaskInfo::of(task)));
    let stalled = |task: &TaskRef| {
        let word = task.header().state.snapshot();
        let waker = match waits_for.remove(&task.address()) {
            Some(others) => WakerFate::HeldByStuck(others),
            None if word.waker_was_taken() => WakerFate::Dropped,
            None => WakerFate::NeverTaken,
        };
        StalledTask { task: TaskInfo::of(task), waker }
    };
    StallReport { tasks: tasks.iter().map(stalled).collect() }
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
            WakerFate::NeverTaken => f.write_str("it returned Pending, and nothing took its waker."),
            WakerFate::Dropped => f.write_str("its waker was taken, and dropped without a wake."),
            WakerFate::HeldByStuck(others) => {
                let names: Vec<&str> = others.iter().map(|task| task.name.as_str()).collect();
                let verb = if names.len() == 1 { "is" } else { "are" };
                write!(f, "it waits for {}, which {verb} stuck too.", names.join(", "))
            }
        }
    }
}

impl std::error::Error for StallReport {}
