//! Breaks rule 11.6: on the loop's own thread it panics only if the outcome is not there yet.

use std::sync::Arc;

use crate::handle::Handle;
use crate::threads::{Condvar, Mutex, Panic, catch_unwind};

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

/// Tells the slot how the job ended: also when the job is dropped.
struct Sender(Option<Arc<Slot>>);

impl Sender {
    fn send(mut self, outcome: Outcome) {
        if let Some(slot) = self.0.take() {
            slot.end(outcome);
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            slot.end(Err(Ended::Cancelled));
        }
    }
}

/// Where a thread waits for a job in the loop of another.
pub struct Remote {
    slot: Arc<Slot>,
    handle: Handle,
}

/// Has the loop call `work`, and does not wait for it.
pub fn submit(handle: &Handle, work: impl FnOnce() -> u64 + Send + 'static) -> Remote {
    let slot = Arc::new(Slot { outcome: Mutex::new(None), changed: Condvar::new() });
    let sender = Sender(Some(slot.clone()));
    handle.call_soon_threadsafe(move || {
        let outcome = catch_unwind(work);
        sender.send(outcome.map_err(Ended::Panicked));
    });
    Remote { slot, handle: handle.clone() }
}

impl Remote {
    /// Blocks this thread until the job is over.
    pub fn result(self) -> Outcome {
        let mut outcome = self.slot.outcome.lock().unwrap();
        loop {
            if let Some(outcome) = outcome.take() {
                return outcome;
            }
            assert!(!self.handle.runs_here(), "the loop runs on this thread, and would wait for itself");
            outcome = self.slot.changed.wait(outcome).unwrap();
        }
    }
}
