//! What is said from elsewhere on its way to the loop: put into the inbox with the work that it goes with, and numbered
//! where the loop takes it over.

use std::rc::Rc;

use super::recording::Recording;
use super::{Actor, Happening, Id, Place, What};
use crate::context;
use crate::local::Local;
use crate::shared::{Inbox, Shared};
use crate::sync::{Arc, Ordering, thread};
use crate::task::{Outside, TaskRef};

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
    pub(super) fn is_from_own_thread(&self) -> bool {
        self.news.as_ref().is_some_and(|news| news.is_from_own_thread)
    }

    pub(super) fn told(&self) -> &[Told] {
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
}

impl Local {
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
