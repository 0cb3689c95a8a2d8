//! The half of a loop that only its own thread touches: the ready queue, the waiting tasks, and the turn.
//!
//! A turn takes over what came from elsewhere, then runs what is ready *now*; what becomes ready meanwhile is for the
//! next turn (SOON-02). The order of a turn is: what was in the ready queue, then the inbox, then what the timers
//! woke (TSAFE-04, SOON-06).

use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::context::Enter;
use crate::event_loop::RunError;
use crate::executor::Jobs;
use crate::report::{Report, TaskInfo};
use crate::shared::Shared;
use crate::slab::Slab;
use crate::stall::{self, StallReport};
use crate::sync::{Arc, Ordering, spin_until};
use crate::task::{Joiner, Kind, NO_SLOT, Outside, Phase, Ready, RunningTask, TaskRef, Typed};
use crate::unwind::{Payload, discard, message, wake_all};

pub(crate) struct Local {
    pub(crate) shared: Arc<Shared>,
    pub(crate) ready: Ready,
    /// The tasks that were pending at least once. The loop owns them here: a task that nobody holds and nobody will
    /// wake stays until it is cancelled or the loop closes (TASK-14, cases 46 and 47).
    pub(crate) waiting: RefCell<Slab<TaskRef>>,
    pub(crate) jobs: Jobs,
    running: RunningTask,
    last_id: Cell<u64>,
    pub(crate) stopping: Cell<bool>,
    pub(crate) is_running: Cell<bool>,
    pub(crate) closed: Cell<bool>,
    slow_poll: Option<Duration>,
    /// The spare half of the inbox: taking over is one swap.
    spare: Cell<Vec<Outside>>,
}

/// The future of `run_until_complete`: polled in the place of its task, since it may borrow from its caller.
pub(crate) struct Root<'a> {
    pub(crate) task: TaskRef,
    pub(crate) future: Pin<&'a mut dyn Future<Output = ()>>,
    pub(crate) is_done: bool,
}

impl Local {
    pub(crate) fn new(shared: Arc<Shared>, slow_poll: Option<Duration>) -> Rc<Self> {
        Rc::new(Local {
            shared,
            ready: Ready::default(),
            waiting: RefCell::default(),
            jobs: Jobs::default(),
            running: RunningTask::default(),
            last_id: Cell::new(0),
            stopping: Cell::new(false),
            is_running: Cell::new(false),
            closed: Cell::new(false),
            slow_poll,
            spare: Cell::default(),
        })
    }

    pub(crate) fn last_id(&self) -> u64 {
        self.last_id.get()
    }

    pub(crate) fn next_id(&self) -> u64 {
        self.last_id.set(self.last_id.get() + 1);
        self.last_id.get()
    }

