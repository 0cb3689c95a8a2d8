//! Breaks rule 6.4: it makes its timer before it looks at the clock, also when the deadline has come and nobody will wait.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

pub struct Sleep {
    timers: Timers,
    deadline: Duration,
    /// Of its timer, once it has one.
    number: Option<u64>,
}

impl Sleep {
    pub fn new(timers: &Timers, time: Duration) -> Self {
        Sleep { timers: timers.clone(), deadline: timers.now().saturating_add(time), number: None }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let waker = context.waker().clone();
        match self.number {
            Some(number) => self.timers.replace(number, waker),
            None => self.number = Some(self.timers.insert(self.deadline, waker)),
        }
        if self.timers.now() >= self.deadline {
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.timers.remove(number);
        }
    }
}

// What follows is given. A clone of `Timers` is a second handle to the same timers.

#[derive(Clone, Default)]
pub struct Timers(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    now: Duration,
    made: u64,
    entries: BTreeMap<u64, (Duration, Waker)>,
}

impl Timers {
    /// Makes a timer. Returns its number.
    pub fn insert(&self, deadline: Duration, waker: Waker) -> u64 {
        let mut state = self.0.borrow_mut();
        state.made += 1;
        let number = state.made;
        state.entries.insert(number, (deadline, waker));
        number
    }

    /// Gives a timer another waker. Nothing happens if it has fired.
    pub fn replace(&self, number: u64, waker: Waker) {
        let mut state = self.0.borrow_mut();
        let old = state.entries.get_mut(&number).map(|(_, old)| std::mem::replace(old, waker));
        drop(state);
        drop(old);
    }

    /// Takes a timer off. Nothing happens if it has fired.
    pub fn remove(&self, number: u64) {
        let mut state = self.0.borrow_mut();
        let old = state.entries.remove(&number);
        drop(state);
        drop(old);
    }

    pub fn now(&self) -> Duration {
        self.0.borrow().now
    }

    /// How many timers were ever made.
    pub fn made(&self) -> u64 {
        self.0.borrow().made
    }

    /// How many timers there are now.
    pub fn entries(&self) -> usize {
        self.0.borrow().entries.len()
    }

    /// Time passes, and nothing fires yet.
    pub fn set_time(&self, now: Duration) {
        self.0.borrow_mut().now = now;
    }

    /// Fires all timers that are due, in the order of their numbers. Each is taken off, and then its waker is called.
    pub fn fire(&self) {
        loop {
            let mut state = self.0.borrow_mut();
            let now = state.now;
            let due = state.entries.iter().find(|(_, (deadline, _))| *deadline <= now).map(|(number, _)| *number);
            let Some((_, waker)) = due.and_then(|number| state.entries.remove(&number)) else { return };
            drop(state);
            waker.wake();
        }
    }
}
