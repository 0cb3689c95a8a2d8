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

use crate::shared::Shared;
use crate::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, Weak, thread};

/// The thread raises the alarm at most this often, so that a crowd of deadlines costs one wake-up a millisecond, as
/// in other loops. A deadline that comes alone is met to the microsecond.
const SPACING: Duration = Duration::from_millis(1);

/// Cancelled entries are swept out when they outnumber the live ones, but not below this (TIME-07).
const SWEEP_FROM: usize = 64;

pub(crate) struct Timers {
    heap: Mutex<Heap>,
    /// Where the thread waits.
    changed: Condvar,
    /// The loop that is served. Gone, or never there: these are the timers of the process.
    owner: Weak<Shared>,
    is_virtual: bool,
}

struct Heap {
    /// By deadline, and among equal ones by age (TIME-03).
    entries: BinaryHeap<Reverse<Entry>>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    live: usize,
    next_sequence: u64,
    /// What a virtual clock shows.
    now: Instant,
    thread: Option<thread::JoinHandle<()>>,
    /// Until when the thread waits; `None`: until it is told.
    watched: Option<Instant>,
    /// The loop has not yet looked since the last alarm.
    alarmed: bool,
    closed: bool,
}

/// The derived order is by deadline, then by sequence, which is unique.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    deadline: Instant,
    sequence: u64,
    slot: u32,
}

/// An entry whose slot has another sequence was cancelled. 0 is nobody's.
struct Slot {
    sequence: u64,
    waker: Option<Waker>,
}

/// One registered timer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    slot: u32,
    sequence: u64,
}

pub(crate) enum Registered {
    Waiting(Key),
    /// The loop is closed: these timers fire no more.
    Closed(Waker),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// With the answer of whoever looked at its waker.
    Waits(bool),
    Fired,
    Closed,
}

impl Timers {
    pub(crate) fn of_loop(owner: Weak<Shared>, is_virtual: bool) -> Self {
        let heap = Heap {
            entries: BinaryHeap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            live: 0,
            next_sequence: 1,
            now: Instant::now(),
            thread: None,
            watched: None,
            alarmed: false,
            closed: false,
        };
        Timers { heap: Mutex::new(heap), changed: Condvar::default(), owner, is_virtual }
    }

    /// The timers of the process. Their thread is never joined.
    pub(crate) fn of_process() -> &'static Arc<Timers> {
        static TIMERS: OnceLock<Arc<Timers>> = OnceLock::new();
        TIMERS.get_or_init(|| Arc::new(Timers::of_loop(Weak::new(), false)))
    }

    pub(crate) fn is_virtual(&self) -> bool {
        self.is_virtual
    }

    pub(crate) fn now(&self) -> Instant {
        if self.is_virtual { self.heap.lock().now } else { Instant::now() }
    }

    /// Timers that have neither fired nor been cancelled.
    pub(crate) fn live(&self) -> usize {
        self.heap.lock().live
    }

    pub(crate) fn register(self: &Arc<Self>, deadline: Instant, waker: Waker) -> Registered {
        let mut heap = self.heap.lock();
        if heap.closed {
            drop(heap);
            return Registered::Closed(waker);
        }
        let key = heap.insert(deadline, waker);
        let is_first = matches!(heap.entries.peek(), Some(Reverse(first)) if first.sequence == key.sequence);
        if self.is_virtual {
            drop(heap);
            self.nudge();
        } else if is_first && !heap.alarmed {
            if heap.thread.is_none() {
                heap.thread = Some(self.start());
            } else if heap.watched.is_none_or(|watched| deadline < watched) {
                // The thread waits for a later deadline, or for none: it must look again (TIME-13, case 106).
                self.changed.notify_one();
            }
        }
        Registered::Waiting(key)
    }

    /// A virtual clock can now jump. A loop that is parked must be told, if this is another thread.
    fn nudge(&self) {
        if let Some(owner) = self.owner.upgrade() {
            if !owner.is_own_thread() {
                owner.tell(|_| {});
            }
        }
    }

    /// How a registered timer stands; if it waits, it wakes `waker` from now on (RUST-05).
    pub(crate) fn look(&self, key: Key, waker: &Waker) -> Standing {
        let standing = self.heap.lock().look(key, |waiting| waiting.will_wake(waker));
        let Standing::Waits(false) = standing else { return standing };
        // Cloned and dropped outside the lock, since a waker may be anybody's.
        let mut new = waker.clone();
        self.heap.lock().look(key, |waiting| {
            std::mem::swap(waiting, &mut new);
            true
        })
    }

    /// Forgets a timer. Nothing happens if it has fired.
    pub(crate) fn cancel(&self, key: Key) {
        let mut heap = self.heap.lock();
        let waker = heap.take(key);
        heap.sweep();
        drop(heap);
        drop(waker);
    }

    /// The loop's answer to the alarm: the wakers of all that is due, to be called without the lock.
    pub(crate) fn take_due(&self) -> Vec<Waker> {
        let now = self.now();
        let mut heap = self.heap.lock();
        heap.alarmed = false;
        let due = heap.take_due(now);
        let next = heap.first_deadline();
        if next.is_some() && heap.watched.is_none() && heap.thread.is_some() {
            self.changed.notify_one();
        }
        due
    }

    /// Moves a virtual clock to the next deadline. Nothing is called; the wakers are returned. None: no timer is left.
    pub(crate) fn jump(&self) -> Option<Vec<Waker>> {
        let mut heap = self.heap.lock();
        let next = heap.first_deadline()?;
        heap.now = heap.now.max(next);
        let now = heap.now;
        Some(heap.take_due(now))
    }

    /// Joins the thread. Whoever still waits is woken, and finds these timers closed.
    pub(crate) fn close(&self) {
        let mut heap = self.heap.lock();
        heap.closed = true;
        let thread = heap.thread.take();
        heap.entries.clear();
        heap.live = 0;
        let waiting: Vec<Waker> = heap.slots.drain(..).filter_map(|slot| slot.waker).collect();
        self.changed.notify_one();
        drop(heap);
        wake_all(waiting);
        if let Some(thread) = thread {
            // Its only panics would be those of wakers in the process's timers, which are never closed.
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
            let Some(deadline) = next else {
                heap.watched = None;
                heap = self.changed.wait(heap);
                continue;
            };
            let (now, until) = (Instant::now(), deadline.max(earliest));
            if now < until {
                heap.watched = Some(until);
                heap = self.changed.wait_timeout(heap, until - now);
                continue;
            }
            earliest = now + SPACING;
            heap = self.fire(heap);
        }
    }

    fn fire<'a>(&'a self, mut heap: MutexGuard<'a, Heap>) -> MutexGuard<'a, Heap> {
        if let Some(owner) = self.owner.upgrade() {
            // Set first: the loop may answer before this thread has the lock again. While it stands nobody notifies
            // this thread, and `take_due`, which clears it, does.
            heap.alarmed = true;
            heap.watched = None;
            drop(heap);
            owner.tell(|inbox| inbox.alarm = true);
        } else {
            let due = heap.take_due(Instant::now());
            drop(heap);
            wake_all(due);
        }
        self.heap.lock()
    }
}

