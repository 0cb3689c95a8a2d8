//! Timers: a heap of deadlines under a lock, and the one thread that watches the earliest.
//!
//! The thread of a loop's timers fires nothing. When the earliest deadline has passed it raises the loop's alarm,
//! and the loop takes what is due off the heap at its next turn: so all that is due at one time is woken in the
//! order of the deadlines, and a busy loop never reads the clock. Only the timers of the process, for sleeps that are
//! polled outside any loop, are fired by their own thread.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::context;
use crate::record::{Happening, Holder, Place, Recording, Said, What, given_up, kept, say_of_waker};
use crate::shared::Shared;
use crate::slab::Slab;
use crate::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, Weak, thread};
use crate::task::Outside;
use crate::unwind::wake_one;
use crate::waker::task_of;

/// The thread raises the alarm at most this often, so that a crowd of deadlines costs one wake-up a millisecond, as
/// in other loops. A deadline that comes alone is met as closely as the system allows.
const SPACING: Duration = Duration::from_millis(1);

/// Cancelled entries are swept out when they outnumber the live ones, but not below this (TIME-07).
const SWEEP_FROM: usize = 64;

pub(crate) struct Timers {
    heap: Mutex<Heap>,
    /// Where the thread waits.
    changed: Condvar,
    /// The loop that is served. None: these are the timers of the process.
    owner: Option<Weak<Shared>>,
    pub(crate) is_virtual: bool,
    is_recorded: bool,
}

struct Heap {
    /// By deadline, and among equal ones by age (TIME-03). An entry whose waker is gone was cancelled.
    entries: BinaryHeap<Reverse<(Instant, Key)>>,
    /// With the sequence of the timer, since the slot may have been another's.
    wakers: Slab<(u64, Waker)>,
    last_sequence: u64,
    /// What a virtual clock shows.
    now: Instant,
    thread: Option<thread::JoinHandle<()>>,
    /// Until when the thread waits; `None`: until it is told.
    watched: Option<Instant>,
    /// The loop has not yet looked since the last alarm.
    alarmed: bool,
    closed: bool,
}

/// One registered timer. The derived order is that of the sequence, which no two share.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    sequence: u64,
    slot: u32,
}

/// How a registered timer stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Waits,
    Fired,
    /// The loop is closed: these timers fire no more.
    Closed,
}

impl Timers {
    pub(crate) fn new(owner: Option<Weak<Shared>>, is_virtual: bool, is_recorded: bool) -> Arc<Self> {
        let heap = Heap {
            entries: BinaryHeap::new(),
            wakers: Slab::default(),
            last_sequence: 0,
            now: Instant::now(),
            thread: None,
            watched: None,
            alarmed: false,
            closed: false,
        };
        Arc::new(Timers { heap: Mutex::new(heap), changed: Condvar::default(), owner, is_virtual, is_recorded })
    }

    /// The timers of the process. Their thread is never joined.
    pub(crate) fn of_process() -> Arc<Timers> {
        static TIMERS: OnceLock<Arc<Timers>> = OnceLock::new();
        TIMERS.get_or_init(|| Timers::new(None, false, false)).clone()
    }

    pub(crate) fn now(&self) -> Instant {
        if self.is_virtual { self.heap.lock().now } else { Instant::now() }
    }

    /// Timers that have neither fired nor been cancelled.
    pub(crate) fn live(&self) -> usize {
        self.heap.lock().wakers.len()
    }

    /// The timers that wait, with the task that each wakes; earliest first.
    pub(crate) fn set(&self) -> Vec<(Instant, Option<*const ()>)> {
        let heap = self.heap.lock();
        let mut entries: Vec<_> = heap.entries.iter().map(|Reverse(entry)| *entry).collect();
        entries.sort();
        let live = entries.into_iter().filter_map(|(at, key)| Some((at, heap.wakers.get(key.slot)?, key)));
        live.filter(|(_, (sequence, _), key)| *sequence == key.sequence)
            .map(|(at, (_, waker), _)| (at, task_of(waker)))
            .collect()
    }

    /// Sets a timer that wakes `waker`. `None`: the loop is closed.
    pub(crate) fn register(self: &Arc<Self>, deadline: Instant, waker: &Waker, at: Place) -> Option<Key> {
        match self.insert(deadline, kept(waker, || Holder::Timer, at)) {
            Ok(key) => {
                self.say_set(key, deadline, waker, at);
                Some(key)
            }
            Err(unused) => {
                given_up(unused, || Holder::Timer, drop);
                None
            }
        }
    }

