//! The executor runs random programs event for event as a plain model of it does.
//!
//! A program is run twice: by the model, which is a queue, a list of timers and a few rules, and by the executor on a
//! virtual clock. Both write down each poll and how it ended, each drop of a future and of an output, each result,
//! report and verdict; the two lists must be equal. Where the model says that the loop parks with a waker still
//! around, a thread gets all wakers that are around: it drops all but the first, and drops or calls that one.

mod common;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::{Future, poll_fn};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use handloop::record::Recorder;
use handloop::{
    Builder, Elapsed, EventLoop, JoinError, Report, RunError, StallReport, Task, TaskState, WakerFate, current_task,
    gather_settled, sleep, timeout, yield_now,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Places where wakers are kept.
const SLOTS: usize = 3;

// The programs.

/// What the driver does, from outside the loop.
#[derive(Clone, Debug)]
struct Program {
    steps: Vec<Step>,
    /// Whether the thread that gets the wakers of a parked loop calls the first of them, or only drops them.
    rescue_wakes: bool,
    /// Whether the loop records, which must change nothing.
    is_recorded: bool,
}

trait RecordIf {
    fn record_if(self, is_recorded: bool) -> Self;
}

impl RecordIf for Builder {
    fn record_if(self, is_recorded: bool) -> Self {
        if is_recorded { self.record(&Recorder::new(|_| {})) } else { self }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Do(Act),
    RunOnce,
    /// `try_run_until_complete`.
    Run(Script),
    Close,
}

/// One task.
#[derive(Clone, Debug)]
struct Script {
    does: Vec<Op>,
    /// What the destructor of its future does.
    on_drop: Vec<Act>,
}

/// What a task does in a poll.
#[derive(Clone, Debug)]
enum Op {
    Do(Act),
    Yield,
    /// In milliseconds.
    Sleep(u64),
    /// Clones the task's own waker into a slot.
    Keep(usize),
    /// Pending once, and keeps nothing.
    Wait,
    /// Awaits a handle, and by that ends it.
    Join(Nth),
    /// Awaits a handle for so many milliseconds, and puts it back.
    JoinFor(Nth, u64),
    /// `gather_settled`.
    Gather(Nth, Nth),
    Panic,
}

/// What can be done anywhere: in a poll, in a destructor, between two runs.
#[derive(Clone, Debug)]
enum Act {
    Spawn(Script),
    Wake(usize),
    WakeByValue(usize),
    CloneWaker {
        from: usize,
        to: usize,
    },
    DropWaker(usize),
    Cancel(Nth),
    DropHandle(Nth),
    Stop,
    /// Writes down what is known of all tasks.
    Look,
}

/// A handle, counted among all that were ever made.
type Nth = usize;

fn act(script: Option<BoxedStrategy<Script>>) -> BoxedStrategy<Act> {
    let plain = prop_oneof![
        3 => (0..SLOTS).prop_map(Act::Wake),
        3 => (0..SLOTS).prop_map(Act::WakeByValue),
        2 => (0..SLOTS, 0..SLOTS).prop_map(|(from, to)| Act::CloneWaker { from, to }),
        2 => (0..SLOTS).prop_map(Act::DropWaker),
        4 => (0..8usize).prop_map(Act::Cancel),
        3 => (0..8usize).prop_map(Act::DropHandle),
        1 => Just(Act::Stop),
        2 => Just(Act::Look),
    ];
    match script {
        None => plain.boxed(),
        Some(script) => prop_oneof![2 => plain, 1 => script.prop_map(Act::Spawn)].boxed(),
    }
}

fn script(depth: u32) -> BoxedStrategy<Script> {
    let inner = || (depth > 0).then(|| script(depth - 1));
    let op = prop_oneof![
        9 => act(inner()).prop_map(Op::Do),
        4 => Just(Op::Yield),
        4 => (0..4u64).prop_map(Op::Sleep),
        4 => (0..SLOTS).prop_map(Op::Keep),
        3 => Just(Op::Wait),
        4 => (0..8usize).prop_map(Op::Join),
        3 => (0..8usize, 0..4u64).prop_map(|(nth, limit)| Op::JoinFor(nth, limit)),
        2 => (0..8usize, 0..8usize).prop_map(|(a, b)| Op::Gather(a, b)),
        1 => Just(Op::Panic),
    ];
    let on_drop = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(act(inner()), 1..3)];
    (prop::collection::vec(op, 0..6), on_drop).prop_map(|(does, on_drop)| Script { does, on_drop }).boxed()
}

fn program() -> impl Strategy<Value = Program> {
    let step = prop_oneof![
        3 => act(None).prop_map(Step::Do),
        4 => script(2).prop_map(|script| Step::Do(Act::Spawn(script))),
        3 => Just(Step::RunOnce),
        4 => script(2).prop_map(Step::Run),
    ];
    // A program that closes its loop in the middle does little more.
    let tail = prop_oneof![
        3 => Just(Vec::new()),
        1 => prop::collection::vec(act(Some(script(1))).prop_map(Step::Do), 0..4),
    ];
    (prop::collection::vec(step, 1..10), tail, any::<bool>(), any::<bool>()).prop_map(
        |(mut steps, tail, rescue_wakes, is_recorded)| {
            if !tail.is_empty() {
                steps.push(Step::Close);
                steps.extend(tail);
            }
            Program { steps, rescue_wakes, is_recorded }
        },
    )
}

// The texts of events, the same for both.

fn joined(id: u64, child: u64, how: &str) -> String {
    format!("{id}: {child} {how}")
}

fn output_dropped(id: u64) -> String {
    format!("{id}: output dropped")
}

fn reported(id: u64) -> String {
    format!("{id}: panic reported")
}

// The model.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Waiting,
    Running,
    Finished,
    Panicked,
    Cancelled,
}

