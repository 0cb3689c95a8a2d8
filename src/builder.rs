//! `Builder`: a loop with a name, a virtual clock, a limit for slow polls, a receiver of reports.

use std::time::Duration;

use crate::event_loop::EventLoop;
use crate::local::Local;
use crate::record::{Recorder, Recording};
use crate::report::{OnReport, Report, to_stderr};
use crate::shared::Shared;
use crate::sync::Arc;

/// Makes an [`EventLoop`] that is not the usual one.
///
/// ```
/// use std::time::Duration;
///
/// let event_loop = handloop::EventLoop::builder()
///     .name("worker")
///     .virtual_clock()
///     .slow_poll(Duration::from_millis(100))
///     .on_report(|report| eprintln!("{report}"))
///     .build();
/// event_loop.run_until_complete(async { handloop::sleep(Duration::from_secs(3600)).await });
/// ```
#[must_use = "call build() to get the loop"]
pub struct Builder {
    name: String,
    is_virtual: bool,
    slow_poll: Option<Duration>,
    on_report: OnReport,
    recorder: Option<Recorder>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Builder {
            name: "loop".to_owned(),
            is_virtual: false,
            slow_poll: None,
            on_report: Arc::new(to_stderr),
            recorder: None,
        }
    }

    /// The loop's name, for its own `Debug` text and its job threads. It is `loop` unless set.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// A clock that stands still while anything can run, and jumps to the next deadline when nothing can: a program
    /// that only sleeps takes no time, and takes it exactly. It never jumps while a job of
    /// [`run_in_executor`](crate::run_in_executor) is out or a [`ClockHold`](crate::ClockHold) lives.
    pub fn virtual_clock(mut self) -> Self {
        self.is_virtual = true;
        self
    }

    /// Reports every poll and callback that takes at least this long by the real clock (DBG-01, DBG-07). `asyncio`'s
    /// debug mode has 100 ms. Off unless set, since to read the clock twice costs more than a poll.
    pub fn slow_poll(mut self, threshold: Duration) -> Self {
        self.slow_poll = Some(threshold);
        self
    }

    /// Receives reports in place of stderr. It may be called on any thread that drops a handle, and never under a
    /// lock. A report whose receiver panics goes to stderr. A receiver that keeps a [`LoopHandle`](crate::LoopHandle) of its own loop
    /// keeps itself alive.
    pub fn on_report(mut self, receiver: impl Fn(&Report) + Send + Sync + 'static) -> Self {
        self.on_report = Arc::new(receiver);
        self
    }

    /// Makes the loop record: `recorder` is told each event, on the loop's own thread. A loop that does not record runs
    /// the same code for its wakers as if there were no recorders.
    ///
    /// On a virtual clock the record of a program is the same on every run, as far as the program itself orders what
    /// its threads do.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use handloop::record::Recorder;
    ///
    /// let events = Arc::new(Mutex::new(Vec::new()));
    /// let sink = events.clone();
    /// let recorder = Recorder::new(move |event| sink.lock().unwrap().push(event.clone()));
    /// handloop::EventLoop::builder().record(&recorder).build().run_until_complete(async {});
    /// assert_eq!(events.lock().unwrap().len(), 7); // a task, the run, the poll (2), the run's end, the close (2)
    /// ```
    pub fn record(mut self, recorder: &Recorder) -> Self {
        self.recorder = Some(recorder.clone());
        self
    }

    /// Makes the loop, on this thread.
    ///
    /// # Panics
    /// If its recorder records another loop already.
    #[must_use]
    #[track_caller]
    pub fn build(self) -> EventLoop {
        let shared = Shared::new(self.name, self.is_virtual, self.recorder.is_some(), self.on_report);
        let recording = self.recorder.map(|recorder| {
            recorder.attach(&shared);
            Recording::new(recorder, shared.now())
        });
        EventLoop::from_local(Local::new(shared, self.slow_poll, recording))
    }
}

shows! { Builder {} }
