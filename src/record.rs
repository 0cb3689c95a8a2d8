//! What a recording loop tells its observer: every event, numbered in the order in which they took effect.
//!
//! [`Builder::record`](crate::Builder::record) makes a loop record. What happens on its own thread is told as it
//! happens; what happens elsewhere is put into the inbox, with the wake or the submission that it goes with, and is
//! numbered when the loop takes it over. So no replay sees a poll before the wake that led to it.
//!
//! On a virtual clock the loop takes over what other threads sent only when nothing is ready, as if those were a
//! little slower: the record then depends on what the program orders, and not on who is faster.

mod leaf;
mod news;
mod recorder;
mod recording;
mod snapshot;
mod watch;
#[allow(unsafe_code)]
pub(crate) mod waker;

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crate::stall::StallReport;

pub(crate) use leaf::{given_up, kept, say_of_waker, waits_at};
pub(crate) use news::{News, Said, Told};
pub use recorder::Recorder;
pub(crate) use recording::Recording;
pub use snapshot::{Snapshot, snapshot};
pub use watch::{Watched, watch};

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Event {
    /// From 1, without a gap.
    pub number: u64,
    /// Since the recording began, by the loop's clock.
    pub time: Duration,
    /// The line of the program that did it, as far as that is known: the spawn, the submission, the `.await` whose leaf
    /// keeps the waker, the `note!`; or the line of a machine of yours that told of it.
    pub at: Option<Place>,
    /// What it was.
    pub what: What,
}

/// Who was polled, woken, cancelled. Both counts are the loop's own, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Id {
    /// A task, by its [`id`](crate::Task::id).
    Task(u64),
    /// A callback, counted in the order in which they were scheduled.
    Callback(u64),
}

/// Who did it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    /// The code of a task or callback, or its end.
    Of(Id),
    /// A timer that fired.
    Timer,
    /// The loop itself, or the thread that owns it, between two polls.
    Loop,
    /// Another thread, by its name, or `thread N` by the order in which those without one turned up. The loop's own
    /// thread too, while the loop does not run.
    Thread(String),
}

/// Who keeps a clone of a waker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holder {
    /// The timer of a sleep, or of a callback.
    Timer,
    /// This task, to wake whoever awaits it.
    JoinerOf(Id),
    /// A gather, to be woken when its children end.
    Gather,
    /// The future of a [`Promise`](crate::Promise).
    Promise,
    /// A [`RemoteTask`](crate::RemoteTask) that is awaited.
    Remote,
    /// Code that does not say so: a future of yours.
    Unknown,
}

/// How a poll ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The future waits.
    Pending,
    /// The future is over and its output is there. Of a callback: it returned.
    Ready,
    /// The future, or the callback, panicked.
    Panicked,
}

/// Why a run of the loop ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// The future of `run_until_complete` is done.
    Done,
    /// Somebody called `stop`.
    Stopped,
    /// Nothing is left that could wake the loop. [`What::Stalled`] came before.
    Stalled,
    /// The future of `run_until_complete` panicked.
    Panicked,
}

/// What happened. `by` is who did it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
#[allow(missing_docs)] // the fields: `id` and `by` mean the same in all
pub enum What {
    /// A task was made, or a callback scheduled, on the loop's thread. `queued`: it is ready at once.
    Spawned { id: Id, name: Option<String>, function: &'static str, by: Actor, queued: bool },
    /// The loop has taken over a task or callback that another thread sent. It is ready.
    Submitted { id: Id, function: &'static str, by: Actor },
    /// The loop polls a task, or runs a callback.
    PollBegun { id: Id },
    /// That poll returned. `waits_at`: the `.await`s that returned pending, as far as their futures say so.
    PollEnded { id: Id, outcome: Outcome, waits_at: Vec<Place> },
    /// A waker was called. `queued`: the task went to the end of the ready queue; else it was there already, is over,
    /// or the wake came after the poll that it asked for. `by_value`: the waker is used up, and its holder is `from`.
    Woken { id: Id, by: Actor, queued: bool, from: Holder, by_value: bool, live: usize },
    /// A clone of a waker was made. `live`: how many there are now.
    WakerCloned { id: Id, by: Actor, holder: Holder, live: usize },
    /// A clone of a waker was dropped, uncalled.
    WakerDropped { id: Id, by: Actor, holder: Holder, live: usize },
    /// A timer was set, or wakes somebody else from now on. `None`: a waker that is not of this loop's making.
    TimerSet { timer: u64, id: Option<Id>, deadline: Duration, by: Actor },
    /// A deadline has passed. The wake is the next event.
    TimerFired { timer: u64 },
    /// A timer was cancelled: its sleep was dropped.
    TimerDropped { timer: u64, by: Actor },
    /// Somebody asked for a cancellation. The wake is the next event.
    CancelAsked { id: Id, by: Actor },
    /// The loop begins to drop the future of a task, or a callback, that was cancelled.
    DropBegun { id: Id },
    /// It is dropped. `panicked`: its destructor did.
    Cancelled { id: Id, panicked: bool },
    /// The result was taken.
    Joined { id: Id, by: Actor },
    /// The handle was dropped with the result still in it, or to come.
    Detached { id: Id, by: Actor },
    /// A run of the loop begins.
    RunBegun,
    /// Nothing is ready, and there is no deadline to jump to: the loop waits for other threads. What they have sent
    /// already it finds at once; the record does not tell that from a wait, since it depends on who is faster. A clock
    /// that may not jump because of a job that nobody awaits is not told either.
    Parked,
    /// The loop has something to do again.
    Unparked { by: Actor },
    /// The virtual clock moved to the next deadline.
    ClockJumped { from: Duration },
    /// Somebody asked the loop to stop.
    StopAsked { by: Actor },
    /// Nothing can happen any more.
    Stalled(StallReport),
    /// The run is over.
    RunEnded(Ended),
    /// The loop begins to close: what is not over will be cancelled.
    CloseBegun,
    /// The loop is closed.
    Closed,
    /// A line that the program itself said, by [`note!`](crate::note).
    Note { text: String, by: Actor },
}

/// What happened, and the line that did it.
pub(crate) struct Happening {
    what: What,
    at: Option<Place>,
}

impl What {
    pub(crate) fn at(self, at: Place) -> Happening {
        Happening { what: self, at: Some(at) }
    }
}

impl From<What> for Happening {
    fn from(what: What) -> Self {
        Happening { what, at: None }
    }
}

/// A line of source.
pub type Place = &'static Location<'static>;

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Id::Task(id) => write!(f, "task {id}"),
            Id::Callback(number) => write!(f, "callback {number}"),
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Of(id) => id.fmt(f),
            Actor::Timer => f.write_str("the timer"),
            Actor::Loop => f.write_str("the loop"),
            Actor::Thread(name) => f.write_str(name),
        }
    }
}

/// Says a line: prints it, and where the loop that runs here records, tells it to the observer too. Elsewhere there
/// is [`Recorder::note`](crate::record::Recorder::note).
///
/// ```
/// handloop::run(async { handloop::note!("{} of {}", 1, 3) });
/// ```
#[macro_export]
macro_rules! note {
    ($($text:tt)*) => { $crate::record::say_line(::std::format!($($text)*)) };
}

/// What [`note!`](crate::note) calls.
#[doc(hidden)]
#[track_caller]
pub fn say_line(text: String) {
    println!("{text}");
    note(text);
}

/// Tells a line to the observer of the loop that runs on this thread, without printing it. False: no loop runs here,
/// or it does not record.
#[track_caller]
pub fn note(text: impl Into<String>) -> bool {
    news::note_here(text.into(), Location::caller())
}