impl Phase {
    fn is_over(self) -> bool {
        !matches!(self, Phase::Waiting | Phase::Running)
    }

    fn how(self) -> &'static str {
        match self {
            Phase::Finished => "finished",
            Phase::Panicked => "panicked",
            Phase::Cancelled => "cancelled",
            _ => panic!("it is not over"),
        }
    }
}

/// Who hears of the end of a task.
#[derive(Clone)]
enum Joiner {
    Detached,
    Nobody,
    Waker(u64),
    Group(Rc<ModelGroup>),
}

struct ModelGroup {
    running: Cell<usize>,
    waker: Cell<Option<u64>>,
}

/// Where in its script a task is.
#[derive(Clone)]
enum Stage {
    Next,
    /// It goes on at the next poll, whatever that was for.
    Once,
    Sleeping((u64, u64)),
    Joining(u64),
    JoiningFor {
        nth: usize,
        child: u64,
        timer: Option<(u64, u64)>,
    },
    Gathering(Rc<ModelGroup>, Vec<u64>),
}

struct ModelTask {
    ops: VecDeque<Op>,
    on_drop: Vec<Act>,
    stage: Stage,
    phase: Phase,
    polls: u32,
    is_queued: bool,
    /// An entry for it is in the inbox.
    is_notified: bool,
    to_cancel: bool,
    /// Its waker was cloned at least once.
    waker_taken: bool,
    joiner: Joiner,
    result_taken: bool,
}

enum Polled {
    Pending,
    Ready,
    Panicked,
}

enum Ending {
    Done,
    Stopped,
    Stalled(String),
    Panicked,
}

#[derive(Default)]
struct Model {
    rescue_wakes: bool,
    events: Vec<String>,
    /// How many events there were whenever the loop parked. Nothing is done after the last event of a turn, so the
    /// executor's thread may hand its wakers over at that event.
    rescues: Vec<usize>,
    now: u64,
    /// In the loop, a wake goes to the ready queue; outside, to the inbox.
    is_inside: bool,
    is_closed: bool,
    is_stopping: bool,
    last_id: u64,
    tasks: BTreeMap<u64, ModelTask>,
    ready: VecDeque<u64>,
    inbox: Vec<u64>,
    /// By deadline and sequence.
    timers: BTreeMap<(u64, u64), u64>,
    last_sequence: u64,
    handles: Vec<Option<u64>>,
    slots: [Option<u64>; SLOTS],
}

impl Model {
    fn run(program: &Program) -> Model {
        let mut model = Model { rescue_wakes: program.rescue_wakes, ..Model::default() };
        for step in &program.steps {
            model.step_of_driver(step);
        }
        model.close();
        for nth in 0..model.handles.len() {
            model.act(&Act::DropHandle(nth));
        }
        model
    }

    fn event(&mut self, text: impl Into<String>) {
        self.events.push(text.into());
    }

    fn task(&mut self, id: u64) -> &mut ModelTask {
        self.tasks.get_mut(&id).unwrap()
    }

    fn phase(&self, id: u64) -> Phase {
        self.tasks[&id].phase
    }

    fn new_task(&mut self, script: &Script, joiner: Joiner) -> u64 {
        self.last_id += 1;
        let task = ModelTask {
            ops: script.does.clone().into(),
            on_drop: script.on_drop.clone(),
            stage: Stage::Next,
            phase: Phase::Waiting,
            polls: 0,
            is_queued: false,
            is_notified: false,
            to_cancel: false,
            waker_taken: false,
            joiner,
            result_taken: false,
        };
        self.tasks.insert(self.last_id, task);
        self.last_id
    }

    fn step_of_driver(&mut self, step: &Step) {
        match step {
            Step::Do(act) => self.act(act),
            Step::Close => self.close(),
            Step::RunOnce | Step::Run(_) if self.is_closed => {}
            Step::RunOnce => {
                self.is_inside = true;
                let ran = matches!(self.turn(None), Ok(true));
                self.is_inside = false;
                self.is_stopping = false;
                self.event(format!("turn: {ran}"));
            }
            Step::Run(script) => {
                let root = self.new_task(script, Joiner::Detached);
                self.push_ready(root);
                self.is_inside = true;
                let ending = self.drive(root);
                let is_unfinished = matches!(ending, Ending::Stopped | Ending::Stalled(_));
                self.task(root).phase = Phase::Cancelled;
                if is_unfinished {
                    self.drop_future(root);
                }
                // A stop by what was dropped with the run is over with the run.
                self.is_stopping = false;
                self.is_inside = false;
                match ending {
                    Ending::Done => {
                        self.event(format!("{root}: done"));
                        self.event(output_dropped(root));
                    }
                    Ending::Stopped => self.event("stopped"),
                    Ending::Stalled(report) => self.event(report),
                    Ending::Panicked => self.event(format!("{root}: panicked")),
                }
            }
        }
    }

