//! The contract of a future, put to the test by an adversary: it polls too often, changes the waker, completes the source
//! in the worst moments, drops in mid-wait, and counts every clone of a waker.
//!
//! It takes any future that waits for a source outside of it: `make` gives the future and what completes the source.

use std::cell::RefCell;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

/// What completes the source. It may be called more than once; only the first call counts.
pub type Complete = Box<dyn Fn()>;

/// What a future of yours did that its contract forbids.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Breach {
    /// Polled before its source was complete, it was ready.
    ReadyTooSoon,
    /// Its source was complete, and it was pending.
    PendingTooLong,
    /// It returned pending, and kept no waker: nothing can ever wake its task.
    KeptNoWaker,
    /// The source was completed, and no waker was called.
    WokeNobody,
    /// Polled with a second waker, it called the first one only.
    WokeTheOldWaker,
    /// The source was completed while the waker was cloned, and nobody was woken: it looked, then kept the waker, and did
    /// not look again.
    LostTheWakeInTheWindow,
    /// Polled again and again, it kept a waker each time.
    KeptOneWakerPerPoll,
    /// It is gone, and the wakers that it kept are not.
    LeakedWakers,
    /// A waker was dropped twice, or one was dropped that was never cloned.
    DroppedTooOften,
}

/// Puts a future to the test. `make` gives a new one, and what completes its source.
///
/// # Errors
/// The first breach of the contract.
pub fn check_future<F: Future>(make: impl Fn() -> (F, Complete)) -> Result<(), Breach> {
    pending_then_woken(&make)?;
    ready_at_once_if_complete(&make)?;
    polled_without_need(&make)?;
    polled_with_another_waker(&make)?;
    completed_within_clone(&make)?;
    dropped_while_it_waits(&make)
}

fn pending_then_woken<F: Future>(make: &impl Fn() -> (F, Complete)) -> Result<(), Breach> {
    let (future, complete) = make();
    let probe = Probe::new();
    {
        let mut future = pin!(future);
        let mut poll = || probe.poll(future.as_mut()).is_ready();
        if poll() {
            return Err(Breach::ReadyTooSoon);
        }
        if probe.alive() == 0 && probe.wakes() == 0 {
            return Err(Breach::KeptNoWaker);
        }
        let before = probe.wakes();
        complete();
        complete();
        if probe.wakes() == before {
            return Err(Breach::WokeNobody);
        }
        if !poll() {
            return Err(Breach::PendingTooLong);
        }
    }
    probe.balanced()
}

fn ready_at_once_if_complete<F: Future>(make: &impl Fn() -> (F, Complete)) -> Result<(), Breach> {
    let (future, complete) = make();
    complete();
    let probe = Probe::new();
    let mut future = pin!(future);
    let is_ready = probe.poll(future.as_mut()).is_ready();
    if is_ready { Ok(()) } else { Err(Breach::PendingTooLong) }
}

fn polled_without_need<F: Future>(make: &impl Fn() -> (F, Complete)) -> Result<(), Breach> {
    let (future, complete) = make();
    let probe = Probe::new();
    let mut future = pin!(future);
    for _ in 0..10 {
        if probe.poll(future.as_mut()).is_ready() {
            return Err(Breach::ReadyTooSoon);
        }
    }
    if probe.alive() >= 10 {
        return Err(Breach::KeptOneWakerPerPoll);
    }
    complete();
    if probe.wakes() == 0 { Err(Breach::WokeNobody) } else { Ok(()) }
}

fn polled_with_another_waker<F: Future>(make: &impl Fn() -> (F, Complete)) -> Result<(), Breach> {
    let (future, complete) = make();
    let probes = [Probe::new(), Probe::new()];
    let mut future = pin!(future);
    for probe in &probes {
        let polled: Poll<F::Output> = probe.poll(future.as_mut());
        if polled.is_ready() {
            return Err(Breach::ReadyTooSoon);
        }
    }
    complete();
    match probes.map(|probe| probe.wakes()) {
        [_, wakes] if wakes > 0 => Ok(()),
        [0, 0] => Err(Breach::WokeNobody),
        _ => Err(Breach::WokeTheOldWaker),
    }
}

/// The worst moment: the source is complete as soon as the future asks for a clone to keep.
fn completed_within_clone<F: Future>(make: &impl Fn() -> (F, Complete)) -> Result<(), Breach> {
    let (future, complete) = make();
    let probe = Probe::new();
    probe.on_clone(complete);
    let mut future = pin!(future);
    let mut poll = || probe.poll(future.as_mut()).is_ready();
    if poll() || probe.wakes() > 0 && poll() { Ok(()) } else { Err(Breach::LostTheWakeInTheWindow) }
}

