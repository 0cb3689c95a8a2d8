//! The turn: what a loop does again and again.
//!
//! A turn takes over what came from elsewhere, then runs what is ready *now*; what becomes ready meanwhile is for the
//! next turn (SOON-02). The order of a turn is: what was in the ready queue, then the inbox, then what the timers
//! woke (TSAFE-04, SOON-06).

use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::event_loop::RunError;
use crate::local::Local;
use crate::record::{Actor, Ended, Holder, Outcome, What, given_up};
use crate::report::{Report, TaskInfo};
use crate::sync::Ordering;
use crate::task::{Joiner, Kind, NO_SLOT, Phase, TaskRef};
use crate::unwind::{Payload, catch, discard, message, wake_one};

/// The future of `run_until_complete`: polled in the place of its task, since it may borrow from its caller.
pub(crate) struct Root<'a> {
    pub(crate) task: TaskRef,
    pub(crate) future: Pin<&'a mut dyn Future<Output = ()>>,
    pub(crate) is_done: bool,
}

impl Local {
    /// Runs turns until the root is done, somebody calls `stop`, or nothing can happen any more.
    #[track_caller]
    pub(crate) fn drive(&self, root: Option<&mut Root<'_>>) -> Result<(), RunError> {
        self.record(|_| What::RunBegun);
        let ran = self.run_turns(root);
        if let Err(RunError::Stalled(report)) = &ran {
            self.record(|_| What::Stalled(report.clone()));
        }
        self.record(|_| {
            What::RunEnded(match &ran {
                Ok(()) => Ended::Done,
                Err(RunError::Stopped) => Ended::Stopped,
                Err(RunError::Stalled(_)) => Ended::Stalled,
            })
        });
        ran
    }

    #[track_caller]
    fn run_turns(&self, mut root: Option<&mut Root<'_>>) -> Result<(), RunError> {
        loop {
            let is_settled = self.record_wait();
            let has_run = self.turn(root.as_deref_mut());
            if root.as_ref().is_some_and(|root| root.is_done) {
                return Ok(());
            }
            if self.stopping.get() {
                return Err(RunError::Stopped);
            }
            if !has_run && is_settled {
                if let Err(report) = self.idle() {
                    return Err(RunError::Stalled(report));
                }
            }
        }
    }

    /// One turn, which never blocks. True: something was polled, called or cancelled.
    pub(crate) fn turn(&self, mut root: Option<&mut Root<'_>>) -> bool {
        let mut has_run = false;
        if self.shared.pending.load(Ordering::Acquire) && !self.defers() && !self.take_over() {
            return has_run;
        }
        let last = self.ready.last();
        // A panic of the root leaves the rest of the batch where it is, for the next run.
        while let Some(task) = self.ready.pop() {
            let is_last = Some(task.address()) == last;
            has_run |= self.step(task, root.as_deref_mut());
            if is_last {
                break;
            }
        }
        has_run
    }

    /// The one place where work from elsewhere joins the ready queue. False: a `ClockHold` is alive.
    fn take_over(&self) -> bool {
        let mut woken = self.spare.take();
        let (alarm, told) = {
            let mut inbox = self.shared.lock();
            if inbox.stop {
                self.stopping.set(true);
                inbox.stop = false;
            }
            if inbox.holds > 0 {
                return false;
            }
            self.shared.pending.store(false, Ordering::Relaxed);
            std::mem::swap(&mut inbox.woken, &mut woken);
            (std::mem::take(&mut inbox.alarm), inbox.news.as_mut().map(|news| news.take()))
        };
        for entry in woken.drain(..) {
            if let Some(task) = entry.adopt(|| self.next_id()) {
                self.ready.push(task);
            }
        }
        self.spare.set(woken);
        if let Some(told) = told {
            self.take_in(told);
        }
        if alarm {
            self.record_unparked(Actor::Timer);
            self.shared.timers.wake_due();
        }
        true
    }

    /// Polls one task of the ready queue, or cancels it. False: it was over.
    fn step(&self, task: TaskRef, root: Option<&mut Root<'_>>) -> bool {
        let header = task.header();
        let word = header.state.begin_poll();
        if header.phase.get() != Phase::Pending {
            return false;
        }
        if word.is_cancelled() {
            self.cancel(&task);
            return true;
        }
        header.count_poll();
        header.phase.set(Phase::Running);
        if let Some(root) = root.filter(|root| root.task.is(&task)) {
            self.watched(&task, || {
                let polled = task.with_waker(|waker| root.future.as_mut().poll(&mut Context::from_waker(waker)));
                root.is_done = polled.is_ready();
                header.phase.set(if root.is_done { Phase::Finished } else { Phase::Pending });
            });
            return true;
        }
        let polled = self.watched(&task, || {
            let polled = task.poll();
            if polled.is_pending() {
                header.phase.set(Phase::Pending);
            }
            polled
        });
        match polled {
            Poll::Pending => {
                if header.state.snapshot().is_cancelled() {
                    self.cancel(&task);
                } else if header.slot.get() == NO_SLOT {
                    self.keep(task);
                }
            }
            Poll::Ready(destructor) => {
                if header.slot.get() == NO_SLOT && header.phase.get() == Phase::Finished && task.is_unwatched() {
                    // The commonest end, and the cheapest: at its first poll, before its handle was asked for it.
                    header.state.finish();
                } else {
                    self.finish(&task);
                }
                if let Some(payload) = destructor {
                    self.report_panic(&task, payload);
                }
            }
        }
        true
    }

