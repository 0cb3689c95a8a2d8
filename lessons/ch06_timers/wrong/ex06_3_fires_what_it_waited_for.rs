//! Breaks rule 6.1: it fires the earliest timer after each wait, without a look at the clock: also when the wait was cut short.

use std::cell::{Cell, RefCell};
use std::panic::panic_any;
use std::time::Duration;

/// The timer thread: fires each timer when it is due, and ends when there is none.
pub fn watch(machine: &Machine) {
    let mut timers = machine.lock();
    while let Some(deadline) = timers.earliest() {
        let now = machine.now();
        if now < deadline {
            timers = machine.wait_timeout(timers, deadline - now);
        }
        timers.fire();
    }
}

/// The other thread inserts a timer with this deadline, after so many calls of `watch`.
pub fn reproduce() -> Insertion {
    Insertion { after: 3, deadline: Duration::from_millis(100) }
}

#[derive(Clone, Debug)]
pub struct Insertion {
    pub after: usize,
    pub deadline: Duration,
}

// What follows is given: a lock, a condition variable and a clock, as one thread sees them.

#[derive(Default)]
pub struct Machine {
    time: Cell<Duration>,
    is_locked: Cell<bool>,
    is_waiting: Cell<bool>,
    is_notified: Cell<bool>,
    timers: RefCell<Vec<Timer>>,
    insertions: RefCell<Vec<Insertion>>,
    pub calls: Cell<usize>,
    pub waits: RefCell<Vec<Wait>>,
    /// The last look found no timer. The thread ends then: the next timer starts another one.
    pub is_idle: Cell<bool>,
}

#[derive(Clone, Debug)]
pub struct Timer {
    pub deadline: Duration,
    pub inserted: Duration,
    /// It was inserted while the timer thread waited.
    pub cut_in: bool,
    pub fired: Option<Duration>,
}

#[derive(Clone, Debug)]
pub struct Wait {
    pub from: Duration,
    pub timeout: Duration,
}

/// The lock, held. To drop it gives it back.
pub struct Guard<'a>(&'a Machine);

/// What ends a run that would have no end.
pub struct Over;

impl Machine {
    pub fn new(deadlines: &[Duration], insertions: &[Insertion]) -> Self {
        let machine = Machine { insertions: RefCell::new(insertions.to_vec()), ..Machine::default() };
        deadlines.iter().for_each(|deadline| machine.insert(*deadline));
        machine
    }

    /// The time.
    pub fn now(&self) -> Duration {
        self.call();
        self.time.get()
    }

    /// Takes the lock.
    #[track_caller]
    pub fn lock(&self) -> Guard<'_> {
        self.call();
        assert!(!self.is_locked.replace(true), "the thread that has the lock locks it again, and so waits for itself");
        Guard(self)
    }

    /// Gives the lock back and waits, both in one step; returns with the lock when it is notified or the time is over.
    pub fn wait_timeout<'a>(&'a self, guard: Guard<'a>, timeout: Duration) -> Guard<'a> {
        self.call();
        self.waits.borrow_mut().push(Wait { from: self.time.get(), timeout });
        self.is_waiting.set(true);
        self.is_notified.set(false);
        drop(guard);
        self.is_waiting.set(false);
        if !self.is_notified.get() {
            let end = self.time.get().saturating_add(timeout);
            if end == Duration::MAX {
                panic_any(Over);
            }
            self.time.set(end);
        }
        self.is_locked.set(true);
        Guard(self)
    }

    /// All timers that there were, in the order in which they were inserted.
    pub fn timers(&self) -> Vec<Timer> {
        self.timers.borrow().clone()
    }

    /// What each call of the timer thread does first.
    fn call(&self) {
        self.let_others_run();
        self.calls.set(self.calls.get() + 1);
        self.time.set(self.time.get() + Duration::from_micros(1));
        if self.calls.get() == 1_000_000 {
            panic_any(Over);
        }
    }

    fn let_others_run(&self) {
        let is_due = |insertion: &mut Insertion| insertion.after <= self.calls.get();
        while !self.is_locked.get() {
            let due = self.insertions.borrow_mut().iter_mut().position(is_due);
            let Some(place) = due else { return };
            let insertion = self.insertions.borrow_mut().remove(place);
            self.insert(insertion.deadline);
        }
    }

    /// What the other thread does: it takes the lock, inserts, and notifies. Who does not wait does not hear it.
    fn insert(&self, deadline: Duration) {
        let timer = Timer { deadline, inserted: self.time.get(), cut_in: self.is_waiting.get(), fired: None };
        self.timers.borrow_mut().push(timer);
        self.is_notified.set(true);
    }
}

impl Guard<'_> {
    /// The earliest deadline of all timers that have not fired.
    pub fn earliest(&self) -> Option<Duration> {
        self.0.call();
        let timers = self.0.timers.borrow();
        let earliest = timers.iter().filter(|timer| timer.fired.is_none()).map(|timer| timer.deadline).min();
        self.0.is_idle.set(earliest.is_none());
        earliest
    }

    /// Fires the timer with the earliest deadline.
    pub fn fire(&mut self) {
        self.0.call();
        let mut timers = self.0.timers.borrow_mut();
        let left = timers.iter_mut().filter(|timer| timer.fired.is_none());
        if let Some(timer) = left.min_by_key(|timer| timer.deadline) {
            timer.fired = Some(self.0.time.get());
        }
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.is_locked.set(false);
        self.0.let_others_run();
    }
}
