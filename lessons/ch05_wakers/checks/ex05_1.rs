//! The check of exercise 5.1.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex05_1.rs"]
mod exercise;

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::task::Context;

use checker::contract::{Breach, Complete, Probe, check_future};
use checker::{Verdict, messages};
use exercise::{Promised, promise};

fn main() -> ExitCode {
    checker::run(
        "ex05_1",
        &[("5.1", leaves_its_waker), ("5.3", keeps_the_latest_waker), ("5.2", nothing_comes_in_between)],
    )
}

/// A `Mutex` for one thread, at which the code of a second one can be made to wait.
mod lock {
    use std::cell::{Cell, RefCell, RefMut};
    use std::ops::{Deref, DerefMut};
    use std::sync::LockResult;

    type Code = Box<dyn FnOnce()>;

    thread_local! {
        static IS_HELD: Cell<bool> = const { Cell::new(false) };
        /// What waits until a lock is free: after so many more times that it is let go of.
        static WAITING: RefCell<Vec<(usize, Code)>> = const { RefCell::new(Vec::new()) };
    }

    #[derive(Debug)]
    pub struct Mutex<T>(RefCell<T>);

    #[derive(Debug)]
    pub struct Guard<'a, T>(Option<RefMut<'a, T>>);

    impl<T> Mutex<T> {
        pub fn new(value: T) -> Self {
            Mutex(RefCell::new(value))
        }

        #[track_caller]
        pub fn lock(&self) -> LockResult<Guard<'_, T>> {
            assert!(!IS_HELD.replace(true), "{}", super::messages::locked_twice());
            Ok(Guard(Some(self.0.borrow_mut())))
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
            if std::thread::panicking() {
                return;
            }
            let (due, left): (Vec<_>, Vec<_>) =
                WAITING.take().into_iter().map(|(times, code)| (times - 1, code)).partition(|(times, _)| *times == 0);
            WAITING.set(left);
            due.into_iter().for_each(|(_, code)| code());
        }
    }

    /// Runs code as another thread would that needs the lock: now, or as soon as it is free.
    pub fn when_free(code: impl FnOnce() + 'static) {
        if IS_HELD.get() { at_release(1, code) } else { code() }
    }

    /// Runs code when a lock has been let go of so many times more.
    pub fn at_release(times: usize, code: impl FnOnce() + 'static) {
        WAITING.with_borrow_mut(|waiting| waiting.push((times, Box::new(code))));
    }

    /// What still waits comes in now.
    pub fn let_all_in() {
        WAITING.take().into_iter().for_each(|(_, code)| code());
    }
}

fn make() -> (Promised<u32>, Complete) {
    let (promise, promised) = promise();
    let promise = RefCell::new(Some(promise));
    // Who has set the result lets go of the slot: a waker that is left in it ends with the future.
    let complete = move || {
        if let Some(promise) = promise.take() {
            lock::when_free(move || promise.set(7));
        }
    };
    (promised, Box::new(complete))
}

/// The first breach, if it is one of those: the others are other rules'.
fn only(breaches: &[Breach]) -> Verdict {
    match check_future(make) {
        Err(breach) if breaches.contains(&breach) => Err(messages::breach(breach).to_owned()),
        _ => Ok(()),
    }
}

fn leaves_its_waker() -> Verdict {
    only(&[
        Breach::ReadyTooSoon,
        Breach::PendingTooLong,
        Breach::KeptNoWaker,
        Breach::WokeNobody,
        Breach::LeakedWakers,
        Breach::DroppedTooOften,
    ])
}

fn keeps_the_latest_waker() -> Verdict {
    only(&[Breach::WokeTheOldWaker, Breach::KeptOneWakerPerPoll])
}

/// The result comes in each time that the lock is let go of during the poll: after the first time, the second, …
fn nothing_comes_in_between() -> Verdict {
    only(&[Breach::LostTheWakeInTheWindow])?;
    if check_future(make).is_err() {
        return Ok(());
    }
    for times in 1..=20 {
        let (promise, promised) = promise();
        let (promise, is_set) = (Rc::new(promise), Rc::new(Cell::new(false)));
        let (other, told) = (promise.clone(), is_set.clone());
        lock::at_release(times, move || {
            told.set(true);
            other.set(7);
        });
        let probe = Probe::new();
        let mut promised = pin!(promised);
        let mut poll = || probe.with_waker(|waker| promised.as_mut().poll(&mut Context::from_waker(waker)).is_ready());
        let is_ready = poll();
        let came_in = is_set.get();
        lock::let_all_in();
        let is_ready = is_ready || probe.wakes() > 0 && poll();
        if !is_ready {
            return Err(messages::breach(Breach::LostTheWakeInTheWindow).to_owned());
        }
        if !came_in {
            break;
        }
    }
    Ok(())
}
