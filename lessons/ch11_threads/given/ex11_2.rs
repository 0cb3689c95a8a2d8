//! Exercise 11.2, extend: about 5 minutes.
//!
//! A thread submits work to the loop of another thread, and waits for its result. In the place of a future there is a
//! closure here, and each result is a number. If the work returns, all is well. Extend `submit` and `Remote`:
//!
//! 1. If the work panics, the outcome is `Err(Ended::Panicked(…))`, and the loop goes on.
//! 2. If the job is dropped without having been called, the outcome is `Err(Ended::Cancelled)`. A loop that is closed
//!    drops a job at once, in `call_soon_threadsafe`. One that closes drops what is in its inbox.
//! 3. `result` panics if it is called on the loop's own thread, which would wait for itself: also if the outcome is there.
//! 4. A loop that has not begun keeps its jobs, and `result` waits.
//!
//! The check brings along `Handle` (with `call_soon_threadsafe`, `clone`, and `runs_here`, which says whether its loop runs
//! on this thread), and `Mutex` and `Condvar`, used as those of std are. Take `catch_unwind` from `crate::threads` too: it
//! gives the `Panic` of `Ended`, and needs no `AssertUnwindSafe`. There is no channel: the threads wait with the `Slot`. The
//! check goes through every order of the steps of the loop and of the threads that wait. Check it with
//! `cargo run -- check ch11 2`.

use std::sync::Arc;

use crate::handle::Handle;
use crate::threads::{Condvar, Mutex, Panic};

#[derive(Clone, Debug)]
pub enum Ended {
    Panicked(Panic),
    Cancelled,
}

pub type Outcome = Result<u64, Ended>;

/// What the job and the one who waits for it share.
struct Slot {
    outcome: Mutex<Option<Outcome>>,
    changed: Condvar,
}

impl Slot {
    /// The job is over.
    fn end(&self, outcome: Outcome) {
        *self.outcome.lock().unwrap() = Some(outcome);
        self.changed.notify_one();
    }
}

/// Where a thread waits for a job in the loop of another.
pub struct Remote {
    slot: Arc<Slot>,
}

/// Has the loop call `work`, and does not wait for it.
pub fn submit(handle: &Handle, work: impl FnOnce() -> u64 + Send + 'static) -> Remote {
    let slot = Arc::new(Slot { outcome: Mutex::new(None), changed: Condvar::new() });
    let theirs = slot.clone();
    handle.call_soon_threadsafe(move || theirs.end(Ok(work())));
    Remote { slot }
}

impl Remote {
    /// Blocks this thread until the job is over.
    pub fn result(self) -> Outcome {
        let mut outcome = self.slot.outcome.lock().unwrap();
        loop {
            if let Some(outcome) = outcome.take() {
                return outcome;
            }
            outcome = self.slot.changed.wait(outcome).unwrap();
        }
    }
}