fn dropped_while_it_waits<F: Future>(make: &impl Fn() -> (F, Complete)) -> Result<(), Breach> {
    let (future, complete) = make();
    let probe = Probe::new();
    {
        let mut future = Box::pin(future);
        let _: Poll<F::Output> = probe.poll(future.as_mut());
    }
    let before = probe.balanced();
    // A completion that comes too late must find nothing to wake; that it does is no breach.
    complete();
    drop(complete);
    before.or_else(|_| probe.balanced())
}

/// Puts a waker of yours to the test: `make` gives a new one, and what tells how often its task was woken.
///
/// # Errors
/// What was seen.
pub fn check_waker(make: impl Fn() -> (Waker, Box<dyn Fn() -> usize>)) -> Result<(), &'static str> {
    let (waker, wakes) = make();
    waker.wake_by_ref();
    if wakes() != 1 {
        return Err("`wake_by_ref` did not wake the task exactly once.");
    }
    let clone = waker.clone();
    if !clone.will_wake(&waker) {
        return Err("`will_wake` says that a clone wakes another task: give all clones one table and one pointer.");
    }
    clone.wake();
    if wakes() != 2 {
        return Err("`wake` on a clone did not wake the task exactly once.");
    }
    drop(waker.clone());
    if wakes() != 2 {
        return Err("to drop a waker woke the task.");
    }
    std::thread::scope(|scope| scope.spawn(|| waker.wake_by_ref()).join()).map_err(|_| "`wake_by_ref` panicked.")?;
    if wakes() == 3 { Ok(()) } else { Err("a wake on another thread did not wake the task exactly once.") }
}

/// A waker that counts, and that does what it is told when it is cloned.
pub struct Probe(Arc<Counts>);

#[derive(Default)]
struct Counts {
    wakes: AtomicUsize,
    clones: AtomicUsize,
    drops: AtomicUsize,
}

thread_local! {
    /// What the next clone on this thread sets off.
    static ON_CLONE: RefCell<Option<Complete>> = const { RefCell::new(None) };
}

static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

impl Probe {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Probe(Arc::default())
    }

    /// How often one of its wakers was called.
    pub fn wakes(&self) -> usize {
        self.0.wakes.load(Ordering::SeqCst)
    }

    /// Clones that are neither called by value nor dropped.
    pub fn alive(&self) -> usize {
        self.0.clones.load(Ordering::SeqCst).saturating_sub(self.0.drops.load(Ordering::SeqCst))
    }

    /// Sets off `code` within the first clone that is made on this thread.
    pub fn on_clone(&self, code: Complete) {
        ON_CLONE.set(Some(code));
    }

    /// Lends a waker, as a loop does for a poll.
    #[allow(unsafe_code)]
    pub fn with_waker<R>(&self, code: impl FnOnce(&Waker) -> R) -> R {
        // SAFETY: the four functions only count, on a `Counts` that is `Sync`. They never free it, so that a release too
        // many is counted and does no harm; a `Counts` is leaked for each waker that is lent.
        let lent = ManuallyDrop::new(unsafe { Waker::new(Arc::into_raw(self.0.clone()).cast(), &TABLE) });
        let outcome = code(&lent);
        ON_CLONE.take();
        outcome
    }

    /// Polls once, with a waker of its own.
    pub fn poll<F: Future + ?Sized>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        self.with_waker(|waker| future.poll(&mut Context::from_waker(waker)))
    }

    fn balanced(&self) -> Result<(), Breach> {
        let (clones, drops) = (self.0.clones.load(Ordering::SeqCst), self.0.drops.load(Ordering::SeqCst));
        match clones.cmp(&drops) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(Breach::LeakedWakers),
            std::cmp::Ordering::Less => Err(Breach::DroppedTooOften),
        }
    }
}

#[allow(unsafe_code)]
fn counts<'a>(data: *const ()) -> &'a Counts {
    // SAFETY: the pointer is that of a `Counts` which is never freed.
    unsafe { &*data.cast::<Counts>() }
}

fn clone(data: *const ()) -> RawWaker {
    counts(data).clones.fetch_add(1, Ordering::SeqCst);
    if let Some(code) = ON_CLONE.take() {
        code();
    }
    RawWaker::new(data, &TABLE)
}

fn wake(data: *const ()) {
    wake_by_ref(data);
    release(data);
}

fn wake_by_ref(data: *const ()) {
    counts(data).wakes.fetch_add(1, Ordering::SeqCst);
}

fn release(data: *const ()) {
    counts(data).drops.fetch_add(1, Ordering::SeqCst);
}
