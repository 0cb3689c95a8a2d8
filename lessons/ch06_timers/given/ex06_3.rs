//! Exercise 6.3, find the bug: about 15 minutes.
//!
//! `watch` is a timer thread. It fires timers late, now and then: it waits for a timer of 3 seconds, a timer of 100 ms
//! is inserted, and that fires after 3 seconds. The project jolt had this defect (its pull request 584: a timer of
//! 100 ms took 2998 ms).
//!
//! On real threads that depends on chance. Here it does not: the clock of `Machine` is virtual, each call takes 1 µs of
//! it, and the other thread inserts its timer at the place that an `Insertion` names. `after: N` counts the calls that
//! `watch` makes of methods of `Machine` and `Guard`, from its beginning: `now`, `lock`, `wait_timeout`, `earliest` and
//! `fire`, each time that one of them is called. The timer comes in after call N and before call N + 1. If `watch` has
//! the lock there, it comes in when `watch` gives the lock back. A `wait_timeout` gives it back as soon as it begins: if
//! call N is a `wait_timeout`, the timer comes in during the wait.
//!
//! Deadlines are times of that clock, which begins at 0. A timer is late if it fires more than 1 ms after its deadline,
//! or, where the deadline has come when it is inserted, more than 1 ms after its insertion.
//!
//! 1. Reproduce it: `watch` begins with one timer, of 3 seconds. Let `reproduce` return an insertion whose timer is late.
//! 2. Repair `watch`. No timer may be late, wherever it is inserted, and the thread may not look again and again while
//!    nothing is due: it waits for the earliest deadline, and when there is none it ends. All of `Machine` stays as it
//!    is.
//!
//! Check it with `cargo run -- check ch06 3`.

use std::cell::{Cell, RefCell};
use std::panic::panic_any;
use std::time::Duration;

/// The timer thread: fires each timer when it is due, and ends when there is none.
pub fn watch(machine: &Machine) {
    loop {
        let now = machine.now();
        let earliest = machine.lock().earliest();
        let Some(deadline) = earliest else { return };
        if deadline <= now {
            machine.lock().fire();
        } else {
            let timers = machine.lock();
            drop(machine.wait_timeout(timers, deadline - now));
        }
    }
}

/// The other thread inserts a timer with this deadline, after so many calls of `watch`.
pub fn reproduce() -> Insertion {
    todo!("an insertion whose timer is late: Insertion {{ after: …, deadline: Duration::from_millis(…) }}")
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
