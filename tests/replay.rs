//! The player's replay agrees with the executor itself: for random programs, after each event, what the one function
//! makes of the events so far is what the loop holds at that moment.

mod common;
#[allow(dead_code, missing_docs)]
#[path = "../lessons/player/mod.rs"]
mod player;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use common::watched;
use handloop::record::{Event, Id, Recorder, What, snapshot};
use handloop::{
    EventLoop, Handle, Promise, Task, TaskState, call_later, call_soon, create_future, gather_settled, sleep, spawn,
    timeout, yield_now,
};
use player::replay::{Names, State};
use proptest::prelude::*;

const SLOTS: usize = 3;

#[derive(Clone, Debug)]
enum Op {
    Yield,
    Sleep(u64),
    KeepWaker(usize),
    CloneKept(usize, usize),
    WakeKept(usize),
    WakeKeptByValue(usize),
    DropKept(usize),
    /// Pending once, and keeps nothing.
    Wait,
    Spawn(Vec<Op>),
    Join(usize),
    JoinFor(usize, u64),
    PollJoin(usize),
    Gather(usize, usize),
    Cancel(usize),
    DropHandle(usize),
    CancelSelf,
    Promise,
    Keep(usize),
    CallSoon(usize),
    CallLater(usize, u64),
    CancelCallback(usize),
    TwoSleeps(u64, u64),
    Submit(Vec<Op>),
    Panic,
}

