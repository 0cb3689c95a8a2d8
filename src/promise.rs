//! `create_future`: a result that is yet to come, in two halves.

use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::record::{Holder, given_up, kept, waits_at};
use crate::sync::{Arc, Mutex};
use crate::unwind::wake_one;

/// Makes a result that is yet to come: one half sets it, the other waits for it. It is `loop.create_future`.
///
/// ```
/// let (promise, future) = handloop::create_future();
/// std::thread::spawn(move || promise.set_result(42));
/// assert_eq!(handloop::run(future).unwrap(), 42);
/// ```
pub fn create_future<T>() -> (Promise<T>, PromiseFuture<T>) {
    let slot = Arc::new(Mutex::new(Slot { stage: Stage::Pending, waker: None }));
    (Promise { slot: slot.clone() }, PromiseFuture { slot })
}

struct Slot<T> {
    stage: Stage<T>,
    waker: Option<Waker>,
}

enum Stage<T> {
    Pending,
    /// An error: the promise was dropped unset.
    Done(Result<T, BrokenPromise>),
    /// The result was taken, or its future dropped.
    Gone,
}

/// The half that sets the result, from any thread.
///
/// Dropped unset, it breaks the promise: the other half gets [`BrokenPromise`] instead of waiting for ever.
#[must_use = "a promise that is dropped is broken: set its result"]
pub struct Promise<T> {
    slot: Arc<Mutex<Slot<T>>>,
}

impl<T> Promise<T> {
    /// Sets the result and wakes whoever waits. It is `Future.set_result`; to set it twice does not compile (FUT-02).
    /// If the other half is gone, the result is dropped, and that is no error (FUT-10).
    pub fn set_result(self, result: T) {
        drop(self.send(result));
    }

    /// The same, and gives back what nobody will take.
    pub(crate) fn send(self, result: T) -> Result<(), T> {
        self.end(Ok(result)).map_or(Ok(()), |unread| unread.map_or(Ok(()), Err))
    }

    /// Ends a pending promise, or gives the result back. Wakers and results are anybody's: nothing of them runs under
    /// the lock.
    fn end(&self, result: Result<T, BrokenPromise>) -> Option<Result<T, BrokenPromise>> {
        let mut slot = self.slot.lock();
        if !matches!(slot.stage, Stage::Pending) {
            return Some(result);
        }
        slot.stage = Stage::Done(result);
        let waker = slot.waker.take();
        drop(slot);
        if let Some(waker) = waker {
            given_up(waker, || Holder::Promise, wake_one);
        }
        None
    }

    /// Whether the other half was dropped: nobody waits any more (FUT-04).
    pub fn is_cancelled(&self) -> bool {
        matches!(self.slot.lock().stage, Stage::Gone)
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        // After `set_result` the stage is no longer pending, and this does nothing.
        self.end(Err(BrokenPromise));
    }
}

/// The half that waits, on any executor. It is `asyncio.Future`; dropping it is its `cancel` (FUT-04).
///
/// Cancel-safe: awaited as `&mut future`, it can be awaited again.
///
/// # Panics
/// When it is awaited after it gave its result.
#[must_use = "futures do nothing unless you `.await` them"]
pub struct PromiseFuture<T> {
    slot: Arc<Mutex<Slot<T>>>,
}

impl<T> PromiseFuture<T> {
    /// Whether the result is there, or never will be (FUT-01).
    pub fn is_done(&self) -> bool {
        !matches!(self.slot.lock().stage, Stage::Pending)
    }

    /// The result if it is there, and `None` while it is yet to come or was taken before (FUT-01).
    ///
    /// # Errors
    /// [`BrokenPromise`] if the promise was dropped unset.
    pub fn try_result(&mut self) -> Option<Result<T, BrokenPromise>> {
        if self.is_done() { self.close() } else { None }
    }

    /// Nobody waits any more. What came before that, and was not taken.
    pub(crate) fn close(&mut self) -> Option<Result<T, BrokenPromise>> {
        let mut slot = self.slot.lock();
        let waker = slot.waker.take();
        let stage = match &mut slot.stage {
            Stage::Done(Err(broken)) => Stage::Done(Err(*broken)), // and stays so
            stage => std::mem::replace(stage, Stage::Gone),
        };
        drop(slot);
        if let Some(waker) = waker {
            given_up(waker, || Holder::Promise, drop);
        }
        match stage {
            Stage::Done(result) => Some(result),
            _ => None,
        }
    }

    /// Leaves a waker for the result. False: it is there.
    #[track_caller]
    fn wait_with(&self, waker: &Waker) -> bool {
        if matches!(&self.slot.lock().waker, Some(known) if known.will_wake(waker)) {
            // Set meanwhile, the promise has taken this very waker, and calls it.
            return true;
        }
        let new = kept(waker, || Holder::Promise, Location::caller());
        let mut slot = self.slot.lock();
        let is_pending = matches!(slot.stage, Stage::Pending);
        let unused = if is_pending { slot.waker.replace(new) } else { Some(new) };
        drop(slot);
        if let Some(waker) = unused {
            given_up(waker, || Holder::Promise, drop);
        }
        is_pending
    }
}

impl<T> Future for PromiseFuture<T> {
    type Output = Result<T, BrokenPromise>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.is_done() && self.wait_with(context.waker()) {
            waits_at(context.waker(), || Holder::Promise, Location::caller());
            return Poll::Pending;
        }
        Poll::Ready(self.try_result().expect("a future that gave its result is not polled again"))
    }
}

impl<T> Drop for PromiseFuture<T> {
    fn drop(&mut self) {
        drop(self.close());
    }
}

/// The promise was dropped, and the result will never come (CANC-09).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BrokenPromise;

says!(BrokenPromise, "The promise was dropped before its result was set.");
shows! { Promise<T> { is_cancelled } PromiseFuture<T> { is_done } }