    fn insert(self: &Arc<Self>, deadline: Instant, waker: Waker) -> Result<Key, Waker> {
        let mut heap = self.heap.lock();
        if heap.closed {
            return Err(waker);
        }
        if !self.is_virtual && heap.thread.is_none() {
            // First, since it may fail.
            heap.thread = Some(self.start());
        }
        heap.last_sequence += 1;
        let sequence = heap.last_sequence;
        let key = Key { sequence, slot: heap.wakers.insert((sequence, waker)) };
        heap.entries.push(Reverse((deadline, key)));
        let is_first = matches!(heap.entries.peek(), Some(Reverse((_, first))) if *first == key);
        if self.is_virtual {
            drop(heap);
            // The clock can now jump; a loop that is parked must be told.
            match self.owner.as_ref().and_then(Weak::upgrade) {
                Some(owner) if !owner.is_own_thread() => owner.tell(|_| {}),
                _ => {}
            }
        } else if is_first && !heap.alarmed && heap.watched.is_none_or(|watched| deadline < watched) {
            // The thread waits for a later deadline, or for none: it must look again (TIME-13, case 106).
            self.changed.notify_one();
        }
        Ok(key)
    }

    /// How a timer stands; if it waits, it wakes `waker` from now on (RUST-05).
    pub(crate) fn look(&self, key: Key, deadline: Instant, waker: &Waker, at: Place) -> Standing {
        let mut standing = Standing::Waits;
        if !self.heap.lock().swap_waker(key, &mut standing, |known| known.will_wake(waker)) {
            // Cloned and dropped outside the lock, since a waker may be anybody's.
            let mut new = kept(waker, || Holder::Timer, at);
            self.heap.lock().swap_waker(key, &mut standing, |known| {
                std::mem::swap(known, &mut new);
                true
            });
            given_up(new, || Holder::Timer, drop);
            if standing == Standing::Waits {
                self.say_set(key, deadline, waker, at);
            }
        }
        standing
    }

    fn say_set(&self, key: Key, deadline: Instant, waker: &Waker, at: Place) {
        self.say(
            |shared| say_of_waker(shared, waker),
            move |recording, said| {
                let deadline = recording.since_start(deadline);
                What::TimerSet { timer: key.sequence, id: said.id, deadline, by: said.by }.at(at)
            },
        );
    }

    fn say<W: Into<Happening>>(
        &self,
        whom: impl FnOnce(&Shared) -> Option<Outside>,
        what: impl FnOnce(&Recording, Said) -> W + Send + 'static,
    ) {
        if self.is_recorded {
            if let Some(owner) = self.owner.as_ref().and_then(Weak::upgrade) {
                owner.say(whom(&owner), what);
            }
        }
    }

    /// Forgets a timer. Nothing happens if it has fired.
    pub(crate) fn cancel(&self, key: Key) {
        let mut heap = self.heap.lock();
        let waker = heap.take(key);
        heap.sweep();
        let was_last = heap.wakers.len() == 0;
        drop(heap);
        if let Some(waker) = waker {
            self.say_dropped(key.sequence);
            given_up(waker, || Holder::Timer, drop);
        }
        let owner = self.owner.as_ref().filter(|owner| was_last && !context::is_loop(owner.as_ptr()));
        if let Some(owner) = owner.and_then(Weak::upgrade) {
            // Cancelled elsewhere: a loop that waits for this timer alone must look again.
            owner.look_again();
        }
    }

    fn say_dropped(&self, timer: u64) {
        self.say(|_| None, move |_, said| What::TimerDropped { timer, by: said.by });
    }

    /// The answer to the alarm: wakes all that is due.
    pub(crate) fn wake_due(&self) {
        let now = self.now();
        let mut heap = self.heap.lock();
        heap.alarmed = false;
        let youngest = heap.last_sequence;
        let due = self.take_due(&mut heap, Some(now), youngest);
        if heap.first_deadline().is_some() && heap.watched.is_none() {
            self.changed.notify_one();
        }
        drop(heap);
        self.wake(due, Some(now), youngest, |timer| self.say(|_| None, move |_, _| What::TimerFired { timer }));
    }

    /// Wakes what was taken off the heap; where each timer is told of, it was one, and the others follow.
    fn wake(&self, mut due: Vec<(u64, Waker)>, now: Option<Instant>, youngest: u64, tell: impl Fn(u64)) {
        while !due.is_empty() {
            for (timer, waker) in due {
                tell(timer);
                given_up(waker, || Holder::Timer, wake_one);
            }
            due = if self.is_recorded { self.take_due(&mut self.heap.lock(), now, youngest) } else { Vec::new() };
        }
    }

    /// One at a time where each is told of, so that a timer leaves the heap with its own event.
    fn take_due(&self, heap: &mut Heap, now: Option<Instant>, youngest: u64) -> Vec<(u64, Waker)> {
        heap.take_due(now, if self.is_recorded { 1 } else { usize::MAX }, youngest)
    }