fn op(depth: u32) -> BoxedStrategy<Op> {
    let leaf = prop_oneof![
        4 => Just(Op::Yield),
        4 => (0..4u64).prop_map(Op::Sleep),
        3 => (0..SLOTS).prop_map(Op::KeepWaker),
        2 => (0..SLOTS, 0..SLOTS).prop_map(|(from, to)| Op::CloneKept(from, to)),
        3 => (0..SLOTS).prop_map(Op::WakeKept),
        3 => (0..SLOTS).prop_map(Op::WakeKeptByValue),
        2 => (0..SLOTS).prop_map(Op::DropKept),
        2 => Just(Op::Wait),
        3 => (0..6usize).prop_map(Op::Join),
        2 => (0..6usize, 0..3u64).prop_map(|(nth, limit)| Op::JoinFor(nth, limit)),
        2 => (0..6usize).prop_map(Op::PollJoin),
        2 => (0..6usize, 0..6usize).prop_map(|(a, b)| Op::Gather(a, b)),
        3 => (0..6usize).prop_map(Op::Cancel),
        2 => (0..6usize).prop_map(Op::DropHandle),
        1 => Just(Op::CancelSelf),
        2 => Just(Op::Promise),
        1 => (0..4usize).prop_map(Op::Keep),
        2 => (0..SLOTS).prop_map(Op::CallSoon),
        2 => (0..SLOTS, 0..3u64).prop_map(|(slot, after)| Op::CallLater(slot, after)),
        1 => (0..4usize).prop_map(Op::CancelCallback),
        2 => (0..4u64, 0..4u64).prop_map(|(a, b)| Op::TwoSleeps(a, b)),
        1 => Just(Op::Panic),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let script = || prop::collection::vec(op(depth - 1), 0..6);
    prop_oneof![8 => leaf, 3 => script().prop_map(Op::Spawn), 1 => script().prop_map(Op::Submit)].boxed()
}

/// What the tasks of one program share.
#[derive(Default)]
struct World {
    kept: RefCell<[Option<Waker>; SLOTS]>,
    handles: RefCell<Vec<Option<Task<()>>>>,
    callbacks: RefCell<Vec<Handle>>,
    promises: RefCell<VecDeque<Promise<()>>>,
}

impl World {
    /// Nothing of a waker's may run while a cell is borrowed.
    fn put(&self, slot: usize, waker: Option<Waker>) {
        let before = std::mem::replace(&mut self.kept.borrow_mut()[slot], waker);
        drop(before);
    }

    fn kept(&self, slot: usize) -> Option<Waker> {
        let taken = self.kept.borrow_mut()[slot].take()?;
        let copy = taken.clone();
        self.put(slot, Some(taken));
        Some(copy)
    }

    fn take(&self, slot: usize) -> Option<Waker> {
        self.kept.borrow_mut()[slot].take()
    }

    fn handle(&self, nth: usize) -> Option<Task<()>> {
        let mut handles = self.handles.borrow_mut();
        let count = handles.len().max(1);
        handles.get_mut(nth % count)?.take()
    }

    fn wake(&self, slot: usize) {
        if let Some(waker) = self.take(slot) {
            waker.wake_by_ref();
            self.put(slot, Some(waker));
        }
    }
}

thread_local! {
    static WORLD: RefCell<Rc<World>> = RefCell::default();
}

type Boxed = Pin<Box<dyn Future<Output = ()>>>;

fn run(world: Rc<World>, script: Vec<Op>) -> Boxed {
    Box::pin(async move {
        for op in script {
            step(&world, op).await;
        }
    })
}

fn spawned(world: &Rc<World>, script: Vec<Op>) {
    let task = spawn(run(world.clone(), script));
    world.handles.borrow_mut().push(Some(task));
}

async fn step(world: &Rc<World>, op: Op) {
    match op {
        Op::Yield => yield_now().await,
        Op::Sleep(time) => sleep(Duration::from_millis(time)).await,
        Op::KeepWaker(slot) => {
            poll_fn(|context| {
                world.put(slot, Some(context.waker().clone()));
                Poll::Ready(())
            })
            .await;
        }
        Op::CloneKept(from, to) => {
            let copy = world.kept(from);
            world.put(to, copy);
        }
        Op::WakeKept(slot) => world.wake(slot),
        Op::WakeKeptByValue(slot) => world.take(slot).into_iter().for_each(Waker::wake),
        Op::DropKept(slot) => world.put(slot, None),
        Op::Wait => {
            let mut waited = false;
            poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
        }
        Op::Spawn(script) => spawned(world, script),
        Op::Submit(script) => {
            let handle = handloop::LoopHandle::current().unwrap();
            drop(handle.submit_with(move || run(WORLD.with_borrow(Rc::clone), script)));
        }
        Op::Join(nth) => {
            if let Some(task) = world.handle(nth) {
                let _ = task.await;
            }
        }
        Op::JoinFor(nth, limit) => {
            if let Some(mut task) = world.handle(nth) {
                let joined = timeout(Duration::from_millis(limit), &mut task).await;
                if joined.is_err() {
                    world.handles.borrow_mut().push(Some(task));
                }
            }
        }
        Op::PollJoin(nth) => {
            if let Some(mut task) = world.handle(nth) {
                let polled = poll_fn(|context| Poll::Ready(Pin::new(&mut task).poll(context))).await;
                if polled.is_pending() {
                    world.handles.borrow_mut().push(Some(task));
                }
            }
        }
        Op::Gather(a, b) => {
            let tasks: Vec<Task<()>> = [a, b].into_iter().filter_map(|nth| world.handle(nth)).collect();
            drop(gather_settled(tasks).await);
        }
        Op::Cancel(nth) => {
            if let Some(task) = world.handle(nth) {
                task.cancel();
                world.handles.borrow_mut().push(Some(task));
            }
        }
        Op::DropHandle(nth) => drop(world.handle(nth)),
        Op::CancelSelf => {
            let own = handloop::current_task().map(|task| task.id);
            let handles = world.handles.take();
            handles.iter().flatten().filter(|task| Some(task.id()) == own).for_each(|task| {
                task.cancel();
            });
            let later = world.handles.replace(handles);
            world.handles.borrow_mut().extend(later);
        }
        Op::Promise => {
            let (promise, future) = create_future();
            world.promises.borrow_mut().push_back(promise);
            let _ = timeout(Duration::from_millis(2), future).await;
        }
        Op::Keep(nth) => {
            let promise = world.promises.borrow_mut().pop_front();
            match promise {
                Some(promise) if nth > 0 => promise.set_result(()),
                other => drop(other),
            }
        }
        Op::CallSoon(slot) => {
            let own = world.clone();
            world.callbacks.borrow_mut().push(call_soon(move || own.wake(slot)).unwrap());
        }
        Op::CallLater(slot, after) => {
            let own = world.clone();
            let handle = call_later(Duration::from_millis(after), move || own.put(slot, None)).unwrap();
            world.callbacks.borrow_mut().push(handle);
        }
        Op::CancelCallback(nth) => {
            let callbacks = world.callbacks.take();
            callbacks.iter().skip(nth).take(1).for_each(Handle::cancel);
            world.callbacks.replace(callbacks);
        }
        Op::TwoSleeps(a, b) => {
            let mut sleeps = [a, b].map(|time| Box::pin(sleep(Duration::from_millis(time))));
            poll_fn(|context| {
                // Both are polled, also when the first is ready.
                let ready = sleeps.each_mut().map(|sleep| sleep.as_mut().poll(context).is_ready());
                if ready.contains(&true) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
        Op::Panic => std::panic::panic_any("planned"),
    }
}

/// Compares, at each event, and keeps the first difference.
#[derive(Clone, Default)]
struct Judge(Arc<Mutex<Verdict>>);

#[derive(Default)]
struct Verdict {
    events: Vec<Event>,
    compared: usize,
    difference: Option<String>,
}

impl Judge {
    fn recorder(&self) -> Recorder {
        let verdict = self.0.clone();
        let mut state = State::new(&Arc::new(Names::default()));
        let (mut has_news, mut run_has_ended) = (true, false);
        Recorder::new(move |event| {
            state.apply(event);
            let mut verdict = verdict.lock().unwrap();
            verdict.events.push(event.clone());
            let own = snapshot();
            // What was said between two runs has had its effect, but not its number, until the loop takes it over.
            match &event.what {
                What::RunEnded(_) => has_news = true,
                // A waker that is kept is a hope that keeps the loop waiting: they are given up here, all at once.
                What::Parked => {
                    has_news = true;
                    WORLD.with_borrow(|world| (0..SLOTS).for_each(|slot| world.put(slot, None)));
                }
                // The root's own, at the end of a run, comes before anything is said.
                What::DropBegun { .. } if run_has_ended => {}
                What::PollBegun { .. } | What::DropBegun { .. } => has_news = false,
                _ => {}
            }
            run_has_ended = matches!(event.what, What::RunEnded(_));
            let Some(own) = own.filter(|_| !has_news) else { return };
            verdict.compared += 1;
            // A timer may outlive what it wakes, and then wakes nobody.
            let is_over = |id: Id| state.task(id).is_none_or(player::replay::Task::is_over);
            let timers = state.timers.iter().map(|timer| (timer.deadline, timer.whom.filter(|id| !is_over(*id))));
            let replayed = (
                state.ready.clone(),
                timers.collect::<Vec<_>>(),
                state
                    .tasks
                    .iter()
                    .filter(|(_, task)| !task.is_over())
                    .map(|(id, task)| (*id, task.state, task.wakers.len()))
                    .collect::<Vec<(Id, TaskState, usize)>>(),
            );
            let own = (own.ready.clone(), own.timers.clone(), own.tasks.clone());
            if replayed != own && verdict.difference.is_none() {
                verdict.difference = Some(format!("after {event:?}:\nreplayed {replayed:?}\nexecutor {own:?}"));
            }
        })
    }
}

/// Runs a program on a virtual clock: some roots, one after the other, and a close.
fn record(roots: &[Vec<Op>]) -> Verdict {
    let judge = Judge::default();
    let event_loop = EventLoop::builder().virtual_clock().on_report(|_| {}).record(&judge.recorder()).build();
    let world: Rc<World> = Rc::default();
    WORLD.set(world.clone());
    for root in roots {
        let future = run(world.clone(), root.clone());
        let run = || drop(event_loop.try_run_until_complete(future));
        if let Err(payload) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
            assert_eq!(payload.downcast_ref::<&str>(), Some(&"planned"));
        }
        // Between two runs, wakes and cancels go through the inbox.
        world.wake(0);
        if let Some(task) = world.handle(1) {
            task.cancel();
        }
    }
    drop(event_loop);
    // What the world still keeps is let go after the loop's end.
    drop(world);
    WORLD.take();
    std::mem::take(&mut judge.0.lock().unwrap())
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2_048)
}

/// At each event, the replay of the events so far is what the executor holds: ready queue, timers, states, wakers.
#[test]
fn replay_is_what_the_executor_holds_at_each_event() {
    watched(|| {
        std::panic::set_hook(Box::new(|info| {
            if info.payload().downcast_ref::<&str>() != Some(&"planned") {
                eprintln!("{info}");
            }
        }));
        let compared = std::cell::Cell::new(0);
        let roots = prop::collection::vec(prop::collection::vec(op(2), 0..8), 1..4);
        let mut runner = proptest::test_runner::TestRunner::new_with_rng(
            ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() },
            proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
        );
        runner
            .run(&roots, |roots| {
                let verdict = record(&roots);
                compared.set(compared.get() + verdict.compared);
                prop_assert!(verdict.difference.is_none(), "{}", verdict.difference.unwrap());
                let numbers: Vec<u64> = verdict.events.iter().map(|event| event.number).collect();
                prop_assert_eq!(&numbers, &(1..=numbers.len() as u64).collect::<Vec<_>>());
                // On the virtual clock a second run is the same, event for event.
                prop_assert_eq!(verdict.events, record(&roots).events);
                Ok(())
            })
            .unwrap();
        assert!(compared.get() > 1_000, "only {} comparisons", compared.get());
    });
}
