//! `LoopHandle`: what other threads reach a loop by.

use std::any::type_name;
use std::marker::PhantomData;
use std::panic::Location;

use crate::callback::LoopClosed;
use crate::context;
use crate::record::{Place, Told, What};
use crate::remote::RemoteTask;
use crate::shared::Shared;
use crate::sync::{Arc, Ordering};
use crate::task::{Outside, TypedOutside};

/// A loop, for any thread. Clones are handles to the same loop.
///
/// ```
/// let event_loop = handloop::EventLoop::new();
/// let handle = event_loop.handle();
/// let thread = std::thread::spawn(move || {
///     let mut task = handle.submit(async { 6 * 7 });
///     assert_eq!(task.result().unwrap(), 42);
///     handle.stop();
/// });
/// event_loop.run_forever();
/// thread.join().unwrap();
/// ```
pub struct LoopHandle {
    shared: Arc<Shared>,
}

impl LoopHandle {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        shared.handles.fetch_add(1, Ordering::SeqCst);
        LoopHandle { shared }
    }

    /// Makes a task of `future` in the loop, and wakes the loop. It is `asyncio.run_coroutine_threadsafe` (RCT).
    ///
    /// Tasks of one thread start in the order in which it submitted them (RCT-13). A loop that does not run yet takes
    /// them when it does (RCT-09). A closed loop drops the future here and now, and the task is cancelled (RCT-06).
    #[track_caller]
    pub fn submit<F>(&self, future: F) -> RemoteTask<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let at = Location::caller();
        self.send(TypedOutside::submitted(&self.shared, future, at), type_name::<F>(), at)
    }

    /// The same for a future that is not `Send`, such as any that keeps a [`Task`](crate::Task) across an `.await`:
    /// `make` is sent, and called on the loop's own thread (RUST-11). If it panics, the task has panicked (RCT-18).
    ///
    /// ```
    /// let event_loop = handloop::EventLoop::new();
    /// let mut task = event_loop.handle().submit_with(|| async {
    ///     let inner = handloop::spawn(async { 1 });
    ///     inner.await.unwrap() + 1
    /// });
    /// event_loop.run_until_complete(&mut task).unwrap();
    /// ```
    #[track_caller]
    pub fn submit_with<M, F>(&self, make: M) -> RemoteTask<F::Output>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send + 'static,
    {
        let at = Location::caller();
        self.send(TypedOutside::submitted_with(&self.shared, make, at), type_name::<M>(), at)
    }

    fn send<T>(&self, (entry, typed): (Outside, TypedOutside<T>), function: &'static str, at: Place) -> RemoteTask<T> {
        if let Some(refused) = self.shared.submit(entry, function, at) {
            refused.refuse();
        }
        RemoteTask::new(typed)
    }

    /// Calls `callback` on the loop's thread, and wakes the loop. It is `loop.call_soon_threadsafe` (TSAFE).
    ///
    /// # Errors
    /// [`LoopClosed`] gives the callback back (TSAFE-09).
    ///
    /// ```
    /// let event_loop = handloop::EventLoop::new();
    /// event_loop.handle().call_soon_threadsafe(|| println!("on the loop's thread")).unwrap();
    /// event_loop.run_once();
    /// ```
    #[track_caller]
    pub fn call_soon_threadsafe<F>(&self, callback: F) -> Result<(), LoopClosed<F>>
    where
        F: FnOnce() + Send + 'static,
    {
        let at = Location::caller();
        // Boxed under the lock, which has just said that the loop will take it.
        self.shared.tell(|inbox| {
            if inbox.closed {
                return Err(LoopClosed(callback));
            }
            let entry = Outside::callback(&self.shared, callback, at);
            self.shared.enter_new(inbox, entry, type_name::<F>(), at);
            Ok(())
        })
    }

    /// Ends the loop's run, and wakes the loop (TSAFE-07): from its own thread after the current turn, from another after
    /// the turn that takes this over. Between two runs, it ends the next after one turn. A stop that comes as a run ends
    /// by itself is over with that run.
    #[track_caller]
    pub fn stop(&self) {
        let at = Location::caller();
        match context::current() {
            Some(local) if Arc::ptr_eq(&local.shared, &self.shared) => {
                local.stopping.set(true);
                local.record_by(|_, by| What::StopAsked { by }.at(at));
            }
            _ => self.shared.tell(|inbox| {
                inbox.stop = true;
                let is_open = !inbox.closed;
                if let Some(news) = inbox.news.as_mut().filter(|_| is_open) {
                    news.told.push(Told::new(&self.shared, None, true, move |_, said| {
                        What::StopAsked { by: said.by }.at(at)
                    }));
                }
            }),
        }
    }

    /// Keeps the loop from starting a turn, and its virtual clock from jumping, until the hold is dropped: several
    /// submissions become one moment.
    ///
    /// A hold of the loop's own thread must be dropped before that loop would begin its next turn, which otherwise
    /// panics: nobody else could drop it.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let event_loop = handloop::EventLoop::builder().virtual_clock().build();
    /// let handle = event_loop.handle();
    /// let thread = std::thread::spawn(move || {
    ///     let hold = handle.hold_clock();
    ///     let start = handle.time();
    ///     let mut tasks = [6, 4].map(|x| handle.submit(handloop::sleep(Duration::from_secs(x))));
    ///     drop(hold);
    ///     tasks.iter_mut().for_each(|task| task.result().unwrap());
    ///     handle.stop();
    /// });
    /// event_loop.run_forever();
    /// thread.join().unwrap();
    /// ```
    pub fn hold_clock(&self) -> ClockHold {
        let is_own = self.shared.is_own_thread();
        self.shared.tell(|inbox| {
            inbox.holds += 1;
            inbox.own_holds += u32::from(is_own);
        });
        ClockHold { handle: self.clone(), is_own, not_send: PhantomData }
    }

    /// The name given to [`Builder::name`](crate::Builder::name).
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// What the loop's clock shows; from any thread, also after its end.
    pub fn time(&self) -> std::time::Instant {
        self.shared.now()
    }
}

impl Clone for LoopHandle {
    fn clone(&self) -> Self {
        LoopHandle::new(self.shared.clone())
    }
}

impl Drop for LoopHandle {
    fn drop(&mut self) {
        // What this handle sent is in the inbox: the loop reads the count first, and the inbox last.
        if self.shared.handles.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.shared.look_again();
        }
    }
}

/// While it lives, its loop starts no turn and its virtual clock stands still. See [`LoopHandle::hold_clock`].
///
/// It stays on its thread, so that a hold nobody could ever drop is known for one.
#[must_use = "the clock is held only while this lives"]
pub struct ClockHold {
    handle: LoopHandle,
    is_own: bool,
    not_send: PhantomData<*const ()>,
}

impl Drop for ClockHold {
    fn drop(&mut self) {
        self.handle.shared.tell(|inbox| {
            inbox.holds -= 1;
            inbox.own_holds -= u32::from(self.is_own);
        });
    }
}

shows! { LoopHandle { name } ClockHold {} }
