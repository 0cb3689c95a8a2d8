//! The recording of one loop: what the executor calls where something happens.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::{Actor, Happening, Holder, Id, Place, Recorder, What};
use crate::context;
use crate::local::Local;
use crate::shared::{Inbox, Shared};
use crate::sync::{Arc, Ordering, thread};
use crate::task::{Outside, TaskRef};
use crate::waker::is_recorded;

/// So many turns in a row a recording loop with a virtual clock lets others wait: a task that yields until another
/// thread has done something must not keep that from the loop for ever.
const MOST_DEFERRED: u32 = 1_000;

pub(crate) struct Recording {
    recorder: Recorder,
    start: Instant,
    /// Who acts while nothing is polled.
    actor: RefCell<Actor>,
    callbacks: Cell<u64>,
    waits_at: RefCell<Vec<(Holder, Place)>>,
    wakers: RefCell<HashMap<Id, usize>>,
    unnamed: RefCell<Vec<thread::ThreadId>>,
    /// Tasks that wait for a job. Not the jobs: when one of those has ended depends on how fast its thread is.
    pub(crate) jobs: Cell<usize>,
    /// Taken over from the inbox, and not yet numbered.
    news: RefCell<VecDeque<Told>>,
    is_parked: Cell<bool>,
    deferred: Cell<u32>,
}

/// What is known where an event is numbered.
pub(crate) struct Said {
    pub(crate) id: Option<Id>,
    pub(crate) by: Actor,
    /// The entry of the inbox that came with it put its task into the ready queue.
    pub(crate) queued: bool,
}

impl Said {
    /// Of an event that is about a task.
    pub(crate) fn id(&self) -> Id {
        self.id.expect("it was said of a task")
    }
}

/// An event from elsewhere on its way to the loop.
pub(crate) struct Told {
    pub(crate) task: Option<Outside>,
    /// It is work, not only news: a wake, a new task, a stop.
    pub(crate) is_work: bool,
    by: Sender,
    what: Box<Telling>,
}

type Telling = dyn FnOnce(&Recording, Said) -> Happening + Send;

/// What is in the inbox of a recording loop.
#[derive(Default)]
pub(crate) struct News {
    pub(crate) told: Vec<Told>,
    /// The loop's own thread has put something in.
    pub(crate) is_from_own_thread: bool,
}

impl News {
    pub(crate) fn take(&mut self) -> Vec<Told> {
        self.is_from_own_thread = false;
        std::mem::take(&mut self.told)
    }
}

impl Inbox {
    fn is_from_own_thread(&self) -> bool {
        self.news.as_ref().is_some_and(|news| news.is_from_own_thread)
    }

    fn told(&self) -> &[Told] {
        self.news.as_ref().map_or(&[], |news| &news.told)
    }
}

/// Who put something into the inbox.
enum Sender {
    /// What runs on the loop's own thread.
    Here(Actor),
    Thread(thread::ThreadId, Option<String>),
}

impl Told {
    pub(crate) fn new<W: Into<Happening>>(
        shared: &Shared,
        task: Option<Outside>,
        is_work: bool,
        what: impl FnOnce(&Recording, Said) -> W + Send + 'static,
    ) -> Self {
        let what = |recording: &Recording, said: Said| what(recording, said).into();
        let here = current(shared).and_then(|local| Some(local.actor(local.recording.as_ref()?)));
        let by = here.map_or_else(
            || Sender::Thread(thread::current().id(), thread::current().name().map(str::to_owned)),
            Sender::Here,
        );
        Told { task, is_work, by, what: Box::new(what) }
    }
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

    /// How many wakers of a task are alive after `change`.
    pub(crate) fn live(&self, id: Id, change: isize) -> usize {
        let mut wakers = self.wakers.borrow_mut();
        let live = wakers.entry(id).or_default();
        *live = live.checked_add_signed(change).expect("a waker is dropped once");
        *live
    }

    pub(crate) fn next_callback(&self) -> u64 {
        self.callbacks.set(self.callbacks.get() + 1);
        self.callbacks.get()
    }