    fn drive(&mut self, root: u64) -> Ending {
        let mut is_done = false;
        loop {
            let ran = match self.turn(Some((root, &mut is_done))) {
                Ok(ran) => ran,
                Err(()) => return Ending::Panicked,
            };
            if is_done {
                return Ending::Done;
            }
            if self.is_stopping {
                return Ending::Stopped;
            }
            if ran {
                continue;
            }
            if let Some((&(deadline, _), _)) = self.timers.first_key_value() {
                self.now = self.now.max(deadline);
                while let Some(timer) = self.timers.first_entry().filter(|timer| timer.key().0 <= self.now) {
                    let task = timer.remove();
                    self.wake(task);
                }
            } else if self.slots.iter().flatten().any(|&id| !self.phase(id).is_over()) {
                self.rescue();
            } else {
                return Ending::Stalled(self.stall_report());
            }
        }
    }

    /// The loop parks, and a thread gets the wakers.
    fn rescue(&mut self) {
        self.rescues.push(self.events.len());
        let first = std::mem::take(&mut self.slots).into_iter().flatten().next();
        if let Some(first) = first.filter(|_| self.rescue_wakes) {
            self.is_inside = false;
            self.wake(first);
            self.is_inside = true;
        }
    }

    /// `Err`: the root panicked, and the rest of the batch stays.
    fn turn(&mut self, mut root: Option<(u64, &mut bool)>) -> Result<bool, ()> {
        for id in std::mem::take(&mut self.inbox) {
            if std::mem::take(&mut self.task(id).is_notified) && !self.phase(id).is_over() {
                self.push_ready(id);
            }
        }
        let mut ran = false;
        for _ in 0..self.ready.len() {
            let id = self.ready.pop_front().unwrap();
            self.task(id).is_queued = false;
            self.task(id).is_notified = false;
            if self.phase(id).is_over() {
                continue;
            }
            ran = true;
            if self.task(id).to_cancel {
                self.cancel(id);
                continue;
            }
            self.task(id).polls += 1;
            self.task(id).phase = Phase::Running;
            let polled = self.poll(id);
            if let Some((root, is_done)) = root.as_mut().filter(|(root, _)| *root == id) {
                match polled {
                    Polled::Panicked => {
                        self.drop_future(*root);
                        return Err(());
                    }
                    Polled::Ready => {
                        self.drop_future(*root);
                        **is_done = true;
                    }
                    Polled::Pending => {}
                }
                self.task(id).phase = if **is_done { Phase::Finished } else { Phase::Waiting };
                continue;
            }
            match polled {
                Polled::Pending => {
                    self.task(id).phase = Phase::Waiting;
                    if self.task(id).to_cancel {
                        self.cancel(id);
                    }
                }
                Polled::Ready => self.end(id, Phase::Finished),
                Polled::Panicked => self.end(id, Phase::Panicked),
            }
        }
        Ok(ran)
    }

    fn push_ready(&mut self, id: u64) {
        if !std::mem::replace(&mut self.task(id).is_queued, true) {
            self.ready.push_back(id);
        }
    }

    fn wake(&mut self, id: u64) {
        if self.phase(id).is_over() {
        } else if self.is_inside {
            self.push_ready(id);
        } else if !std::mem::replace(&mut self.task(id).is_notified, true) {
            self.inbox.push(id);
        }
    }

    fn end(&mut self, id: u64, phase: Phase) {
        self.drop_future(id);
        self.task(id).phase = phase;
        self.tell_joiner(id);
    }

    fn cancel(&mut self, id: u64) {
        self.task(id).phase = Phase::Running;
        self.drop_future(id);
        self.task(id).phase = Phase::Cancelled;
        self.tell_joiner(id);
    }

    fn tell_joiner(&mut self, id: u64) {
        match std::mem::replace(&mut self.task(id).joiner, Joiner::Nobody) {
            Joiner::Nobody => {}
            Joiner::Detached => {
                self.task(id).joiner = Joiner::Detached;
                self.drop_result(id);
            }
            Joiner::Waker(joiner) => self.wake(joiner),
            Joiner::Group(group) => self.child_ended(&group),
        }
    }

    fn child_ended(&mut self, group: &ModelGroup) {
        group.running.set(group.running.get() - 1);
        if group.running.get() == 0 {
            if let Some(waker) = group.waker.take() {
                self.wake(waker);
            }
        }
    }

    fn drop_result(&mut self, id: u64) {
        if std::mem::replace(&mut self.task(id).result_taken, true) {
            return;
        }
        match self.phase(id) {
            Phase::Finished => self.event(output_dropped(id)),
            Phase::Panicked => self.event(reported(id)),
            _ => {}
        }
    }

    fn drop_handle(&mut self, id: u64) {
        if self.task(id).result_taken {
            return;
        }
        self.task(id).joiner = Joiner::Detached;
        if self.phase(id).is_over() {
            self.drop_result(id);
        }
    }