    /// Drops the future now: the task was cancelled, or the loop closes.
    pub(crate) fn cancel(&self, task: &TaskRef) {
        self.running.during(task, || {
            task.begin_drop();
            self.record(|_| What::DropBegun { id: task.header().recorded_id() });
            task.drop_future();
            let panicked = task.header().phase.get() == Phase::Panicked;
            self.record(|_| What::Cancelled { id: task.header().recorded_id(), panicked });
        });
        self.finish(task);
    }

    /// The future is gone: whoever waits is told, and what nobody will take is dropped.
    fn finish(&self, task: &TaskRef) {
        let slot = task.header().slot.replace(NO_SLOT);
        let removed = if slot == NO_SLOT { None } else { self.waiting.borrow_mut().remove(slot) };
        if task.header().phase.get() == Phase::Panicked {
            task.hold_shared();
        }
        // From here on a wake means nothing, and a `RemoteTask` may take the output.
        let word = task.header().state.finish();
        let is_awaited = match task.kind() {
            Kind::Remote => {
                if word.has_handle() && word.is_waited_for() {
                    if let Some(waker) = task.take_remote_waker() {
                        given_up(waker, || Holder::Remote, wake_one);
                    }
                }
                word.has_handle()
            }
            Kind::Callback => false,
            Kind::Task => match task.replace_joiner(Joiner::Nobody) {
                Joiner::Nobody => true,
                Joiner::Waker(waker) => {
                    given_up(waker, || task.header().joiner(), wake_one);
                    true
                }
                Joiner::Group(group, index) => {
                    group.child_ended(index, task.header().phase.get() == Phase::Finished);
                    true
                }
                Joiner::Detached => false,
            },
        };
        if !is_awaited {
            if let Some(payload) = task.drop_outcome() {
                self.report_panic(task, payload);
            }
        }
        drop(removed);
    }

    /// The run of a root future is over, done or not: its wakers mean nothing any more.
    pub(crate) fn end_root(&self, task: &TaskRef) {
        if task.header().phase.get() == Phase::Pending {
            return self.cancel(task);
        }
        // It is over, or panicked in mid-poll: what is dropped only stood for it.
        task.header().phase.set(Phase::Dropping);
        self.running.during(task, || task.drop_future());
        self.finish(task);
    }

    /// Runs one poll. The clock is read, and the observer told, only where somebody asked for that.
    #[inline]
    fn watched<R>(&self, task: &TaskRef, poll: impl FnOnce() -> R) -> R {
        if self.is_watched { self.watch(task, poll) } else { self.running.during(task, poll) }
    }

    #[cold]
    fn watch<R>(&self, task: &TaskRef, poll: impl FnOnce() -> R) -> R {
        let start = self.slow_poll.map(|_| Instant::now());
        let polled = self.running.during(task, || {
            self.record(|_| What::PollBegun { id: task.header().recorded_id() });
            let polled = catch(poll);
            if polled.is_err() {
                // The root's: whatever task it is, its own panics are caught where it is polled.
                task.header().phase.set(Phase::Panicked);
            }
            let outcome = match task.header().phase.get() {
                Phase::Panicked => Outcome::Panicked,
                Phase::Pending => Outcome::Pending,
                _ => Outcome::Ready,
            };
            self.record(|recording| What::PollEnded {
                id: task.header().recorded_id(),
                outcome,
                waits_at: recording.take_waits(),
            });
            polled
        });
        let took = start.map_or(Duration::ZERO, |start| start.elapsed());
        if self.slow_poll.is_some_and(|limit| took >= limit) {
            self.shared.report(&Report::SlowPoll { task: TaskInfo::of(task), took });
        }
        polled.unwrap_or_else(|payload| {
            // Only the root's panic comes this far, and it ends the run.
            self.record(|_| What::RunEnded(Ended::Panicked));
            resume_unwind(payload)
        })
    }

    fn report_panic(&self, task: &TaskRef, payload: Payload) {
        self.shared.report(&Report::Panic { task: TaskInfo::of(task), message: message(&*payload) });
        discard(payload);
    }
}
