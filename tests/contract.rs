//! The contract checker: right futures and wakers pass, and each wrong one is caught for what it does.

#[allow(dead_code, missing_docs)]
#[path = "../lessons/checker/mod.rs"]
mod checker;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};

use checker::contract::{Breach, Complete, check_future, check_waker};
use handloop::create_future;

/// What a future of this test does wrong.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    ReadyTooSoon,
    NeverReady,
    KeepsNothing,
    WakesNobody,
    KeepsTheFirst,
    LooksOnce,
    KeepsAll,
    Leaks,
    DropsTwice,
}

#[derive(Default)]
struct Source {
    is_complete: bool,
    wakers: Vec<Waker>,
}

struct Waits {
    source: Arc<Mutex<Source>>,
    fault: Fault,
}

impl Future for Waits {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let is_complete = || self.source.lock().unwrap().is_complete && self.fault != Fault::NeverReady;
        if is_complete() || self.fault == Fault::ReadyTooSoon {
            return Poll::Ready(());
        }
        if self.fault == Fault::KeepsNothing {
            return Poll::Pending;
        }
        let new = context.waker().clone();
        let mut source = self.source.lock().unwrap();
        let old = match self.fault {
            Fault::KeepsAll => vec![],
            Fault::KeepsTheFirst if !source.wakers.is_empty() => vec![new.clone()],
            _ => std::mem::take(&mut source.wakers),
        };
        if source.wakers.is_empty() || self.fault == Fault::KeepsAll {
            source.wakers.push(new);
        }
        drop(source);
        drop(old);
        // A completion between the first look and the keeping would have found no waker.
        if self.fault != Fault::LooksOnce && is_complete() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        let wakers = std::mem::take(&mut self.source.lock().unwrap().wakers);
        if self.fault == Fault::Leaks {
            wakers.into_iter().for_each(std::mem::forget);
        }
    }
}

fn make(fault: Fault) -> (Waits, Complete) {
    let source = Arc::new(Mutex::new(Source::default()));
    let other = source.clone();
    let complete = move || {
        let wakers = {
            let mut source = other.lock().unwrap();
            source.is_complete = true;
            std::mem::take(&mut source.wakers)
        };
        if fault == Fault::DropsTwice {
            #[allow(unsafe_code)]
            // SAFETY: it is the defect that the probe is for: it counts a release too many, and frees nothing.
            wakers.iter().for_each(|waker| drop(unsafe { Waker::new(waker.data(), waker.vtable()) }));
        }
        if fault != Fault::WakesNobody {
            wakers.into_iter().for_each(Waker::wake);
        }
    };
    (Waits { source, fault }, Box::new(complete))
}

#[test]
fn each_fault_of_a_future_is_caught_for_what_it_is() {
    let cases = [
        (Fault::None, Ok(())),
        (Fault::ReadyTooSoon, Err(Breach::ReadyTooSoon)),
        (Fault::NeverReady, Err(Breach::PendingTooLong)),
        (Fault::KeepsNothing, Err(Breach::KeptNoWaker)),
        (Fault::WakesNobody, Err(Breach::WokeNobody)),
        (Fault::KeepsTheFirst, Err(Breach::WokeTheOldWaker)),
        (Fault::LooksOnce, Err(Breach::LostTheWakeInTheWindow)),
        (Fault::KeepsAll, Err(Breach::KeptOneWakerPerPoll)),
        (Fault::Leaks, Err(Breach::LeakedWakers)),
        (Fault::DropsTwice, Err(Breach::DroppedTooOften)),
    ];
    for (fault, expected) in cases {
        assert_eq!(check_future(|| make(fault)), expected);
    }
}

/// The executor's own leaf keeps the contract that the course teaches.
#[test]
fn a_promise_of_handloop_keeps_the_contract() {
    let make = || {
        let (promise, future) = create_future::<()>();
        let promise = Mutex::new(Some(promise));
        let complete = move || promise.lock().unwrap().take().into_iter().for_each(|promise| promise.set_result(()));
        (future, Box::new(complete) as Complete)
    };
    assert_eq!(check_future(make), Ok(()));
}

struct Counts(AtomicUsize);

impl Wake for Counts {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_right_waker_passes() {
    let make = || {
        let counts = Arc::new(Counts(AtomicUsize::new(0)));
        let wakes = counts.clone();
        (Waker::from(counts), Box::new(move || wakes.0.load(Ordering::SeqCst)) as Box<dyn Fn() -> usize>)
    };
    assert_eq!(check_waker(make), Ok(()));
}

/// Wakers that do nothing, wake twice, or wake when they are dropped.
#[test]
fn each_fault_of_a_waker_is_caught_for_what_it_is() {
    static WAKES: AtomicUsize = AtomicUsize::new(0);
    fn count(by: usize) {
        WAKES.fetch_add(by, Ordering::SeqCst);
    }
    static NOTHING: RawWakerVTable = RawWakerVTable::new(|data| RawWaker::new(data, &NOTHING), |_| (), |_| (), |_| ());
    static BY_VALUE_TWICE: RawWakerVTable =
        RawWakerVTable::new(|data| RawWaker::new(data, &BY_VALUE_TWICE), |_| count(2), |_| count(1), |_| ());
    static ON_DROP: RawWakerVTable =
        RawWakerVTable::new(|data| RawWaker::new(data, &ON_DROP), |_| count(1), |_| count(1), |_| count(1));
    static OTHER_CLONE: RawWakerVTable =
        RawWakerVTable::new(|data| RawWaker::new(data, &ON_DROP), |_| count(1), |_| count(1), |_| ());
    for (table, expected) in [
        (&NOTHING, "`wake_by_ref` did not wake"),
        (&BY_VALUE_TWICE, "`wake` on a clone did not wake"),
        (&ON_DROP, "to drop a waker woke"),
        (&OTHER_CLONE, "`will_wake` says that a clone wakes another task"),
    ] {
        let make = || {
            WAKES.store(0, Ordering::SeqCst);
            #[allow(unsafe_code)]
            // SAFETY: the functions touch no pointer.
            let waker = unsafe { Waker::new(std::ptr::null(), table) };
            (waker, Box::new(|| WAKES.load(Ordering::SeqCst)) as Box<dyn Fn() -> usize>)
        };
        let seen = check_waker(make).unwrap_err();
        assert!(seen.starts_with(expected), "{seen}");
    }
}