    /// The destructor of a task's future, and then what the future held.
    fn drop_future(&mut self, id: u64) {
        self.event(format!("{id}: dropped"));
        let on_drop = std::mem::take(&mut self.task(id).on_drop);
        on_drop.iter().for_each(|act| self.act(act));
        if !on_drop.is_empty() {
            self.event(format!("{id}: destructor over"));
        }
        self.task(id).ops.clear();
        match std::mem::replace(&mut self.task(id).stage, Stage::Next) {
            Stage::Next | Stage::Once => {}
            Stage::Sleeping(timer) => drop(self.timers.remove(&timer)),
            Stage::Joining(child) => self.drop_handle(child),
            Stage::JoiningFor { child, timer, .. } => {
                timer.and_then(|timer| self.timers.remove(&timer));
                self.drop_handle(child);
            }
            Stage::Gathering(_, children) => {
                for &child in &children {
                    self.ask_to_cancel(child);
                }
                children.into_iter().for_each(|child| self.drop_handle(child));
            }
        }
    }

    fn ask_to_cancel(&mut self, id: u64) -> bool {
        if self.phase(id).is_over() {
            return false;
        }
        self.task(id).to_cancel = true;
        self.wake(id);
        true
    }

    fn poll(&mut self, id: u64) -> Polled {
        self.event(format!("{id}: poll"));
        loop {
            match self.task(id).stage.clone() {
                Stage::Next => match self.task(id).ops.pop_front() {
                    None => {
                        self.event(format!("{id}: ready"));
                        return Polled::Ready;
                    }
                    Some(Op::Panic) => {
                        self.event(format!("{id}: panics"));
                        return Polled::Panicked;
                    }
                    Some(op) => {
                        let stage = self.begin(id, op);
                        self.task(id).stage = stage;
                        if !matches!(self.task(id).stage, Stage::Once) {
                            continue;
                        }
                    }
                },
                Stage::Once => {
                    self.task(id).stage = Stage::Next;
                    continue;
                }
                Stage::Sleeping(timer) => {
                    if !self.timers.contains_key(&timer) {
                        self.event(format!("{id}: slept until {}", self.now));
                        self.task(id).stage = Stage::Next;
                        continue;
                    }
                }
                Stage::Joining(child) => {
                    if self.phase(child).is_over() {
                        self.task(id).stage = Stage::Next;
                        self.take_result(id, child);
                        continue;
                    }
                    self.wait_for(id, child);
                }
                Stage::JoiningFor { nth, child, timer } => {
                    let has_result = self.phase(child).is_over();
                    if !has_result {
                        self.wait_for(id, child);
                    }
                    if has_result || timer.is_none_or(|timer| !self.timers.contains_key(&timer)) {
                        timer.and_then(|timer| self.timers.remove(&timer));
                        self.task(id).stage = Stage::Next;
                        if has_result {
                            self.take_result(id, child);
                        } else {
                            self.event(joined(id, child, &format!("is late at {}", self.now)));
                            self.handles[nth] = Some(child);
                        }
                        continue;
                    }
                }
                Stage::Gathering(group, children) => {
                    if group.running.get() == 0 {
                        self.task(id).stage = Stage::Next;
                        children.into_iter().for_each(|child| self.take_result(id, child));
                        continue;
                    }
                    group.waker.set(Some(id));
                    self.task(id).waker_taken = true;
                }
            }
            self.event(format!("{id}: pending"));
            return Polled::Pending;
        }
    }

    fn wait_for(&mut self, id: u64, child: u64) {
        self.task(child).joiner = Joiner::Waker(id);
        self.task(id).waker_taken = true;
    }

    fn take_result(&mut self, id: u64, child: u64) {
        self.task(child).result_taken = true;
        let phase = self.phase(child);
        self.event(joined(id, child, phase.how()));
        if phase == Phase::Finished {
            self.event(output_dropped(child));
        }
    }

    fn register(&mut self, id: u64, delay: u64) -> (u64, u64) {
        self.last_sequence += 1;
        let timer = (self.now + delay, self.last_sequence);
        self.timers.insert(timer, id);
        self.task(id).waker_taken = true;
        timer
    }

    /// The first half of an operation.
    fn begin(&mut self, id: u64, op: Op) -> Stage {
        match op {
            Op::Do(act) => self.act(&act),
            Op::Yield => {
                self.wake(id);
                return Stage::Once;
            }
            Op::Wait => return Stage::Once,
            Op::Sleep(0) => self.event(format!("{id}: slept until {}", self.now)),
            Op::Sleep(delay) => return Stage::Sleeping(self.register(id, delay)),
            Op::Keep(slot) => {
                self.slots[slot] = Some(id);
                self.task(id).waker_taken = true;
            }
            Op::Join(nth) => {
                if let Some((_, child)) = self.take_handle(nth) {
                    return Stage::Joining(child);
                }
            }
            Op::JoinFor(nth, limit) => {
                if let Some((nth, child)) = self.take_handle(nth) {
                    // The deadline is looked at only if the task is not over.
                    let waits = limit > 0 && !self.phase(child).is_over();
                    let timer = waits.then(|| self.register(id, limit));
                    return Stage::JoiningFor { nth, child, timer };
                }
            }
            Op::Gather(a, b) => {
                let children: Vec<u64> =
                    [a, b].into_iter().filter_map(|nth| self.take_handle(nth)).map(|(_, child)| child).collect();
                let group = Rc::new(ModelGroup { running: Cell::new(children.len()), waker: Cell::default() });
                for &child in &children {
                    if self.phase(child).is_over() {
                        self.child_ended(&group);
                    } else {
                        self.task(child).joiner = Joiner::Group(group.clone());
                    }
                }
                return Stage::Gathering(group, children);
            }
            Op::Panic => unreachable!("the caller has dealt with it"),
        }
        Stage::Next
    }