/// Wakers may be anybody's: each is called without a lock, and its panic is its own.
pub(crate) fn wake_all(wakers: Vec<Waker>) {
    wakers.into_iter().for_each(wake_one);
}

pub(crate) fn wake_one(waker: Waker) {
    if let Err(payload) = crate::unwind::catch(|| waker.wake()) {
        crate::unwind::discard(payload);
    }
}

impl Heap {
    fn insert(&mut self, deadline: Instant, waker: Waker) -> Key {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let entry = Slot { sequence, waker: Some(waker) };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = entry;
                slot
            }
            None => {
                let slot = u32::try_from(self.slots.len()).expect("fewer than four billion timers");
                self.slots.push(entry);
                slot
            }
        };
        self.entries.push(Reverse(Entry { deadline, sequence, slot }));
        self.live += 1;
        Key { slot, sequence }
    }

    fn look(&mut self, key: Key, see: impl FnOnce(&mut Waker) -> bool) -> Standing {
        if self.closed {
            return Standing::Closed;
        }
        match self.slots.get_mut(key.slot as usize) {
            Some(Slot { sequence, waker: Some(waker) }) if *sequence == key.sequence => Standing::Waits(see(waker)),
            _ => Standing::Fired,
        }
    }

    fn take(&mut self, key: Key) -> Option<Waker> {
        let slot = self.slots.get_mut(key.slot as usize).filter(|slot| slot.sequence == key.sequence)?;
        slot.sequence = 0;
        self.free.push(key.slot);
        self.live -= 1;
        slot.waker.take()
    }

    fn sweep(&mut self) {
        let cancelled = self.entries.len() - self.live;
        if cancelled > self.live && cancelled > SWEEP_FROM {
            let slots = &self.slots;
            self.entries.retain(|Reverse(entry)| slots[entry.slot as usize].sequence == entry.sequence);
        }
    }

    /// The earliest deadline that still stands.
    fn first_deadline(&mut self) -> Option<Instant> {
        while let Some(Reverse(first)) = self.entries.peek() {
            if self.slots[first.slot as usize].sequence == first.sequence {
                return Some(first.deadline);
            }
            self.entries.pop();
        }
        None
    }

    fn take_due(&mut self, now: Instant) -> Vec<Waker> {
        let mut due = Vec::new();
        while let Some(Reverse(first)) = self.entries.peek() {
            if first.deadline > now {
                break;
            }
            let key = Key { slot: first.slot, sequence: first.sequence };
            self.entries.pop();
            due.extend(self.take(key));
        }
        due
    }
}