    pub(crate) fn take_waits(&self) -> Vec<Place> {
        self.waits_at.take().into_iter().map(|(_, at)| at).collect()
    }

    fn sender(&self, by: Sender) -> Actor {
        let (id, name) = match by {
            Sender::Here(actor) => return actor,
            Sender::Thread(id, name) => (id, name),
        };
        Actor::Thread(name.unwrap_or_else(|| {
            let mut unnamed = self.unnamed.borrow_mut();
            let place = unnamed.iter().position(|known| *known == id).unwrap_or_else(|| {
                unnamed.push(id);
                unnamed.len() - 1
            });
            format!("thread {}", place + 1)
        }))
    }

    fn emit(&self, now: Instant, Happening { what, at }: Happening) {
        if let What::RunBegun | What::PollBegun { .. } | What::ClockJumped { .. } = what {
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

    fn actor(&self, recording: &Recording) -> Actor {
        match self.running.get() {
            Some(task) => Actor::Of(task.header().recorded_id()),
            None => recording.actor.borrow().clone(),
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
        let waits = self.shared.timers.is_virtual
            && !self.ready.is_empty()
            && recording.deferred.get() < MOST_DEFERRED
            && !self.shared.lock().is_from_own_thread();
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

    /// Takes over what another thread, or this one while the loop did not run, has sent.
    pub(crate) fn take_in(&self, told: Vec<Told>) {
        let Some(recording) = &self.recording else { return };
        recording.news.borrow_mut().extend(told);
        loop {
            let next = recording.news.borrow_mut().pop_front();
            let Some(told) = next else { return };
            self.take_in_one(recording, told);
        }
    }

    fn take_in_one(&self, recording: &Recording, told: Told) {
        let by = recording.sender(told.by);
        if told.is_work {
            self.record_unparked(by.clone());
        }
        let (mut id, mut queued) = (None, false);
        if let Some(task) = told.task {
            task.number(|| self.next_id(), || recording.next_callback());
            id = Some(task.recorded_id());
            if told.is_work {
                if let Some(task) = task.adopt(|| self.next_id()) {
                    queued = true;
                    self.ready.push(task);
                }
            }
        }
        self.record(|recording| (told.what)(recording, Said { id, by, queued }));
    }
}

impl Local {
    /// How many of a task's references are those of events on their way.
    pub(super) fn in_flight(&self, task: &TaskRef) -> usize {
        let is_of_it = |told: &&Told| told.task.as_ref().is_some_and(|other| other.address() == task.address());
        let inbox = self.shared.lock().told().iter().filter(is_of_it).count();
        let news = self.recording.iter().map(|recording| recording.news.borrow().iter().filter(is_of_it).count());
        inbox + news.sum::<usize>()
    }
}

impl Shared {
    /// Puts an event into the inbox, and the work that comes with it. A closed loop gives both back.
    pub(crate) fn put(&self, told: Told) -> Option<Told> {
        let is_work = told.is_work;
        let put = |inbox: &mut Inbox| {
            let is_open = !inbox.closed;
            match inbox.news.as_mut().filter(|_| is_open) {
                Some(news) => {
                    news.told.push(told);
                    None
                }
                None => Some(told),
            }
        };
        if is_work {
            return self.tell(put);
        }
        // News can wait for the next turn: it wakes nobody.
        let mut inbox = self.lock();
        self.pending.store(true, Ordering::Release);
        if let Some(news) = &mut inbox.news {
            news.is_from_own_thread |= self.is_own_thread();
        }
        put(&mut inbox)
    }

    /// Says something that is no work: here, if this loop runs on this thread; else by way of the inbox.
    pub(crate) fn say<W: Into<Happening>>(
        &self,
        task: Option<Outside>,
        what: impl FnOnce(&Recording, Said) -> W + Send + 'static,
    ) {
        match current(self).filter(|_| task.as_ref().is_none_or(Outside::is_numbered)) {
            Some(local) => {
                let id = task.as_ref().map(Outside::recorded_id);
                drop(task);
                local.record_by(|recording, by| what(recording, Said { id, by, queued: false }));
            }
            None => {
                drop(self.put(Told::new(self, task, false, what)));
                // If it was a waker that went away, the loop may have to count again.
                self.look_again();
            }
        }
    }
}

/// The loop that `shared` is of, if it runs on this thread.
fn current(shared: &Shared) -> Option<Rc<Local>> {
    context::current().filter(|local| std::ptr::eq(Arc::as_ptr(&local.shared), shared))
}

impl TaskRef {
    /// Says something about this task, if its loop records.
    #[inline]
    pub(crate) fn say<W: Into<Happening>>(&self, what: impl FnOnce(&Recording, Said) -> W + Send + 'static) {
        if self.header().is_recorded() {
            let outside = self.outside();
            outside.shared().say(Some(outside), what);
        }
    }
}

impl Outside {
    /// The same from any thread.
    pub(crate) fn say<W: Into<Happening>>(&self, what: impl FnOnce(&Recording, Said) -> W + Send + 'static) {
        if self.is_recorded() {
            self.shared().say(Some(self.another()), what);
        }
    }
}

/// What [`note!`](crate::note) does on a thread where a loop runs.
pub(super) fn note_here(text: String, at: Place) -> bool {
    context::current().is_some_and(|local| note(&local.shared, text, at))
}

pub(super) fn note(shared: &Shared, text: String, at: Place) -> bool {
    if shared.is_recorded {
        shared.say(None, move |_, said| What::Note { text, by: said.by }.at(at));
    }
    shared.is_recorded
}

thread_local! {
    /// Who keeps, or gives up, the waker whose function is called next.
    static HOLDER: Cell<Option<(Holder, Option<Place>)>> = const { Cell::new(None) };
}

/// Who keeps the waker whose function has been called, and the `.await` that it is kept for.
pub(super) fn holder() -> (Holder, Option<Place>) {
    HOLDER.try_with(Cell::take).ok().flatten().unwrap_or((Holder::Unknown, None))
}

/// Clones a waker for `holder` to keep, on behalf of the `.await` at `at`.
#[inline]
pub(crate) fn kept(waker: &Waker, holder: impl FnOnce() -> Holder, at: Place) -> Waker {
    if is_recorded(waker) {
        let _ = HOLDER.try_with(|cell| cell.set(Some((holder(), Some(at)))));
    }
    waker.clone()
}

/// Lets `end` wake, or drop, a waker that `holder` has kept.
#[inline]
pub(crate) fn given_up(waker: Waker, holder: impl FnOnce() -> Holder, end: impl FnOnce(Waker)) {
    if is_recorded(&waker) {
        let _ = HOLDER.try_with(|cell| cell.set(Some((holder(), None))));
    }
    end(waker);
}

/// A leaf future returns pending: where the `.await` is that polled it, and who keeps its waker.
#[inline]
pub(crate) fn waits_at(waker: &Waker, holder: impl FnOnce() -> Holder, at: Place) {
    if is_recorded(waker) {
        keep_wait(holder(), at);
    }
}

/// Polled through a pointer, a future sees the line of its own `poll`; through `&mut` or a box one of std's; as a task
/// of its own, one of the loop's. None of them is a line of the program.
fn is_of_the_program(at: Place) -> bool {
    let file = at.file().replace('\\', "/");
    let own = file!().replace('\\', "/");
    let own = own.trim_end_matches("record/recording.rs");
    !file.starts_with(own)
        && !["/library/core/", "/library/alloc/", "/library/std/"].iter().any(|std| file.contains(std))
}

#[cold]
fn keep_wait(holder: Holder, at: Place) {
    if !is_of_the_program(at) {
        return;
    }
    if let Some(local) = context::current() {
        local.recording.iter().for_each(|recording| recording.waits_at.borrow_mut().push((holder, at)));
    }
}

/// The reference to the task of a waker, if it is one of `shared`'s loop, which records.
pub(crate) fn say_of_waker(shared: &Shared, waker: &Waker) -> Option<Outside> {
    super::waker::task_of(waker).filter(|task| std::ptr::eq(Arc::as_ptr(&task.shared()), shared))
}
