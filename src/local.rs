//! The half of a loop that only its own thread touches, and what does not happen in turns: making it, closing it, and
//! the list of its tasks.

use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use crate::context::Enter;
use crate::executor::Jobs;
use crate::record::{Recording, What};
use crate::report::TaskInfo;
use crate::shared::Shared;
use crate::slab::Slab;
use crate::sync::Arc;
use crate::task::{Kind, Outside, Phase, Ready, RunningTask, TaskRef, Typed};

pub(crate) struct Local {
    pub(crate) shared: Arc<Shared>,
    pub(crate) ready: Ready,
    /// The tasks that were pending at least once. The loop owns them here: a task that nobody holds and nobody will
    /// wake stays until it is cancelled or the loop closes (TASK-14, cases 46 and 47).
    pub(crate) waiting: RefCell<Slab<TaskRef>>,
    pub(crate) jobs: Jobs,
    pub(crate) running: RunningTask,
    last_id: Cell<u64>,
    pub(crate) stopping: Cell<bool>,
    pub(crate) is_running: Cell<bool>,
    pub(crate) closed: Cell<bool>,
    pub(crate) slow_poll: Option<Duration>,
    pub(crate) recording: Option<Box<Recording>>,
    /// There is a limit for polls, or an observer: they are looked at one by one.
    pub(crate) is_watched: bool,
    /// The spare half of the inbox: taking over is one swap.
    pub(crate) spare: Cell<Vec<Outside>>,
}

impl Local {
    pub(crate) fn new(shared: Arc<Shared>, slow_poll: Option<Duration>, recording: Option<Recording>) -> Rc<Self> {
        Rc::new(Local {
            is_watched: slow_poll.is_some() || recording.is_some(),
            recording: recording.map(Box::new),
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
        self.spawn_as(future, name, std::any::type_name::<F>(), spawned_at)
    }

    /// The same; `function` is what the record calls it.
    pub(crate) fn spawn_as<F: Future + 'static>(
        &self,
        future: F,
        name: Option<String>,
        function: &'static str,
        spawned_at: &'static Location<'static>,
    ) -> Typed<F::Output> {
        let known = self.recording.as_ref().and_then(|_| name.clone());
        let typed = Typed::new(&self.shared, future, name, self.next_id(), spawned_at);
        let is_open = !self.closed.get();
        if is_open {
            self.ready.push(typed.task.clone());
        } else {
            self.keep(typed.task.clone());
        }
        self.record_spawned(&typed.task, known, function, is_open);
        if !is_open {
            self.cancel(&typed.task);
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
        let (submitted, told) = {
            let mut inbox = self.shared.lock();
            inbox.closed = true;
            (std::mem::take(&mut inbox.woken), inbox.news.as_mut().map(|news| news.take()))
        };
        if let Some(told) = told {
            self.take_in(told);
        }
        self.record(|_| What::CloseBegun);
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
        self.record(|_| What::Closed);
    }
}
