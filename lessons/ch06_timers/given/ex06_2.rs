//! Exercise 6.2, extend: about 5 minutes.
//!
//! This `Sleep` works, and leaves things behind: it makes a timer in each poll, and takes none off. Extend it:
//!
//! 1. It has one timer, however often it is polled, and that has the latest waker. The first poll that returns pending
//!    makes it: not `new`, and not a poll that is ready.
//! 2. When it is dropped its timer is taken off.
//! 3. `Sleep::new(&timers, Duration::MAX)` is a sleep that never ends, whatever the clock shows.
//!
//! Add fields and an `impl Drop`; `new` and `poll` keep their signatures, deadlines are counted from `new`, as here, and
//! `Timers` stays as it is. Check it with `cargo run -- check ch06 2`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

pub struct Sleep {
    timers: Timers,
    deadline: Duration,
}

impl Sleep {
    pub fn new(timers: &Timers, time: Duration) -> Self {
        Sleep { timers: timers.clone(), deadline: timers.now() + time }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.timers.now() >= self.deadline {
            return Poll::Ready(());
        }
        let _number = self.timers.insert(self.deadline, context.waker().clone());
        Poll::Pending
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
