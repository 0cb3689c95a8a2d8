//! Plain callbacks: `call_soon`, `call_later`, `call_at`, and the handles that cancel them.

use std::any::type_name;
use std::panic::Location;
use std::time::{Duration, Instant};

use crate::context::expect_current;
use crate::local::Local;
use crate::sync::Arc;
use crate::task::TaskRef;
use crate::timer::{Key, Timers};

/// A scheduled callback. It is `asyncio.Handle`, and `TimerHandle` where it has a time. Dropping it changes nothing:
/// the callback will run.
pub struct Handle {
    task: TaskRef,
    when: Option<Instant>,
    timer: Option<(Arc<Timers>, Key)>,
}

impl Handle {
    /// The callback will not run, and is dropped at the loop's next turn; its timer leaves the heap now (TIME-06,
    /// TIME-07). Once it has run, nothing happens (SOON-03).
    #[track_caller]
    pub fn cancel(&self) {
        if let Some((timers, key)) = &self.timer {
            timers.cancel(*key);
        }
        self.task.cancel();
    }

    /// Whether it was cancelled before it ran; also by the loop's close.
    pub fn cancelled(&self) -> bool {
        let header = self.task.header();
        header.polls() == 0 && (header.state.snapshot().is_cancelled() || header.phase.get().is_over())
    }

    /// The deadline on the loop's clock. `None`: it has none, or one so far that it never comes.
    pub fn when(&self) -> Option<Instant> {
        self.when
    }
}

/// The loop is closed and will not run this callback: here it is back (LOOP-09).
pub struct LoopClosed<F>(pub F);

says!(LoopClosed<F>, "The event loop is closed: schedule callbacks before you close it.");
shows! { Handle { cancelled, when } LoopClosed<F> {} }

impl Local {
    pub(crate) fn call_soon<F: FnOnce() + 'static>(
        &self,
        callback: F,
        at: &'static Location<'static>,
    ) -> Result<Handle, LoopClosed<F>> {
        if self.closed.get() {
            return Err(LoopClosed(callback));
        }
        let task = TaskRef::callback(&self.shared, callback, self.next_callback(), at);
        self.ready.push(task.clone());
        self.record_spawned(&task, None, type_name::<F>(), true);
        Ok(Handle { task, when: None, timer: None })
    }

    pub(crate) fn call_at<F: FnOnce() + 'static>(
        &self,
        when: Option<Instant>,
        callback: F,
        at: &'static Location<'static>,
    ) -> Result<Handle, LoopClosed<F>> {
        if self.closed.get() {
            return Err(LoopClosed(callback));
        }
        let task = TaskRef::callback(&self.shared, callback, self.next_callback(), at);
        self.keep(task.clone());
        self.record_spawned(&task, None, type_name::<F>(), false);
        let timers = &self.shared.timers;
        let key = when.and_then(|when| task.with_waker(|waker| timers.register(when, waker, at)));
        let timer = key.map(|key| (timers.clone(), key));
        if when.is_some_and(|when| when <= timers.now()) {
            // Due already. A loop that is never idle would not jump its virtual clock, and so not look.
            self.shared.tell(|inbox| inbox.alarm = true);
        }
        Ok(Handle { task, when, timer })
    }

    pub(crate) fn call_later<F: FnOnce() + 'static>(
        &self,
        delay: Duration,
        callback: F,
        at: &'static Location<'static>,
    ) -> Result<Handle, LoopClosed<F>> {
        self.call_at(self.shared.now().checked_add(delay), callback, at)
    }
}

/// Calls `callback` in the next turn of the running loop, after what is scheduled already (SOON-01, SOON-02). It is
/// `loop.call_soon`. A callback that panics is reported, and the loop goes on (LOOP-12).
///
/// # Errors
/// [`LoopClosed`], from a destructor that runs while the loop closes.
///
/// # Panics
/// Outside a running loop.
///
/// ```
/// handloop::run(async {
///     handloop::call_soon(|| println!("before the next line")).unwrap();
///     handloop::yield_now().await;
///     println!("after it");
/// });
/// ```
#[track_caller]
pub fn call_soon<F: FnOnce() + 'static>(callback: F) -> Result<Handle, LoopClosed<F>> {
    expect_current("call_soon").call_soon(callback, Location::caller())
}

/// Calls `callback` once `delay` has passed on the running loop's clock. It is `loop.call_later`. Never early
/// (TIME-01), by deadline (TIME-02), and in the order of the calls where deadlines are equal (TIME-03). Even a zero
/// delay runs after all that is ready (TIME-12).
///
/// # Errors
/// [`LoopClosed`], from a destructor that runs while the loop closes.
///
/// # Panics
/// Outside a running loop, or if the timer thread cannot be started.
///
/// ```
/// use std::time::Duration;
///
/// handloop::run(async {
///     let timer = handloop::call_later(Duration::from_secs(60), || unreachable!()).unwrap();
///     timer.cancel();
/// });
/// ```
#[track_caller]
pub fn call_later<F: FnOnce() + 'static>(delay: Duration, callback: F) -> Result<Handle, LoopClosed<F>> {
    expect_current("call_later").call_later(delay, callback, Location::caller())
}

/// Calls `callback` at `when` on the running loop's clock, which [`time`](crate::time) reads. It is `loop.call_at`.
/// A time that has passed is due at the next turn (TIME-04).
///
/// # Errors
/// [`LoopClosed`], from a destructor that runs while the loop closes.
///
/// # Panics
/// Outside a running loop, or if the timer thread cannot be started.
///
/// ```
/// handloop::run(async {
///     handloop::call_at(handloop::time(), || println!("now")).unwrap();
///     handloop::sleep(std::time::Duration::from_millis(1)).await;
/// });
/// ```
#[track_caller]
pub fn call_at<F: FnOnce() + 'static>(when: Instant, callback: F) -> Result<Handle, LoopClosed<F>> {
    expect_current("call_at").call_at(Some(when), callback, Location::caller())
}
