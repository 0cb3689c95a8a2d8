//! `Mutex` and `Condvar`, used as those of std are, for a check that plays all other threads itself. The `Mutex` has only
//! `lock`. It knows whether the lock is held, lets another thread come in whenever it is let go of, and has a thread that
//! waits to be notified.

use std::cell::{Cell, RefCell};
use std::ops::{Deref, DerefMut};
use std::panic::{Location, panic_any};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LockResult, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};

use super::endless::Endless;
use super::messages;

type Code = Box<dyn FnOnce()>;

/// The thread that plays all others.
static PLAYER: OnceLock<ThreadId> = OnceLock::new();

/// Another thread wanted the lock.
static WAS_ELSEWHERE: AtomicBool = AtomicBool::new(false);

thread_local! {
    static IS_HELD: Cell<bool> = const { Cell::new(false) };
    static WAS_USED: Cell<bool> = const { Cell::new(false) };
    /// The line that took it while it was held.
    static TAKEN_TWICE: Cell<Option<u32>> = const { Cell::new(None) };
    /// How often the lock may still be taken.
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
    /// The code of other threads, which comes in when a lock has been let go of so many times more.
    static WAITING: RefCell<Vec<(usize, Code)>> = const { RefCell::new(Vec::new()) };
    /// A thread that waits: it looks when it is notified and the lock is free, and says whether it goes on.
    static SLEEPER: RefCell<Option<Rc<dyn Fn() -> bool>>> = const { RefCell::new(None) };
    static IS_NOTIFIED: Cell<bool> = const { Cell::new(false) };
}

#[derive(Debug, Default)]
pub struct Mutex<T>(std::sync::Mutex<T>);

#[derive(Debug)]
pub struct Guard<'a, T>(Option<MutexGuard<'a, T>>);

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Mutex(std::sync::Mutex::new(value))
    }

    #[track_caller]
    pub fn lock(&self) -> LockResult<Guard<'_, T>> {
        if *PLAYER.get_or_init(|| thread::current().id()) != thread::current().id() {
            WAS_ELSEWHERE.store(true, Ordering::SeqCst);
            panic!("{}", messages::own_thread());
        }
        WAS_USED.set(true);
        if IS_HELD.replace(true) {
            TAKEN_TWICE.set(Some(Location::caller().line()));
            panic!("{}", messages::locked_twice());
        }
        LEFT.set(LEFT.get().saturating_sub(1));
        // What is dropped while that unwinds may lock too.
        if LEFT.get() == 0 && !thread::panicking() {
            IS_HELD.set(false);
            panic_any(Endless);
        }
        Ok(Guard(Some(self.0.lock().unwrap_or_else(PoisonError::into_inner))))
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is held until it is dropped")
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("it is held until it is dropped")
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        self.0.take();
        IS_HELD.set(false);
        if thread::panicking() {
            return;
        }
        let (due, left): (Vec<_>, Vec<_>) =
            WAITING.take().into_iter().map(|(times, code)| (times - 1, code)).partition(|(times, _)| *times == 0);
        WAITING.set(left);
        due.into_iter().for_each(|(_, code)| code());
        let_the_sleeper_look();
    }
}

#[derive(Default)]
pub struct Condvar(());

impl Condvar {
    pub fn new() -> Self {
        Condvar::default()
    }

    pub fn notify_one(&self) {
        IS_NOTIFIED.set(true);
        let_the_sleeper_look();
    }

    pub fn notify_all(&self) {
        self.notify_one();
    }

    /// The thread that calls this would sleep, and it is the one that is to notify.
    #[track_caller]
    pub fn wait<'a, T>(&self, _: Guard<'a, T>) -> LockResult<Guard<'a, T>> {
        panic!("{}", messages::wake_waits())
    }
}

fn let_the_sleeper_look() {
    if IS_HELD.get() || !IS_NOTIFIED.replace(false) {
        return;
    }
    if let Some(sleeper) = SLEEPER.take() {
        if !sleeper() {
            SLEEPER.set(Some(sleeper));
        }
    }
}

pub fn was_taken_elsewhere() -> bool {
    WAS_ELSEWHERE.load(Ordering::SeqCst)
}

pub fn is_held() -> bool {
    IS_HELD.get()
}

pub fn was_used() -> bool {
    WAS_USED.get()
}

/// The line that took the lock while it was held, and ended in a panic; it is said once.
pub fn taken_twice() -> Option<u32> {
    TAKEN_TWICE.take()
}

/// From now on the lock can be taken fewer than so many times; then `Endless` ends the call.
pub fn allow(times: usize) {
    LEFT.set(times);
}

/// Runs code when a lock has been let go of so many times more.
pub fn at_release(times: usize, code: impl FnOnce() + 'static) {
    WAITING.with_borrow_mut(|waiting| waiting.push((times, Box::new(code))));
}

/// Runs code as another thread would that needs the lock: now, or as soon as it is free.
pub fn when_free(code: impl FnOnce() + 'static) {
    if IS_HELD.get() { at_release(1, code) } else { code() }
}

/// What still waits for the lock comes in now.
pub fn let_all_in() {
    WAITING.take().into_iter().for_each(|(_, code)| code());
}

/// A thread waits from now on.
pub fn sleep(look: impl Fn() -> bool + 'static) {
    IS_NOTIFIED.set(false);
    SLEEPER.set(Some(Rc::new(look)));
}

/// Nobody waits any more, neither for the lock nor to be notified.
pub fn clear() {
    WAITING.take();
    SLEEPER.take();
}
