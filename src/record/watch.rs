//! `watch`: a future that records its own polls and wakes, on any executor.

use std::panic::{Location, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::{Actor, Holder, Id, Outcome, Place, Recorder, What};
use crate::record::waker::lend;
use crate::sync::{Arc, Mutex, thread};
use crate::unwind::catch;

/// Wraps `future`, so that its polls, and what becomes of its waker, are told to `recorder`, whatever executor polls
/// it. Several may share a recorder: each is a task of its own there, numbered as they were wrapped. The times count
/// from this call, by the real clock.
///
/// The inner future sees a waker of the wrapper's, which passes each wake on. Cancel-safe if `future` is.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use handloop::record::{Outcome, Recorder, What, watch};
///
/// let events = Arc::new(Mutex::new(Vec::new()));
/// let sink = events.clone();
/// let recorder = Recorder::new(move |event| sink.lock().unwrap().push(event.what.clone()));
/// handloop::run(watch("answer", async { 42 }, &recorder));
/// let events = events.lock().unwrap();
/// assert!(matches!(events[1], What::PollBegun { .. }));
/// assert!(matches!(events[2], What::PollEnded { outcome: Outcome::Ready, .. }));
/// ```
#[track_caller]
pub fn watch<F: Future>(name: impl Into<String>, future: F, recorder: &Recorder) -> Watched<F> {
    let id = Id::Task(recorder.next_watched());
    let state = Mutex::new(State { inner: None, live: 0, polled_by: None, is_woken: true });
    let tap = Arc::new(Tap { id, recorder: recorder.clone(), start: Instant::now(), state });
    let (name, function) = (Some(name.into()), std::any::type_name::<F>());
    tap.tell_at(Some(Location::caller()), What::Spawned { id, name, function, by: tap.actor(), queued: true });
    Watched { future: Some(Box::pin(future)), tap }
}

/// The future of [`watch`].
#[must_use = "futures do nothing unless you `.await` them"]
pub struct Watched<F> {
    /// Boxed, because a pinned field would need unsafe code. `None` once it is over.
    future: Option<Pin<Box<F>>>,
    tap: Arc<Tap>,
}

/// What the wrapper and its wakers share.
pub(super) struct Tap {
    id: Id,
    recorder: Recorder,
    start: Instant,
    state: Mutex<State>,
}

struct State {
    /// The executor's waker, as the latest poll brought it, while the future keeps a clone of ours. Shared, so that it is
    /// neither cloned nor dropped under the lock: it may be anybody's.
    inner: Option<Arc<Waker>>,
    live: usize,
    polled_by: Option<thread::ThreadId>,
    /// Since the last poll began.
    is_woken: bool,
}

impl Tap {
    fn tell(&self, what: What) {
        self.tell_at(None, what);
    }

    fn tell_at(&self, at: Option<Place>, what: What) {
        self.recorder.tell(self.start.elapsed(), at, what);
    }

    fn actor(&self) -> Actor {
        let thread = thread::current();
        if self.state.lock().polled_by == Some(thread.id()) {
            return Actor::Of(self.id);
        }
        Actor::Thread(thread.name().unwrap_or("a thread without a name").to_owned())
    }

    pub(super) fn cloned(&self) {
        let live = {
            let mut state = self.state.lock();
            state.live += 1;
            state.live
        };
        self.tell(What::WakerCloned { id: self.id, by: self.actor(), holder: Holder::Unknown, live });
    }

    pub(super) fn dropped(&self) {
        let (live, unused) = {
            let mut state = self.state.lock();
            state.live -= 1;
            (state.live, state.unused())
        };
        drop(unused);
        self.tell(What::WakerDropped { id: self.id, by: self.actor(), holder: Holder::Unknown, live });
    }

    /// Told first, so that the poll which the wake leads to comes after it.
    pub(super) fn woken(&self, by_value: bool) {
        let (queued, live, inner, unused) = {
            let mut state = self.state.lock();
            state.live -= usize::from(by_value);
            let inner = state.inner.clone();
            (!std::mem::replace(&mut state.is_woken, true), state.live, inner, state.unused())
        };
        let (id, by, from) = (self.id, self.actor(), Holder::Unknown);
        self.tell(What::Woken { id, by, queued, from, by_value, live });
        if let Some(inner) = inner {
            inner.wake_by_ref();
        }
        drop(unused);
    }

    fn begin_poll(&self, waker: &Waker) {
        let known = self.state.lock().inner.take();
        let inner = match known {
            Some(known) if known.will_wake(waker) => known,
            _ => Arc::new(waker.clone()),
        };
        {
            let mut state = self.state.lock();
            state.inner = Some(inner);
            (state.is_woken, state.polled_by) = (false, Some(thread::current().id()));
        }
        self.tell(What::PollBegun { id: self.id });
    }

    fn end_poll(&self, outcome: Outcome) {
        let unused = {
            let mut state = self.state.lock();
            state.polled_by = None;
            state.unused()
        };
        drop(unused);
        self.tell(What::PollEnded { id: self.id, outcome, waits_at: Vec::new() });
    }
}

impl State {
    /// The executor's waker, once nobody can ask for it: kept, it would look like a wake that may still come.
    fn unused(&mut self) -> Option<Arc<Waker>> {
        if self.live == 0 && self.polled_by.is_none() { self.inner.take() } else { None }
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let tap = self.tap.clone();
        let future = self.future.as_mut().expect("a watched future that is over is not polled again");
        tap.begin_poll(context.waker());
        let mut polled = catch(|| lend(&tap, |waker| future.as_mut().poll(&mut Context::from_waker(waker))));
        if !matches!(polled, Ok(Poll::Pending)) {
            let over = self.future.take();
            if let Err(payload) = catch(|| drop(over)) {
                // The destructor's panic is what became of it, unless it had panicked before.
                polled = polled.and(Err(payload));
            }
        }
        match polled {
            Ok(Poll::Pending) => tap.end_poll(Outcome::Pending),
            Ok(Poll::Ready(_)) => tap.end_poll(Outcome::Ready),
            Err(_) => tap.end_poll(Outcome::Panicked),
        }
        polled.unwrap_or_else(|payload| resume_unwind(payload))
    }
}

impl<F> Drop for Watched<F> {
    fn drop(&mut self) {
        if let Some(future) = self.future.take() {
            let id = self.tap.id;
            self.tap.tell(What::DropBegun { id });
            let panic = catch(|| drop(future)).err();
            self.tap.tell(What::Cancelled { id, panicked: panic.is_some() });
            panic.map_or((), |payload| resume_unwind(payload))
        }
    }
}

shows! { Watched<F> {} }