    fn nth(&self, nth: usize) -> Option<usize> {
        nth.checked_rem(self.handles.len())
    }

    fn take_handle(&mut self, nth: usize) -> Option<(usize, u64)> {
        let nth = self.nth(nth)?;
        self.handles[nth].take().map(|id| (nth, id))
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Spawn(script) => {
                let id = self.new_task(script, Joiner::Nobody);
                self.event(format!("{id}: spawned"));
                if self.is_closed {
                    self.cancel(id);
                } else {
                    self.push_ready(id);
                }
                self.handles.push(Some(id));
            }
            Act::Wake(slot) => {
                if let Some(id) = self.slots[*slot] {
                    self.wake(id);
                }
            }
            Act::WakeByValue(slot) => {
                if let Some(id) = self.slots[*slot].take() {
                    self.wake(id);
                }
            }
            Act::CloneWaker { from, to } => {
                if let Some(id) = self.slots[*from] {
                    self.slots[*to] = Some(id);
                }
            }
            Act::DropWaker(slot) => self.slots[*slot] = None,
            Act::Cancel(nth) => {
                if let Some(id) = self.nth(*nth).and_then(|nth| self.handles[nth]) {
                    let accepted = self.ask_to_cancel(id);
                    self.event(format!("{id}: cancel {accepted}"));
                }
            }
            Act::DropHandle(nth) => {
                if let Some((_, id)) = self.take_handle(*nth) {
                    self.event(format!("{id}: handle dropped"));
                    self.drop_handle(id);
                }
            }
            Act::Stop => self.is_stopping = true,
            Act::Look => {
                let state = |task: &ModelTask| match task.phase {
                    Phase::Running => TaskState::Running,
                    Phase::Finished => TaskState::Finished,
                    Phase::Panicked => TaskState::Panicked,
                    Phase::Cancelled => TaskState::Cancelled,
                    Phase::Waiting if task.is_queued || task.is_notified => TaskState::Ready,
                    Phase::Waiting => TaskState::Waiting,
                };
                let all: Vec<String> = self
                    .tasks
                    .iter()
                    .filter(|(_, task)| !task.phase.is_over())
                    .map(|(id, task)| format!("{id} {:?} {}", state(task), task.polls))
                    .collect();
                let handles: Vec<String> =
                    self.handles.iter().flatten().map(|id| format!("{id} {:?}", state(&self.tasks[id]))).collect();
                self.event(format!("tasks {all:?}, handles {handles:?}"));
            }
        }
    }

    fn close(&mut self) {
        if std::mem::replace(&mut self.is_closed, true) {
            return;
        }
        self.is_inside = true;
        self.inbox.clear();
        let all: Vec<u64> = self.tasks.keys().copied().collect();
        for id in all {
            if !self.phase(id).is_over() {
                self.cancel(id);
            }
        }
        self.is_inside = false;
        self.event("closed");
    }

    fn stall_report(&self) -> String {
        let unfinished = || self.tasks.iter().filter(|(_, task)| !task.phase.is_over());
        let waits_for = |id: u64| -> Vec<u64> {
            let waker_of = |task: &ModelTask| match &task.joiner {
                Joiner::Waker(waker) => Some(*waker),
                Joiner::Group(group) => group.waker.get(),
                _ => None,
            };
            unfinished().filter(|(_, task)| waker_of(task) == Some(id)).map(|(&other, _)| other).collect()
        };
        let fates: Vec<String> = unfinished()
            .map(|(&id, task)| {
                let fate = match waits_for(id) {
                    others if !others.is_empty() => format!("waits for {others:?}"),
                    _ if task.waker_taken => "waker dropped".to_owned(),
                    _ => "waker never taken".to_owned(),
                };
                format!("{id} polled {}, {fate}", task.polls)
            })
            .collect();
        format!("stalled: {fates:?}")
    }
}

// The executor.

/// The list of events, which also knows when the wakers go to another thread.
struct Record(Mutex<RecordState>);