    pub(crate) fn spawn<F: Future + 'static>(
        &self,
        future: F,
        name: Option<String>,
        spawned_at: &'static Location<'static>,
    ) -> Typed<F::Output> {
        let typed = Typed::new(&self.shared, future, name, self.next_id(), spawned_at);
        if self.closed.get() {
            self.keep(typed.task.clone());
            self.cancel(&typed.task);
        } else {
            self.ready.push(typed.task.clone());
        }
        typed
    }

    /// Keeps a task that waits.
    pub(crate) fn keep(&self, task: TaskRef) {
        let mut waiting = self.waiting.borrow_mut();
        // The slot is written while the task is still this function's to read.
        let alias = task.clone();
        alias.header().slot.set(waiting.insert(task));
    }

    /// Runs turns until the root is done, somebody calls `stop`, or nothing can happen any more.
    #[track_caller]
    pub(crate) fn drive(&self, mut root: Option<&mut Root<'_>>) -> Result<(), RunError> {
        loop {
            let has_run = self.turn(root.as_deref_mut());
            if root.as_ref().is_some_and(|root| root.is_done) {
                return Ok(());
            }
            if self.stopping.get() {
                return Err(RunError::Stopped);
            }
            if !has_run {
                if let Err(report) = self.idle() {
                    return Err(RunError::Stalled(report));
                }
            }
        }
    }

    /// One turn, which never blocks. True: something was polled, called or cancelled.
    pub(crate) fn turn(&self, mut root: Option<&mut Root<'_>>) -> bool {
        let mut has_run = false;
        if self.shared.pending.load(Ordering::Acquire) && !self.take_over() {
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
        let alarm = {
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
            std::mem::take(&mut inbox.alarm)
        };
        for entry in woken.drain(..) {
            if let Some(task) = entry.adopt(|| self.next_id()) {
                self.ready.push(task);
            }
        }
        self.spare.set(woken);
        if alarm {
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
            let polled = self
                .timed(&task, || task.with_waker(|waker| root.future.as_mut().poll(&mut Context::from_waker(waker))));
            root.is_done = polled.is_ready();
            header.phase.set(if root.is_done { Phase::Finished } else { Phase::Pending });
            return true;
        }
        let polled = self.timed(&task, || task.poll());
        match polled {
            Poll::Pending => {
                header.phase.set(Phase::Pending);
                if header.state.snapshot().is_cancelled() {
                    self.cancel(&task);
                } else if header.slot.get() == NO_SLOT {
                    self.keep(task);
                }
            }
            Poll::Ready(destructor) => {
                self.finish(&task);
                if let Some(payload) = destructor {
                    self.report_panic(&task, payload);
                }
            }
        }
        true
    }

    /// Drops the future now: the task was cancelled, or the loop closes.
    pub(crate) fn cancel(&self, task: &TaskRef) {
        self.running.during(task, || task.drop_future());
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
                    wake_all(task.take_remote_waker());
                }
                word.has_handle()
            }
            Kind::Callback => false,
            Kind::Task if task.is_unwatched() => true,
            Kind::Task => match task.replace_joiner(Joiner::Nobody) {
                Joiner::Nobody => unreachable!("answered above"),
                Joiner::Waker(waker) => {
                    wake_all([waker]);
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
        task.header().phase.set(Phase::Pending); // it was finished, or panicked in mid-poll
        self.cancel(task);
    }

    /// Runs one poll, and reports it if it is slow. The clock is read only where somebody asked for that.
    fn timed<R>(&self, task: &TaskRef, poll: impl FnOnce() -> R) -> R {
        let Some(limit) = self.slow_poll else { return self.running.during(task, poll) };
        let start = Instant::now();
        let polled = self.running.during(task, poll);
        let took = start.elapsed();
        if took >= limit {
            self.shared.report(&Report::SlowPoll { task: TaskInfo::of(task), took });
        }
        polled
    }

    fn report_panic(&self, task: &TaskRef, payload: Payload) {
        self.shared.report(&Report::Panic { task: TaskInfo::of(task), message: message(&*payload) });
        discard(payload);
    }

    /// Nothing is ready: jumps a virtual clock, parks, or says why neither is any use.
    #[track_caller]
    fn idle(&self) -> Result<(), StallReport> {
        let shared = &*self.shared;
        // Before the counts are read, so that whoever lowers one of them from now on wakes the loop.
        shared.watching.store(true, Ordering::SeqCst);
        let outcome = self.idle_watching();
        shared.watching.store(false, Ordering::SeqCst);
        outcome
    }

    #[track_caller]
    fn idle_watching(&self) -> Result<(), StallReport> {
        let shared = &*self.shared;
        if let Some(inbox) = shared.held() {
            if inbox.own_holds > 0 {
                drop(inbox);
                panic!(
                    "a ClockHold taken on the loop's own thread keeps the loop from its next turn, and only that turn \
                     could drop it: drop the hold before you await or run the loop"
                );
            }
            shared.park(inbox);
            return Ok(());
        }
        // Counts first, the inbox last: a wake, a submission, a result is in the inbox before its count falls, so a
        // count of zero means that all there was is in the inbox.
        let jobs = shared.jobs.load(Ordering::SeqCst);
        let timers = shared.timers.live();
        let others = jobs > 0 || shared.handles.load(Ordering::SeqCst) > 0;
        if others && spin_until(|| shared.pending.load(Ordering::Relaxed)) {
            return Ok(());
        }
        let stalled = if others || timers > 0 { None } else { stall::check(self) };
        let inbox = shared.lock();
        if shared.pending.load(Ordering::Relaxed) {
            return Ok(());
        }
        if timers > 0 && shared.timers.is_virtual && jobs == 0 {
            // Under the inbox's lock, so that no `ClockHold` can begin in mid-jump.
            let due = shared.timers.jump();
            drop(inbox);
            wake_all(due);
            return Ok(());
        }
        if let Some(report) = stalled {
            return Err(report);
        }
        shared.park(inbox);
        Ok(())
    }

    pub(crate) fn running_task(&self) -> Option<TaskInfo> {
        let task = self.running.get()?;
        (task.kind() != Kind::Callback).then(|| TaskInfo::of(&task))
    }

    /// The unfinished tasks, oldest first.
    pub(crate) fn tasks(&self) -> Vec<TaskRef> {
        let mut tasks: Vec<TaskRef> = self.waiting.borrow().iter().cloned().collect();
        tasks.extend(self.ready.snapshot());
        tasks.extend(self.running.get());
        tasks.retain(|task| !task.header().phase.get().is_over());
        tasks.sort_by_key(|task| task.header().id());
        tasks.dedup_by(|a, b| a.is(b));
        tasks
    }

    pub(crate) fn all_tasks(&self) -> Vec<TaskInfo> {
        self.tasks().iter().filter(|task| task.kind() != Kind::Callback).map(TaskInfo::of).collect()
    }

    /// Cancels every task in the order in which they were spawned, and lets go of all that is left. While it runs
    /// this is the current loop, so that a destructor may still spawn: such a task is cancelled at once.
    pub(crate) fn close(self: &Rc<Self>) {
        if self.closed.replace(true) {
            return;
        }
        let _current = Enter::new(self);
        let submitted = {
            let mut inbox = self.shared.lock();
            inbox.closed = true;
            std::mem::take(&mut inbox.woken)
        };
        for entry in submitted {
            if let Some(task) = entry.adopt(|| self.next_id()) {
                self.ready.push(task);
            }
        }
        for task in self.tasks() {
            if task.header().phase.get() == Phase::Pending {
                self.cancel(&task);
            }
        }
        self.shared.timers.close();
        self.jobs.join();
        while let Some(over) = self.ready.pop() {
            drop(over);
        }
    }
}
