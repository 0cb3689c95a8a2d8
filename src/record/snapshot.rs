//! What a loop itself holds at this moment, to compare a replay with.

use std::time::Duration;

use super::Id;
use crate::context;
use crate::local::Local;
use crate::report::{TaskState, state_of};
use crate::task::{Header, Phase, TaskRef};

/// What the running loop holds: not counted from events, but read from the loop.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Snapshot {
    /// The ready queue, front first, without the entries that the loop will pass over, since their tasks are
    /// over or about to be.
    pub ready: Vec<Id>,
    /// The timers that are set: deadline since the recording began, and whom each wakes, unless that is over; earliest first.
    pub timers: Vec<(Duration, Option<Id>)>,
    /// The tasks, then the callbacks, that are not over: state, and how many clones of the waker there are.
    pub tasks: Vec<(Id, TaskState, usize)>,
}

/// Reads the loop that runs on this thread, also from within an observer; `None` where none runs, or it does not
/// record.
///
/// ```
/// let recorder = handloop::record::Recorder::new(|_| {});
/// let event_loop = handloop::EventLoop::builder().record(&recorder).build();
/// event_loop.run_until_complete(async {
///     let task = handloop::spawn(async {});
///     assert_eq!(handloop::record::snapshot().unwrap().ready, [handloop::record::Id::Task(2)]);
///     task.await.unwrap();
/// });
/// ```
pub fn snapshot() -> Option<Snapshot> {
    let local = context::current()?;
    let recording = local.recording.as_ref()?;
    let mut tasks = local.tasks();
    tasks.sort_by_key(|task| task.header().recorded_id());
    tasks.dedup_by(|a, b| a.is(b));
    let id_of = |address: *const ()| {
        tasks.iter().find(|task| task.address() == address).map(|task| task.header().recorded_id())
    };
    let timers = local.shared.timers.set();
    Some(Snapshot {
        ready: ready(&local),
        timers: timers.into_iter().map(|(at, whom)| (recording.since_start(at), whom.and_then(id_of))).collect(),
        tasks: tasks
            .iter()
            .map(|task| (task.header().recorded_id(), state_of(task.header()), wakers(&local, task)))
            .collect(),
    })
}

fn ready(local: &Local) -> Vec<Id> {
    let queued = local.ready.snapshot();
    let is_passed_over = |phase: Phase| phase.is_over() || phase == Phase::Dropping;
    let polled = queued.iter().map(TaskRef::header).filter(|header| !is_passed_over(header.phase.get()));
    polled.map(Header::recorded_id).collect()
}

fn wakers(local: &Local, task: &TaskRef) -> usize {
    let word = task.header().state.snapshot();
    // Another thread may let go of one between the two looks.
    (word.outside() - usize::from(word.has_handle())).saturating_sub(local.in_flight(task))
}
