//! `sleep` and `timeout`: the leaf futures over the timers.

use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::context;
use crate::record::{Holder, waits_at};
use crate::sync::Arc;
use crate::timer::{Key, Standing, Timers};

/// Waits until `duration` has passed. It is `asyncio.sleep`.
///
/// Inside a running loop the deadline counts from this call (SLP-05) on that loop's clock, wherever the future is
/// awaited later. Outside, it counts from the first poll. It is never early (TIME-01); `Duration::ZERO` is ready at
/// the first poll (case 102), and a deadline too far to express, as that of `Duration::MAX`, never comes (case 103).
///
/// Cancel-safe: dropped, it leaves the heap of timers (CANC-17, case 107).
///
/// # Panics
/// When polled, if the timer thread cannot be started.
///
/// ```
/// use std::time::Duration;
///
/// let event_loop = handloop::EventLoop::builder().virtual_clock().build();
/// let start = event_loop.time();
/// event_loop.run_until_complete(async { handloop::sleep(Duration::from_secs(4)).await });
/// assert_eq!(event_loop.time() - start, Duration::from_secs(4));
/// ```
pub fn sleep(duration: Duration) -> Sleep {
    match context::current() {
        Some(local) => Sleep(Stage::bind(local.shared.timers.clone(), duration)),
        None => Sleep(Stage::Unbound(duration)),
    }
}

/// The future of [`sleep`]. `Send`, and at home on any executor.
#[must_use = "futures do nothing unless you `.await` them"]
pub struct Sleep(Stage);

enum Stage {
    /// No loop's clock yet.
    Unbound(Duration),
    Bound {
        timers: Arc<Timers>,
        /// `None` never comes.
        deadline: Option<Instant>,
        key: Option<Key>,
    },
    Over,
}

impl Stage {
    fn bind(timers: Arc<Timers>, duration: Duration) -> Self {
        let deadline = timers.now().checked_add(duration);
        Stage::Bound { timers, deadline, key: None }
    }
}

/// Whose timers serve a sleep that is polled here.
fn timers_here() -> Arc<Timers> {
    match context::current() {
        Some(local) if !local.closed.get() => local.shared.timers.clone(),
        _ => Timers::of_process(),
    }
}

impl Future for Sleep {
    type Output = ();

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let at = Location::caller();
        loop {
            let (timers, deadline, key) = match &mut self.0 {
                Stage::Over => return Poll::Ready(()),
                Stage::Unbound(duration) => {
                    self.0 = Stage::bind(timers_here(), *duration);
                    continue;
                }
                Stage::Bound { deadline: None, .. } => {
                    waits_at(context.waker(), || Holder::Timer, at);
                    return Poll::Pending;
                }
                Stage::Bound { timers, deadline: Some(deadline), key } => (timers, *deadline, key),
            };
            let standing = match *key {
                Some(key) => timers.look(key, deadline, context.waker(), at),
                None if timers.now() >= deadline => Standing::Fired,
                None => {
                    *key = timers.register(deadline, context.waker(), at);
                    if key.is_some() { Standing::Waits } else { Standing::Closed }
                }
            };
            match standing {
                Standing::Waits => {
                    waits_at(context.waker(), || Holder::Timer, at);
                    return Poll::Pending;
                }
                Standing::Fired => {
                    self.0 = Stage::Over;
                    return Poll::Ready(());
                }
                // The loop whose clock it followed is gone: what is left of the time is waited for elsewhere.
                Standing::Closed => {
                    self.0 = Stage::Unbound(deadline.saturating_duration_since(timers.now()));
                }
            }
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Stage::Bound { timers, key: Some(key), .. } = &self.0 {
            timers.cancel(*key);
        }
    }
}

/// Gives `future` until `duration` has passed, then drops it. It is `asyncio.wait_for`.
///
/// The deadline counts as that of [`sleep`] does. `future` is polled first: a value that is there wins over a
/// deadline that has passed (TMO-14), and `Duration::ZERO` still polls once (TMO-03). Nothing can interrupt a poll,
/// so a future that never awaits never times out (TMO-13).
///
/// A `&mut Task` as `future` only waits: the task goes on after the deadline.
///
/// Cancel-safe if `future` is: dropped, it drops `future` (TMO-06).
///
/// # Errors
/// [`Elapsed`] at the deadline, when `future` has been dropped (TMO-01).
///
/// ```
/// use std::time::Duration;
/// use handloop::{Elapsed, sleep, timeout};
///
/// let event_loop = handloop::EventLoop::builder().virtual_clock().build();
/// event_loop.run_until_complete(async {
///     let late = timeout(Duration::from_secs(1), sleep(Duration::from_secs(2))).await;
///     assert_eq!(late, Err(Elapsed));
///     let in_time = timeout(Duration::from_secs(1), async { 42 }).await;
///     assert_eq!(in_time, Ok(42));
/// });
/// ```
pub fn timeout<F: Future>(duration: Duration, future: F) -> Timeout<F> {
    Timeout { future: Some(Box::pin(future)), deadline: sleep(duration) }
}

/// The future of [`timeout`]. `Send` if its future is.
#[must_use = "futures do nothing unless you `.await` them"]
pub struct Timeout<F> {
    /// Boxed, because a pinned field would need unsafe code. `None` once it is over.
    future: Option<Pin<Box<F>>>,
    deadline: Sleep,
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let future = self.future.as_mut().expect("a timeout that has returned is not polled again");
        let outcome = match future.as_mut().poll(context) {
            Poll::Ready(output) => Ok(output),
            Poll::Pending => match Pin::new(&mut self.deadline).poll(context) {
                Poll::Ready(()) => Err(Elapsed),
                Poll::Pending => return Poll::Pending,
            },
        };
        // Neither the future nor a timer is left behind in one that is kept.
        self.future = None;
        self.deadline = Sleep(Stage::Over);
        Poll::Ready(outcome)
    }
}

/// The time was over first. It is `TimeoutError` (TMO-11).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Elapsed;

says!(Elapsed, "The deadline passed before the future was ready.");
shows! { Sleep {} Timeout<F> {} }