    /// Moves a virtual clock to the next deadline, if there is one; returns what it showed before.
    pub(crate) fn jump(&self) -> Instant {
        let mut heap = self.heap.lock();
        let next = heap.first_deadline().map_or(heap.now, |next| next.max(heap.now));
        std::mem::replace(&mut heap.now, next)
    }

    /// Joins the thread. Whoever still waits is woken, and finds these timers closed.
    pub(crate) fn close(&self) {
        let mut heap = self.heap.lock();
        heap.closed = true;
        let thread = heap.thread.take();
        self.changed.notify_one();
        drop(heap);
        let waiting = self.take_due(&mut self.heap.lock(), None, u64::MAX);
        self.wake(waiting, None, u64::MAX, |timer| self.say_dropped(timer));
        if let Some(thread) = thread {
            // It runs no code of the user's and does not panic.
            let _ = thread.join();
        }
    }

    fn start(self: &Arc<Self>) -> thread::JoinHandle<()> {
        let timers = self.clone();
        thread::Builder::new()
            .name("handloop-timer".to_owned())
            .spawn(move || timers.watch())
            .unwrap_or_else(|error| panic!("a sleep needs its timer thread, and that could not be started: {error}"))
    }

    /// The body of the thread.
    fn watch(&self) {
        let mut heap = self.heap.lock();
        let mut earliest = Instant::now();
        while !heap.closed {
            let next = if heap.alarmed { None } else { heap.first_deadline() };
            heap.watched = next.map(|deadline| deadline.max(earliest));
            let now = Instant::now();
            heap = match heap.watched {
                None => self.changed.wait(heap),
                Some(until) if now < until => self.changed.wait_timeout(heap, until - now),
                Some(_) => {
                    earliest = now + SPACING;
                    self.fire(heap)
                }
            };
        }
    }

    fn fire<'a>(&'a self, mut heap: MutexGuard<'a, Heap>) -> MutexGuard<'a, Heap> {
        heap.watched = None;
        // Set first: the loop may answer before this thread has the lock again. While it stands nobody notifies this
        // thread, and `wake_due`, which clears it, does.
        heap.alarmed = true;
        drop(heap);
        let owner = self.owner.as_ref().and_then(Weak::upgrade);
        let is_answered = owner.is_some_and(|owner| {
            owner.tell(|inbox| {
                inbox.alarm |= inbox.is_running;
                inbox.is_running
            })
        });
        if !is_answered {
            // A loop that is between two runs must not keep a sleep waiting that was taken elsewhere.
            self.wake_due();
        }
        self.heap.lock()
    }
}

impl Heap {
    /// Lets `swap` see the waker of a timer that waits. True: nothing is left to do.
    fn swap_waker(&mut self, key: Key, standing: &mut Standing, swap: impl FnOnce(&mut Waker) -> bool) -> bool {
        match self.wakers.get_mut(key.slot).filter(|(sequence, _)| *sequence == key.sequence) {
            Some((_, waker)) => swap(waker),
            None => {
                *standing = if self.closed { Standing::Closed } else { Standing::Fired };
                true
            }
        }
    }

    fn is_live(&self, key: Key) -> bool {
        self.wakers.get(key.slot).is_some_and(|(sequence, _)| *sequence == key.sequence)
    }

    fn take(&mut self, key: Key) -> Option<Waker> {
        if self.is_live(key) { self.wakers.remove(key.slot).map(|(_, waker)| waker) } else { None }
    }

    fn sweep(&mut self) {
        let cancelled = self.entries.len() - self.wakers.len();
        if cancelled > self.wakers.len() && cancelled > SWEEP_FROM {
            let mut entries = std::mem::take(&mut self.entries);
            entries.retain(|Reverse((_, key))| self.is_live(*key));
            self.entries = entries;
        }
    }

    /// The earliest deadline that still stands.
    fn first_deadline(&mut self) -> Option<Instant> {
        while let Some(Reverse((deadline, key))) = self.entries.peek() {
            if self.is_live(*key) {
                return Some(*deadline);
            }
            self.entries.pop();
        }
        None
    }

    /// What is due at `now`, or all: at most so many, and none that was set after `youngest`.
    fn take_due(&mut self, now: Option<Instant>, most: usize, youngest: u64) -> Vec<(u64, Waker)> {
        let mut due = Vec::new();
        while let Some(&Reverse((deadline, key))) = self.entries.peek() {
            if now.is_some_and(|now| deadline > now) || due.len() == most || key.sequence > youngest {
                break;
            }
            self.entries.pop();
            due.extend(self.take(key).map(|waker| (key.sequence, waker)));
        }
        due
    }
}