struct RecordState {
    events: Vec<String>,
    slots: [Option<Waker>; SLOTS],
    rescues: VecDeque<usize>,
    rescue_wakes: bool,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Record {
    fn event(&self, text: impl Into<String>) {
        let mut state = self.0.lock().unwrap();
        state.events.push(text.into());
        if state.rescues.front() != Some(&state.events.len()) {
            return;
        }
        state.rescues.pop_front();
        let (slots, wakes) = (std::mem::take(&mut state.slots), state.rescue_wakes);
        state.threads.push(thread::spawn(move || {
            let mut wakers = slots.into_iter().flatten();
            let first = wakers.next();
            wakers.for_each(drop);
            if let Some(first) = first.filter(|_| wakes) {
                first.wake();
            }
        }));
    }

    fn swap(&self, slot: usize, waker: Option<Waker>) -> Option<Waker> {
        std::mem::replace(&mut self.0.lock().unwrap().slots[slot], waker)
    }

    fn join_threads(&self) {
        let threads = std::mem::take(&mut self.0.lock().unwrap().threads);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

struct World {
    event_loop: EventLoop,
    start: Instant,
    record: Arc<Record>,
    handles: RefCell<Vec<Option<Task<Output>>>>,
    last_id: Cell<u64>,
}

struct Output {
    id: u64,
    record: Arc<Record>,
}

impl Drop for Output {
    fn drop(&mut self) {
        self.record.event(output_dropped(self.id));
    }
}

/// The future of a script.
struct Traced {
    id: u64,
    world: Rc<World>,
    on_drop: Vec<Act>,
    inner: Pin<Box<dyn Future<Output = Output>>>,
}

impl Future for Traced {
    type Output = Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Output> {
        let id = self.id;
        self.world.event(format!("{id}: poll"));
        assert_eq!(current_task().map(|task| task.id), Some(id));
        let polled = self.inner.as_mut().poll(context);
        self.world.event(format!("{id}: {}", if polled.is_ready() { "ready" } else { "pending" }));
        polled
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        self.world.event(format!("{}: dropped", self.id));
        self.on_drop.iter().for_each(|act| self.world.act(act));
        if !self.on_drop.is_empty() {
            self.world.event(format!("{}: destructor over", self.id));
        }
    }
}

impl World {
    /// Runs a program; what became of it, event by event.
    fn run(program: &Program, rescues: &[usize]) -> Vec<String> {
        let record = Arc::new(Record(Mutex::new(RecordState {
            events: Vec::new(),
            slots: Default::default(),
            rescues: rescues.iter().copied().collect(),
            rescue_wakes: program.rescue_wakes,
            threads: Vec::new(),
        })));
        let reports = record.clone();
        let event_loop = EventLoop::builder()
            .virtual_clock()
            .on_report(move |report| match report {
                Report::Panic { task, message } if message == "boom" => reports.event(reported(task.id)),
                other => reports.event(other.to_string()),
            })
            .record_if(program.is_recorded)
            .build();
        let world = Rc::new(World {
            start: event_loop.time(),
            event_loop,
            record,
            handles: RefCell::default(),
            last_id: Cell::new(0),
        });
        for step in &program.steps {
            world.step_of_driver(step);
        }
        world.close();
        let count = world.handles.borrow().len();
        for nth in 0..count {
            world.act(&Act::DropHandle(nth));
        }
        assert_eq!(Rc::strong_count(&world), 1, "a future was leaked");
        world.record.join_threads();
        let mut state = world.record.0.lock().unwrap();
        let (events, slots) = (std::mem::take(&mut state.events), std::mem::take(&mut state.slots));
        drop(state);
        drop(slots);
        events
    }

    fn event(&self, text: impl Into<String>) {
        self.record.event(text);
    }

    fn now(&self) -> u128 {
        (self.event_loop.time() - self.start).as_millis()
    }

    fn future_of(self: &Rc<Self>, script: &Script) -> Traced {
        self.last_id.set(self.last_id.get() + 1);
        let id = self.last_id.get();
        let inner = Box::pin(perform(self.clone(), id, script.does.clone()));
        Traced { id, world: self.clone(), on_drop: script.on_drop.clone(), inner }
    }

    fn step_of_driver(self: &Rc<Self>, step: &Step) {
        match step {
            Step::Do(act) => self.act(act),
            Step::Close => self.close(),
            Step::RunOnce | Step::Run(_) if self.event_loop.is_closed() => {}
            Step::RunOnce => {
                let ran = self.event_loop.run_once();
                self.event(format!("turn: {ran}"));
            }
            Step::Run(script) => {
                let root = self.future_of(script);
                let id = root.id;
                match catch_unwind(AssertUnwindSafe(|| self.event_loop.try_run_until_complete(root))) {
                    Ok(Ok(output)) => {
                        self.event(format!("{id}: done"));
                        drop(output);
                    }
                    Ok(Err(RunError::Stopped)) => self.event("stopped"),
                    Ok(Err(RunError::Stalled(report))) => self.event(stalled(&report)),
                    Ok(Err(error)) => panic!("{error}"),
                    Err(_) => self.event(format!("{id}: panicked")),
                }
                self.record.join_threads();
            }
        }
    }

    fn close(&self) {
        if !self.event_loop.is_closed() {
            self.event_loop.close();
            self.event("closed");
        }
    }

    fn nth(&self, nth: usize) -> Option<usize> {
        nth.checked_rem(self.handles.borrow().len())
    }

    fn take_handle(&self, nth: usize) -> Option<(usize, Task<Output>)> {
        let nth = self.nth(nth)?;
        self.handles.borrow_mut()[nth].take().map(|task| (nth, task))
    }

    fn act(self: &Rc<Self>, act: &Act) {
        match act {
            Act::Spawn(script) => {
                let future = self.future_of(script);
                let id = future.id;
                self.event(format!("{id}: spawned"));
                let task = self.event_loop.spawn(future);
                assert_eq!(task.id(), id);
                self.handles.borrow_mut().push(Some(task));
            }
            Act::Wake(slot) => {
                if let Some(waker) = self.record.swap(*slot, None) {
                    waker.wake_by_ref();
                    self.record.swap(*slot, Some(waker));
                }
            }
            Act::WakeByValue(slot) => {
                if let Some(waker) = self.record.swap(*slot, None) {
                    waker.wake();
                }
            }
            Act::CloneWaker { from, to } => {
                if let Some(waker) = self.record.swap(*from, None) {
                    let clone = waker.clone();
                    assert!(clone.will_wake(&waker));
                    self.record.swap(*from, Some(waker));
                    drop(self.record.swap(*to, Some(clone)));
                }
            }
            Act::DropWaker(slot) => drop(self.record.swap(*slot, None)),
            Act::Cancel(nth) => {
                let cancelled = self
                    .nth(*nth)
                    .and_then(|nth| self.handles.borrow()[nth].as_ref().map(|task| (task.id(), task.cancel())));
                if let Some((id, accepted)) = cancelled {
                    self.event(format!("{id}: cancel {accepted}"));
                }
            }
            Act::DropHandle(nth) => {
                if let Some((_, task)) = self.take_handle(*nth) {
                    self.event(format!("{}: handle dropped", task.id()));
                    drop(task);
                }
            }
            Act::Stop => self.event_loop.stop(),
            Act::Look => {
                let tasks = self.event_loop.all_tasks();
                let all: Vec<String> =
                    tasks.iter().map(|task| format!("{} {:?} {}", task.id, task.state, task.polls)).collect();
                let handles: Vec<String> = self
                    .handles
                    .borrow()
                    .iter()
                    .flatten()
                    .map(|task| format!("{} {:?}", task.id(), task.state()))
                    .collect();
                self.event(format!("tasks {all:?}, handles {handles:?}"));
            }
        }
    }

    fn joined(&self, id: u64, child: u64, result: Result<Output, JoinError>) {
        let how = match &result {
            Ok(output) => {
                assert_eq!(output.id, child);
                "finished"
            }
            Err(error) => {
                assert_eq!(error.id(), child);
                if error.is_cancelled() { "cancelled" } else { "panicked" }
            }
        };
        self.event(joined(id, child, how));
        drop(result);
    }
}

fn stalled(report: &StallReport) -> String {
    let fates: Vec<String> = report
        .tasks
        .iter()
        .map(|stalled| {
            let fate = match &stalled.waker {
                WakerFate::NeverTaken => "waker never taken".to_owned(),
                WakerFate::Dropped => "waker dropped".to_owned(),
                WakerFate::HeldByStuck(others) => {
                    format!("waits for {:?}", others.iter().map(|task| task.id).collect::<Vec<u64>>())
                }
                other => format!("{other:?}"),
            };
            format!("{} polled {}, {fate}", stalled.task.id, stalled.task.polls)
        })
        .collect();
    format!("stalled: {fates:?}")
}

async fn perform(world: Rc<World>, id: u64, ops: Vec<Op>) -> Output {
    for op in ops {
        match op {
            Op::Do(act) => world.act(&act),
            Op::Yield => yield_now().await,
            Op::Sleep(delay) => {
                sleep(Duration::from_millis(delay)).await;
                world.event(format!("{id}: slept until {}", world.now()));
            }
            Op::Keep(slot) => {
                let own = poll_fn(|context| Poll::Ready(context.waker().clone())).await;
                drop(world.record.swap(slot, Some(own)));
            }
            Op::Wait => {
                let mut is_second = false;
                poll_fn(|_| if std::mem::replace(&mut is_second, true) { Poll::Ready(()) } else { Poll::Pending })
                    .await;
            }
            Op::Join(nth) => {
                if let Some((_, task)) = world.take_handle(nth) {
                    let child = task.id();
                    let result = task.await;
                    world.joined(id, child, result);
                }
            }
            Op::JoinFor(nth, limit) => {
                if let Some((nth, mut task)) = world.take_handle(nth) {
                    let child = task.id();
                    let result = timeout(Duration::from_millis(limit), &mut task).await;
                    match result {
                        Ok(result) => world.joined(id, child, result),
                        Err(Elapsed) => {
                            world.event(joined(id, child, &format!("is late at {}", world.now())));
                            world.handles.borrow_mut()[nth] = Some(task);
                        }
                    }
                }
            }
            Op::Gather(a, b) => {
                let tasks: Vec<Task<Output>> =
                    [a, b].into_iter().filter_map(|nth| world.take_handle(nth)).map(|(_, task)| task).collect();
                let ids: Vec<u64> = tasks.iter().map(Task::id).collect();
                let results = gather_settled(tasks).await;
                for (child, result) in ids.into_iter().zip(results) {
                    world.joined(id, child, result);
                }
            }
            Op::Panic => {
                world.event(format!("{id}: panics"));
                resume_unwind(Box::new("boom"));
            }
        }
    }
    Output { id, record: world.record.clone() }
}

// The tests.

/// Runs a program on a thread of its own. One that hangs is printed, and ends the test run.
fn run_watched(program: &Program, rescues: &[usize]) -> Vec<String> {
    let (done, finished) = channel();
    let (own, rescues) = (program.clone(), rescues.to_vec());
    let runner = thread::Builder::new()
        .stack_size(1 << 21)
        .spawn(move || {
            let events = World::run(&own, &rescues);
            let _ = done.send(events);
        })
        .unwrap();
    match finished.recv_timeout(Duration::from_secs(60)) {
        Ok(events) => {
            runner.join().unwrap();
            events
        }
        Err(RecvTimeoutError::Timeout) => {
            // Not `eprintln!`, whose text the test harness would keep for itself.
            let _ = writeln!(std::io::stderr(), "this program hangs: {program:#?}");
            std::process::exit(101);
        }
        Err(RecvTimeoutError::Disconnected) => resume_unwind(runner.join().unwrap_err()),
    }
}

/// The events from the first on which the two lists differ, with a few before.
fn first_difference(expected: &[String], actual: &[String]) -> Option<String> {
    let at = (0..expected.len().max(actual.len())).find(|&at| expected.get(at) != actual.get(at))?;
    let from = |events: &[String]| events[at.saturating_sub(6).min(events.len())..].join("\n    ");
    Some(format!("event {at} differs\n  model:\n    {}\n  executor:\n    {}", from(expected), from(actual)))
}

fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    // PROPTEST_CASES can raise the number.
    ProptestConfig { cases: default.cases.max(1024), failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(config())]

    /// SOON-01, SOON-02, TASK-01, TASK-14, TIME-02, TIME-03, SLP-01, CANC-03, CANC-10, GATH-03, TMO-14, LOOP-05.
    /// Cases 9, 13, 34, 37, 38, 42, 46 to 48, 57, 60, 66, 67, 78 to 81, 86, 89. Programs of tasks, wakers, handles and
    /// timers have the events of the model, all of them and in its order.
    #[test]
    fn executor_does_what_the_model_does(program in program()) {
        let model = Model::run(&program);
        let events = run_watched(&program, &model.rescues);
        if let Some(difference) = first_difference(&model.events, &events) {
            return Err(TestCaseError::fail(difference));
        }
    }
}

/// The comparison is worth something: among the programs, drawn here without chance, is every kind of event, and every
/// fate of a waker.
#[test]
fn random_programs_reach_every_kind_of_event() {
    let mut runner = TestRunner::deterministic();
    let mut kinds = BTreeSet::new();
    for _ in 0..1024 {
        let program = program().new_tree(&mut runner).unwrap().current();
        let model = Model::run(&program);
        let text = model.events.join("\n");
        for kind in [
            ": ready",
            ": pending",
            ": panics",
            ": dropped",
            ": destructor over",
            ": output dropped",
            ": panic reported",
            ": handle dropped",
            ": cancel true",
            ": cancel false",
            ": slept until 3",
            " finished",
            " cancelled",
            " panicked",
            "is late at 3",
            "turn: true",
            "turn: false",
            ": done",
            ": panicked",
            "stopped",
            "waits for",
            "waker dropped",
            "waker never taken",
        ] {
            if text.contains(kind) {
                kinds.insert(kind);
            }
        }
        if !model.rescues.is_empty() {
            kinds.insert(if program.rescue_wakes { "(rescued by a wake)" } else { "(rescued by drops)" });
        }
    }
    assert_eq!(kinds.len(), 25, "{kinds:?}");
}

/// Runs `round` many times on one thread. Says in which round it hung, if it did. It panics instead of ending the test run.
fn many_rounds(rounds: usize, mut round: impl FnMut(usize) + Send + 'static) {
    let (begun, finished) = channel();
    let runner = thread::spawn(move || {
        for number in 0..rounds {
            round(number);
            let _ = begun.send(number);
        }
    });
    let mut next = 0;
    loop {
        match finished.recv_timeout(Duration::from_secs(20)) {
            Ok(_) => next += 1,
            Err(RecvTimeoutError::Timeout) => panic!("round {next} hangs"),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    runner.join().unwrap();
    assert_eq!(next, rounds);
}

/// A thread that does something after a number of spins, whenever it is given a value.
fn spinner<T: Send + 'static>(mut with: impl FnMut(T) + Send + 'static) -> impl Fn(T, usize) {
    let (sender, receiver) = channel::<(T, usize)>();
    let go = Arc::new(AtomicUsize::new(0));
    let seen = go.clone();
    thread::spawn(move || {
        for (number, (value, spins)) in receiver.into_iter().enumerate() {
            while seen.load(Ordering::Acquire) <= number {
                std::hint::spin_loop();
            }
            (0..spins).for_each(|_| std::hint::spin_loop());
            with(value);
        }
    });
    move |value, spins| {
        sender.send((value, spins)).unwrap();
        // The thread has had the time to take it, if it runs at all.
        (0..2000).for_each(|_| std::hint::spin_loop());
        go.fetch_add(1, Ordering::Release);
    }
}

/// The stall verdict: the last waker may be dropped on another thread at any moment, also between the loop's count and
/// its wait, and the loop still says that it is stalled.
#[test]
fn last_waker_dropped_while_the_loop_is_about_to_park_is_a_stall() {
    let event_loop = || EventLoop::builder().virtual_clock().build();
    many_rounds(8_000, {
        let drop_later = spinner(drop::<Waker>);
        move |round| {
            let stalled = event_loop().try_run_until_complete(poll_fn(|context| {
                drop_later(context.waker().clone(), round % 400);
                Poll::<()>::Pending
            }));
            assert!(matches!(stalled, Err(RunError::Stalled(_))));
        }
    });
}
