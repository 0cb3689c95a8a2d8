//! The recording of one loop: what the executor calls where something happens.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::leaf::is_of_the_program;
use super::news::Told;
use super::{Actor, Happening, Holder, Id, Place, Recorder, What};
use crate::local::Local;
use crate::shared::Inbox;
use crate::sync::thread;
use crate::task::TaskRef;

/// So many turns in a row a recording loop with a virtual clock lets others wait: a task that yields until another
/// thread has done something must not keep that from the loop for ever.
const MOST_DEFERRED: u32 = 1_000;

pub(crate) struct Recording {
    recorder: Recorder,
    start: Instant,
    /// Who acts while nothing is polled.
    actor: RefCell<Actor>,
    callbacks: Cell<u64>,
    pub(super) waits_at: RefCell<Vec<(Holder, Place)>>,
    wakers: RefCell<HashMap<Id, isize>>,
    pub(super) unnamed: RefCell<Vec<thread::ThreadId>>,
    /// Tasks that wait for a job. Not the jobs: when one of those has ended depends on how fast its thread is.
    pub(crate) jobs: Cell<usize>,
    /// Taken over from the inbox, and not yet numbered.
    pub(super) news: RefCell<VecDeque<Told>>,
    is_parked: Cell<bool>,
    deferred: Cell<u32>,
}

impl Recording {
    pub(crate) fn new(recorder: Recorder, start: Instant) -> Self {
        Recording {
            recorder,
            start,
            actor: RefCell::new(Actor::Loop),
            callbacks: Cell::new(0),
            waits_at: RefCell::default(),
            wakers: RefCell::default(),
            unnamed: RefCell::default(),
            jobs: Cell::new(0),
            news: RefCell::default(),
            is_parked: Cell::new(false),
            deferred: Cell::new(0),
        }
    }

    pub(crate) fn since_start(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.start)
    }

    /// How many wakers of a task are alive after `change`, as far as that is numbered: a clone that another thread made
    /// may be dropped here before the loop has heard of it.
    pub(crate) fn live(&self, id: Id, change: isize) -> usize {
        let mut wakers = self.wakers.borrow_mut();
        let live = wakers.entry(id).or_default();
        *live += change;
        usize::try_from(*live).unwrap_or(0)
    }

    pub(crate) fn next_callback(&self) -> u64 {
        self.callbacks.set(self.callbacks.get() + 1);
        self.callbacks.get()
    }

    pub(crate) fn take_waits(&self) -> Vec<Place> {
        self.waits_at.take().into_iter().map(|(_, at)| at).collect()
    }

    fn emit(&self, now: Instant, Happening { what, at }: Happening) {
        if let What::RunBegun | What::PollBegun { .. } | What::ClockJumped { .. } | What::RunEnded(_) = what {
            self.is_parked.set(false);
        }
        match &what {
            // A future that returned pending, and was dropped before its task's poll ended, is not what that waits for.
            What::WakerDropped { holder, .. } => {
                let mut waits = self.waits_at.borrow_mut();
                if let Some(place) = waits.iter().rposition(|(known, _)| known == holder) {
                    waits.remove(place);
                }
            }
            What::TimerFired { .. } => drop(self.actor.replace(Actor::Timer)),
            What::PollEnded { id, .. } | What::Cancelled { id, .. } => drop(self.actor.replace(Actor::Of(*id))),
            What::PollBegun { .. } | What::DropBegun { .. } | What::Parked | What::RunBegun | What::RunEnded(_) => {
                drop(self.actor.replace(Actor::Loop));
            }
            _ => {}
        }
        self.recorder.tell(self.since_start(now), at.filter(|at| is_of_the_program(at)), what);
    }
}

impl Local {
    /// Tells the observer, if there is one, what happens on this loop's own thread.
    #[inline]
    pub(crate) fn record<W: Into<Happening>>(&self, what: impl FnOnce(&Recording) -> W) {
        if let Some(recording) = &self.recording {
            recording.emit(self.shared.now(), what(recording).into());
        }
    }

    /// The same with whoever does it.
    #[inline]
    pub(crate) fn record_by<W: Into<Happening>>(&self, what: impl FnOnce(&Recording, Actor) -> W) {
        self.record(|recording| what(recording, self.actor(recording)));
    }

    /// The number of the next callback, which has one only if somebody observes.
    pub(crate) fn next_callback(&self) -> u64 {
        self.recording.as_ref().map_or(0, |recording| recording.next_callback())
    }

    pub(crate) fn record_spawned(&self, task: &TaskRef, name: Option<String>, function: &'static str, queued: bool) {
        let (id, at) = (task.header().recorded_id(), task.header().spawned_at);
        self.record_by(|_, by| What::Spawned { id, name, function, by, queued }.at(at));
    }

    pub(super) fn actor(&self, recording: &Recording) -> Actor {
        match self.running.get() {
            Some(task) => Actor::Of(task.header().recorded_id()),
            None if self.is_running.get() || self.closed.get() => recording.actor.borrow().clone(),
            None => Actor::Loop,
        }
    }

    /// A task begins to wait for a job, or no longer does.
    pub(crate) fn count_wait(&self, change: isize) {
        if let Some(Recording { jobs, .. }) = self.recording.as_deref() {
            jobs.set(jobs.get().saturating_add_signed(change));
        }
    }

    /// Whether what other threads have sent can wait. On a virtual clock it does until nothing is ready: then nothing
    /// in the record depends on how fast they are.
    pub(crate) fn defers(&self) -> bool {
        let Some(recording) = &self.recording else { return false };
        let may_wait =
            self.shared.timers.is_virtual && !self.ready.is_empty() && recording.deferred.get() < MOST_DEFERRED;
        // A hold and a stop are obeyed at once, as ever.
        let can_wait = |inbox: &Inbox| inbox.holds == 0 && !inbox.stop && !inbox.is_from_own_thread();
        let waits = may_wait && can_wait(&self.shared.lock());
        recording.deferred.set(if waits { recording.deferred.get() + 1 } else { 0 });
        waits
    }

    /// Before the loop looks for what others have sent: tells of its wait, if there is nothing else to do. False: there
    /// is, and the loop need not be idle before it has asked again.
    pub(crate) fn record_wait(&self) -> bool {
        let Some(recording) = &self.recording else { return true };
        if recording.is_parked.get() || self.stopping.get() {
            return true;
        }
        let timers = &self.shared.timers;
        let can_jump = timers.is_virtual && recording.jobs.get() == 0 && timers.live() > 0;
        let inbox = self.shared.lock();
        let (is_held, is_from_own_thread) = (inbox.holds > 0, inbox.is_from_own_thread());
        let has_work = inbox.told().iter().any(|told| told.is_work);
        drop(inbox);
        if !self.ready.is_empty() || is_from_own_thread {
            return is_held;
        }
        if !can_jump || is_held || has_work {
            recording.is_parked.set(true);
            self.record(|_| What::Parked);
        }
        true
    }

    /// There is something to do again.
    pub(crate) fn record_unparked(&self, by: Actor) {
        if self.recording.as_ref().is_some_and(|recording| recording.is_parked.take()) {
            self.record(|_| What::Unparked { by });
        }
    }
}
