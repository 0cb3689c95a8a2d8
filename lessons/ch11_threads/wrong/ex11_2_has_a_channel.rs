//! Breaks rule 11.5: it waits with a channel, as the stage does, and the check lets nobody come in between.

use std::sync::mpsc::{Receiver, channel};

use crate::handle::Handle;
use crate::threads::{Panic, catch_unwind};

#[derive(Clone, Debug)]
pub enum Ended {
    Panicked(Panic),
    Cancelled,
}

pub type Outcome = Result<u64, Ended>;

/// Where a thread waits for a job in the loop of another.
pub struct Remote {
    receiver: Receiver<Outcome>,
    handle: Handle,
}

/// Has the loop call `work`, and does not wait for it.
pub fn submit(handle: &Handle, work: impl FnOnce() -> u64 + Send + 'static) -> Remote {
    let (sender, receiver) = channel();
    handle.call_soon_threadsafe(move || _ = sender.send(catch_unwind(work).map_err(Ended::Panicked)));
    Remote { receiver, handle: handle.clone() }
}

impl Remote {
    /// Blocks this thread until the job is over.
    pub fn result(self) -> Outcome {
        assert!(!self.handle.runs_here(), "the loop runs on this thread, and would wait for itself");
        self.receiver.recv().unwrap_or(Err(Ended::Cancelled))
    }
}
