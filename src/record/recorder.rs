//! `Recorder`: numbers events and hands them to one observer.

use std::collections::VecDeque;
use std::panic::Location;
use std::time::Duration;

use super::{Actor, Event, Place, What};
use crate::shared::Shared;
use crate::sync::{Arc, Mutex, OnceLock, Weak, thread};
use crate::unwind::{catch, discard, drop_quietly};

type Observer = Box<dyn FnMut(&Event) + Send>;

/// Where events are numbered, and handed to an observer. Clones are the same recorder.
///
/// It records one loop ([`Builder::record`](crate::Builder::record)); or any number of futures on whatever executor
/// ([`watch`](fn@super::watch)); or a machine of yours that [`tell`](Self::tell)s what it does.
#[derive(Clone)]
pub struct Recorder(Arc<Inner>);

struct Inner {
    log: Mutex<Log>,
    /// The loop that it records.
    shared: OnceLock<Weak<Shared>>,
}

struct Log {
    last: u64,
    queue: VecDeque<Event>,
    /// Away while it is called.
    observer: Option<Observer>,
    /// The observer has panicked: what comes now is numbered for nobody.
    is_over: bool,
    watched: u64,
}

impl Recorder {
    /// Every event goes to `observer`, in the order of the numbers. It is called under no lock, and what it causes
    /// itself comes after the event that it was called for. An observer that panics is not called again.
    pub fn new(observer: impl FnMut(&Event) + Send + 'static) -> Self {
        let observer: Option<Observer> = Some(Box::new(observer));
        let log = Mutex::new(Log { last: 0, queue: VecDeque::new(), observer, is_over: false, watched: 0 });
        Recorder(Arc::new(Inner { log, shared: OnceLock::new() }))
    }

    /// Numbers an event that happened at `time`, told by the line `at`.
    pub fn tell(&self, time: Duration, at: Option<Place>, what: What) {
        let mut log = self.0.log.lock();
        if log.is_over {
            return;
        }
        log.last += 1;
        let event = Event { number: log.last, time, at, what };
        log.queue.push_back(event);
        // Whoever finds the observer at home delivers all that is queued. Whoever does not is within its call, or
        // leaves the event to the thread that is.
        while let Some(mut observer) = log.observer.take() {
            let Some(event) = log.queue.pop_front() else {
                log.observer = Some(observer);
                return;
            };
            drop(log);
            let outcome = catch(|| observer(&event));
            log = self.0.log.lock();
            if let Err(payload) = outcome {
                log.is_over = true;
                let queue = std::mem::take(&mut log.queue);
                drop(log);
                discard(payload);
                drop_quietly((observer, queue)).into_iter().for_each(discard);
                return;
            }
            log.observer = Some(observer);
        }
    }

    /// Tells a line that the program says, from any thread, without printing it. It is numbered when the loop takes it
    /// over; without a loop at once. On a loop's own thread [`note!`](crate::note) does this, and prints too.
    #[track_caller]
    pub fn note(&self, text: impl Into<String>) {
        let (text, at) = (text.into(), Location::caller());
        match self.0.shared.get() {
            Some(shared) => drop(shared.upgrade().map(|shared| super::news::note(&shared, text, at))),
            None => {
                let by = Actor::Thread(thread::current().name().unwrap_or("a thread without a name").to_owned());
                self.tell(Duration::ZERO, Some(at), What::Note { text, by });
            }
        }
    }

    /// # Panics
    /// If it records a loop already.
    #[track_caller]
    pub(crate) fn attach(&self, shared: &Arc<Shared>) {
        let is_first = self.0.shared.set(Arc::downgrade(shared)).is_ok();
        assert!(is_first, "this Recorder records a loop already: make one for each loop");
    }

    pub(super) fn next_watched(&self) -> u64 {
        let mut log = self.0.log.lock();
        log.watched += 1;
        log.watched
    }
}

shows! { Recorder {} }
