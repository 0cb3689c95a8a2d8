//! Every leaf future wakes the last waker that it was polled with, once, and keeps no other, whatever the schedule.
//!
//! Each test draws a schedule of polls with one of three wakers, of steps that bring the leaf nearer to its end, and of
//! other events. After each step the test compares with a few lines of bookkeeping: what the poll returned, how often
//! each waker was called, and how many clones of each are alive.
#![allow(clippy::async_yields_async)] // A leaf is made inside a loop, and polled by hand.

mod common;

use std::cell::RefCell;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use common::{CountingWaker, Drops, Gate, Token, virtual_loop, watched};
use handloop::{
    BrokenPromise, Elapsed, EventLoop, JoinError, Promise, Task, TryGatherError, create_future, gather, gather_settled,
    run_in_executor, sleep, timeout, try_gather, yield_now,
};
use proptest::prelude::*;

const WAKERS: usize = 3;

fn config(cases: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    // PROPTEST_CASES can raise the number.
    ProptestConfig { cases: default.cases.max(cases), failure_persistence: None, ..default }
}

/// Foreign wakers, and what is expected of them.
struct Wakers {
    all: Vec<(Arc<CountingWaker>, Waker)>,
    wakes: [usize; WAKERS],
    /// Clones that a leaf keeps.
    kept: [usize; WAKERS],
}

impl Wakers {
    fn new() -> Self {
        let all = (0..WAKERS).map(|_| CountingWaker::new()).collect();
        Wakers { all, wakes: [0; WAKERS], kept: [0; WAKERS] }
    }

    fn poll<F: Future + Unpin>(&self, which: usize, future: &mut F) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(&self.all[which].1))
    }

    /// From now on a leaf keeps so many clones of this waker, and of no other.
    fn only(&mut self, which: usize, clones: usize) {
        self.kept = [0; WAKERS];
        self.kept[which] = clones;
    }

    fn none(&mut self) {
        self.kept = [0; WAKERS];
    }

    /// One wake, and the clone is gone.
    fn woken(&mut self, which: usize) {
        self.wakes[which] += 1;
        self.kept[which] -= 1;
    }

    #[track_caller]
    fn check(&self) {
        let wakes: Vec<usize> = self.all.iter().map(|(counter, _)| counter.wakes()).collect();
        // Two are the test's own: the counter and its waker.
        let kept: Vec<usize> = self.all.iter().map(|(counter, _)| Arc::strong_count(counter) - 2).collect();
        assert_eq!((wakes, kept), (self.wakes.to_vec(), self.kept.to_vec()), "(wakes, clones that are kept)");
    }
}

fn waker() -> std::ops::Range<usize> {
    0..WAKERS
}

/// Runs turns until nothing is ready. The virtual clock stands still.
fn settle(event_loop: &EventLoop) {
    while event_loop.run_once() {}
}

/// Moves the virtual clock, by a sleep of the test's own.
fn advance(event_loop: &EventLoop, by: u64) {
    event_loop.run_until_complete(async { sleep(Duration::from_millis(by)).await });
}

// `yield_now`

proptest! {
    #![proptest_config(config(256))]

    /// SLP-01. Pending once, with a wake of the waker of that poll, and keeps none; ready at the next poll, with any.
    #[test]
    fn yield_wakes_at_its_first_poll_and_is_ready_at_its_second(first in waker(), second in waker()) {
        let mut wakers = Wakers::new();
        let mut leaf = yield_now();
        assert_eq!(wakers.poll(first, &mut leaf), Poll::Pending);
        wakers.wakes[first] += 1;
        wakers.check();
        assert_eq!(wakers.poll(second, &mut leaf), Poll::Ready(()));
        wakers.check();
    }
}

// `sleep` on a virtual clock

#[derive(Clone, Debug)]
enum Tick {
    Poll(usize),
    /// The clock goes on by so many milliseconds.
    Advance(u64),
}

fn ticks() -> impl Strategy<Value = Vec<Tick>> {
    let tick = prop_oneof![2 => waker().prop_map(Tick::Poll), 1 => (0..4u64).prop_map(Tick::Advance)];
    prop::collection::vec(tick, 0..16)
}

/// What a poll of a `sleep` registers, and what becomes of it.
struct Deadline {
    at: Option<u64>,
    waker: Option<usize>,
}

proptest! {
    #![proptest_config(config(256))]

    /// SLP-05, TIME-01, RUST-05. Cases 43, 61, 102, 105, 107, 108. Ready from its deadline on and not before; the
    /// waker of the last poll is called at the deadline, and no other is kept. `inside`: made in a running loop, it
    /// counts from there; outside, from its first poll, which `polled_inside` says where to make.
    #[test]
    fn sleep_wakes_its_last_waker_at_its_deadline(
        length in 0..8u64, inside: bool, ticks in ticks(), is_dropped: bool,
    ) {
        let event_loop = virtual_loop();
        let mut wakers = Wakers::new();
        let length_ms = Duration::from_millis(length);
        let mut leaf = if inside { event_loop.run_until_complete(async { sleep(length_ms) }) } else { sleep(length_ms) };
        let mut now = 0;
        let mut deadline = Deadline { at: inside.then_some(length), waker: None };
        let mut is_ready = false;
        let poll = |leaf: &mut handloop::Sleep, wakers: &Wakers, which: usize| {
            event_loop.run_until_complete(async { wakers.poll(which, leaf) })
        };
        for tick in ticks {
            match tick {
                Tick::Advance(by) => {
                    advance(&event_loop, by);
                    now += by;
                    if deadline.at.is_some_and(|at| at <= now) {
                        if let Some(which) = deadline.waker.take() {
                            wakers.woken(which);
                        }
                    }
                }
                Tick::Poll(which) => {
                    let at = *deadline.at.get_or_insert(now + length);
                    let polled = poll(&mut leaf, &wakers, which);
                    // A sleep that is over says so at each further poll.
                    is_ready = now >= at;
                    assert_eq!(polled.is_ready(), is_ready);
                    if !is_ready {
                        deadline.waker = Some(which);
                        wakers.only(which, 1);
                    }
                }
            }
            wakers.check();
        }
        if is_dropped {
            drop(leaf);
            wakers.none();
            wakers.check();
            advance(&event_loop, 20);
            wakers.check();
        } else if !is_ready {
            let polled = poll(&mut leaf, &wakers, 0);
            let at = *deadline.at.get_or_insert(now + length);
            assert_eq!(polled.is_ready(), now >= at);
            if polled.is_pending() {
                wakers.only(0, 1);
                wakers.check();
                advance(&event_loop, at - now);
                wakers.woken(0);
                wakers.check();
                assert_eq!(poll(&mut leaf, &wakers, 1), Poll::Ready(()));
            }
            wakers.check();
        }
    }

    /// RUST-12. Polled outside any run, a sleep that was made inside one still follows that loop's clock and wakes the
    /// last of the foreign wakers.
    #[test]
    fn sleep_of_a_loop_polled_outside_its_runs_follows_its_clock(length in 1..8u64, polls in prop::collection::vec(waker(), 1..6)) {
        let event_loop = virtual_loop();
        let mut wakers = Wakers::new();
        let mut leaf = event_loop.run_until_complete(async { sleep(Duration::from_millis(length)) });
        for &which in &polls {
            assert_eq!(wakers.poll(which, &mut leaf), Poll::Pending);
            wakers.only(which, 1);
            wakers.check();
        }
        advance(&event_loop, length - 1);
        wakers.check();
        advance(&event_loop, 1);
        wakers.woken(polls[polls.len() - 1]);
        wakers.check();
        assert_eq!(wakers.poll(0, &mut leaf), Poll::Ready(()));
        wakers.check();
    }
}

/// A waker that counts, and can be waited for.
#[derive(Default)]
struct Bell {
    rings: Mutex<usize>,
    rung: Condvar,
}

impl Bell {
    fn new() -> (Arc<Self>, Waker) {
        let bell = Arc::new(Bell::default());
        (bell.clone(), Waker::from(bell))
    }

    fn rings(&self) -> usize {
        *self.rings.lock().unwrap()
    }

    /// Until it has rung.
    fn wait(&self) {
        drop(self.rung.wait_while(self.rings.lock().unwrap(), |rings| *rings == 0).unwrap());
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *self.rings.lock().unwrap() += 1;
        self.rung.notify_all();
    }
}

/// TIME-01, RUST-05, RUST-12. Cases 61, 108. Outside any loop the timers of the process wake the waker of the last
/// poll, not before the deadline, which counts from the first poll; no other is woken or kept.
#[test]
fn sleep_outside_any_loop_wakes_its_last_waker_in_real_time() {
    watched(|| {
        proptest!(config(48), |(length in 0..4u64, polls in prop::collection::vec((waker(), 0..300u32), 1..8))| {
            let bells: Vec<_> = (0..WAKERS).map(|_| Bell::new()).collect();
            let length = Duration::from_millis(length);
            let mut leaf = sleep(length);
            let mut last = None;
            let start = Instant::now();
            for (which, spins) in polls {
                let polled = Pin::new(&mut leaf).poll(&mut Context::from_waker(&bells[which].1));
                if polled.is_ready() {
                    assert!(start.elapsed() >= length);
                    break;
                }
                last = Some(which);
                for (other, (bell, _)) in bells.iter().enumerate().filter(|(other, _)| *other != which) {
                    assert_eq!((bell.rings(), Arc::strong_count(bell)), (0, 2), "waker {other}");
                }
                (0..spins * 100).for_each(|_| std::hint::spin_loop());
            }
            if let Some(last) = last {
                bells[last].0.wait();
                assert!(start.elapsed() >= length);
                let rings: Vec<usize> = bells.iter().map(|(bell, _)| bell.rings()).collect();
                assert_eq!((rings.iter().sum::<usize>(), rings[last]), (1, 1));
            }
            assert!(Pin::new(&mut leaf).poll(&mut Context::from_waker(Waker::noop())).is_ready());
        });
    });
}

/// CANC-17. Case 107. Outside any loop a sleep that is dropped releases its waker at once, and never calls it.
#[test]
fn sleep_dropped_outside_any_loop_releases_its_last_waker() {
    proptest!(config(256), |(polls in prop::collection::vec(waker(), 0..6))| {
        let mut wakers = Wakers::new();
        let mut leaf = sleep(Duration::from_secs(3600));
        for which in polls {
            assert_eq!(wakers.poll(which, &mut leaf), Poll::Pending);
            wakers.only(which, 1);
            wakers.check();
        }
        drop(leaf);
        wakers.none();
        wakers.check();
    });
}

// `timeout`

#[derive(Clone, Debug)]
enum Race {
    Poll(usize),
    Advance(u64),
    /// The inner future gets its value.
    Set,
    /// The promise of the inner future is dropped.
    Break,
}

fn race() -> impl Strategy<Value = Race> {
    prop_oneof![
        4 => waker().prop_map(Race::Poll),
        3 => (0..4u64).prop_map(Race::Advance),
        1 => Just(Race::Set),
        1 => Just(Race::Break),
    ]
}

proptest! {
    #![proptest_config(config(512))]

    /// TMO-01, TMO-03, TMO-14, RUST-05. Cases 43, 61. A timeout wakes its last waker when the value is there and again
    /// at the deadline if it was not polled between; the value wins where both are there.
    #[test]
    fn timeout_wakes_its_last_waker_for_the_value_and_for_the_deadline(
        length in 0..8u64, races in prop::collection::vec(race(), 0..16),
    ) {
        let event_loop = virtual_loop();
        let mut wakers = Wakers::new();
        let (promise, future) = create_future::<u32>();
        let mut promise = Some(promise);
        let mut result = None;
        let mut leaf = event_loop.run_until_complete(async { timeout(Duration::from_millis(length), future) });
        let mut now = 0;
        // Whom the inner future and the deadline are going to wake.
        let (mut inner, mut deadline): (Option<usize>, Option<usize>) = (None, None);
        for race in races {
            match race {
                Race::Poll(which) => {
                    let polled = event_loop.run_until_complete(async { wakers.poll(which, &mut leaf) });
                    let expected = match result {
                        Some(result) => Poll::Ready(Ok(result)),
                        None if now >= length => Poll::Ready(Err(Elapsed)),
                        None => Poll::Pending,
                    };
                    assert_eq!(polled, expected);
                    if polled.is_ready() {
                        break;
                    }
                    (inner, deadline) = (Some(which), Some(which));
                    wakers.only(which, 2);
                }
                Race::Advance(by) => {
                    advance(&event_loop, by);
                    now += by;
                    if now >= length {
                        deadline.take().into_iter().for_each(|which| wakers.woken(which));
                    }
                }
                Race::Set | Race::Break => {
                    let Some(promise) = promise.take() else { continue };
                    if matches!(race, Race::Set) {
                        promise.set_result(7);
                        result = Some(Ok(7));
                    } else {
                        drop(promise);
                        result = Some(Err(BrokenPromise));
                    }
                    inner.take().into_iter().for_each(|which| wakers.woken(which));
                }
            }
            wakers.check();
        }
        drop(leaf);
        wakers.none();
        wakers.check();
        assert!(promise.is_none_or(|promise| promise.is_cancelled()));
        advance(&event_loop, 20);
        wakers.check();
    }
}

// `run_in_executor`

/// TMO-01, CANC-17. Once a timeout has given its value nothing of it is left in the heap of timers, also where the
/// timeout itself lives on, as in a list of futures: it neither keeps a waker nor a virtual clock or a stall waiting.
#[test]
fn timeout_that_has_given_its_value_keeps_no_waker() {
    let event_loop = virtual_loop();
    let (promise, future) = create_future::<u32>();
    let mut leaf = event_loop.run_until_complete(async { timeout(Duration::from_millis(5), future) });
    let mut wakers = Wakers::new();
    assert_eq!(wakers.poll(0, &mut leaf), Poll::Pending);
    wakers.only(0, 2);
    wakers.check();
    promise.set_result(7);
    wakers.woken(0);
    wakers.check();
    assert_eq!(wakers.poll(1, &mut leaf), Poll::Ready(Ok(Ok(7))));
    wakers.none();
    wakers.check();
    advance(&event_loop, 10);
    wakers.check();
    drop(leaf);
}

// `PromiseFuture`

#[derive(Clone, Debug)]
enum Wait {
    Poll(usize),
    /// The same on another thread.
    PollElsewhere(usize),
    /// Looks without a waker.
    Look,
    Move,
}

fn waits() -> impl Strategy<Value = Vec<Wait>> {
    let wait = prop_oneof![
        4 => waker().prop_map(Wait::Poll),
        1 => waker().prop_map(Wait::PollElsewhere),
        1 => Just(Wait::Look),
        1 => Just(Wait::Move),
    ];
    prop::collection::vec(wait, 0..10)
}

fn poll_elsewhere<F: Future + Unpin + Send>(wakers: &Wakers, which: usize, future: &mut F) -> Poll<F::Output>
where
    F::Output: Send,
{
    let waker = &wakers.all[which].1;
    thread::scope(|scope| scope.spawn(move || Pin::new(future).poll(&mut Context::from_waker(waker))).join().unwrap())
}

#[derive(Clone, Copy, Debug)]
enum End {
    Value,
    Broken,
    /// The future is dropped first.
    Dropped,
}

proptest! {
    #![proptest_config(config(512))]

    /// FUT-01, FUT-04, FUT-10, CANC-09, RUST-05. Cases 43, 61, 62. A promise wakes the last waker of its future, from
    /// any thread; the result is dropped once.
    #[test]
    fn promise_wakes_the_last_waker_of_its_future(
        waits in waits(),
        end in prop_oneof![Just(End::Value), Just(End::Broken), Just(End::Dropped)],
        ends_elsewhere: bool,
        last_poll in waker(),
    ) {
        let mut wakers = Wakers::new();
        let drops = Drops::new();
        let (promise, mut leaf) = create_future::<Token>();
        let mut last = None;
        for wait in waits {
            match wait {
                Wait::Poll(which) => {
                    assert!(wakers.poll(which, &mut leaf).is_pending());
                    last = Some(which);
                }
                Wait::PollElsewhere(which) => {
                    assert!(poll_elsewhere(&wakers, which, &mut leaf).is_pending());
                    last = Some(which);
                }
                Wait::Look => assert!(!leaf.is_done() && leaf.try_result().is_none()),
                Wait::Move => leaf = *Box::new(leaf),
            }
            last.into_iter().for_each(|which| wakers.only(which, 1));
            wakers.check();
        }
        let token = drops.token();
        let finish = move |promise: Promise<Token>| match end {
            End::Broken => drop(promise),
            _ => promise.set_result(token),
        };
        let mut leaf = Some(leaf);
        if matches!(end, End::Dropped) {
            leaf = None;
            wakers.none();
            wakers.check();
            assert!(promise.is_cancelled());
            last = None;
        } else {
            assert!(!promise.is_cancelled());
        }
        if ends_elsewhere {
            thread::spawn(move || finish(promise)).join().unwrap();
        } else {
            finish(promise);
        }
        last.into_iter().for_each(|which| wakers.woken(which));
        wakers.check();
        if let Some(leaf) = &mut leaf {
            assert!(leaf.is_done());
            match (wakers.poll(last_poll, leaf), end) {
                (Poll::Ready(Ok(token)), End::Value) => {
                    assert_eq!(drops.count(), 0);
                    drop(token);
                }
                (Poll::Ready(Err(BrokenPromise)), End::Broken) => {}
                (polled, end) => panic!("{end:?} gave {polled:?}"),
            }
        }
        wakers.check();
        drop(leaf);
        wakers.check();
        assert_eq!(drops.count(), 1);
    }
}

// `Task`

#[derive(Clone, Copy, Debug)]
enum TaskEnd {
    Finish,
    Panic,
    Cancel,
    Close,
    /// The handle is dropped, and then the task finishes.
    Detach,
}

fn task_end() -> impl Strategy<Value = TaskEnd> {
    prop_oneof![
        Just(TaskEnd::Finish),
        Just(TaskEnd::Panic),
        Just(TaskEnd::Cancel),
        Just(TaskEnd::Close),
        Just(TaskEnd::Detach)
    ]
}

#[derive(Clone, Debug)]
enum Watch {
    /// By hand, with a foreign waker.
    Poll(usize),
    /// Within the poll of another task, with the waker of that.
    PollAsTask,
    /// Wakes the task for nothing.
    Spurious,
    Turn,
}

fn watches() -> impl Strategy<Value = Vec<Watch>> {
    let watch = prop_oneof![
        4 => waker().prop_map(Watch::Poll),
        1 => Just(Watch::PollAsTask),
        1 => Just(Watch::Spurious),
        2 => Just(Watch::Turn),
    ];
    prop::collection::vec(watch, 0..10)
}

fn assert_join_error(error: &JoinError, end: TaskEnd) {
    match end {
        TaskEnd::Panic => assert!(error.is_panic() && error.to_string().ends_with(" panicked: boom")),
        _ => assert!(error.is_cancelled()),
    }
}

proptest! {
    #![proptest_config(config(512))]

    /// TASK-15, CANC-13, RUST-05. Cases 43, 54, 55, 57, 61, 62, 81. The handle of a task, polled by hand in its loop and
    /// between its runs, wakes its last waker at the end of the task; the output is dropped once.
    #[test]
    fn task_wakes_the_last_waker_of_its_handle(watches in watches(), end in task_end(), last_poll in waker()) {
        let event_loop = virtual_loop();
        let mut wakers = Wakers::new();
        let (gate, drops) = (Gate::new(), Drops::new());
        let (inner, token) = (gate.clone(), drops.token());
        let mut leaf = event_loop.spawn(async move {
            inner.await;
            if matches!(end, TaskEnd::Panic) {
                resume_unwind(Box::new("boom"));
            }
            token
        });
        let mut last = None;
        for watch in watches {
            match watch {
                Watch::Poll(which) => {
                    event_loop.run_until_complete(async {
                        assert!(wakers.poll(which, &mut leaf).is_pending());
                        yield_now().await;
                    });
                    last = Some(which);
                }
                Watch::PollAsTask => {
                    event_loop.run_until_complete(std::future::poll_fn(|context| {
                        assert!(Pin::new(&mut leaf).poll(context).is_pending());
                        Poll::Ready(())
                    }));
                    last = None;
                }
                Watch::Spurious => gate.waker().into_iter().for_each(Waker::wake),
                Watch::Turn => drop(event_loop.run_once()),
            }
            wakers.none();
            last.into_iter().for_each(|which| wakers.only(which, 1));
            wakers.check();
        }
        // So that the task waits at its gate.
        settle(&event_loop);
        wakers.check();
        assert!(!leaf.is_finished());
        let mut leaf = Some(leaf);
        match end {
            TaskEnd::Finish | TaskEnd::Panic => gate.open(),
            TaskEnd::Cancel => assert!(leaf.as_ref().unwrap().cancel()),
            TaskEnd::Close => event_loop.close(),
            TaskEnd::Detach => {
                leaf = None;
                wakers.none();
                wakers.check();
                last = None;
                gate.open();
            }
        }
        if !matches!(end, TaskEnd::Close) {
            wakers.check();
            assert!(event_loop.run_once());
            // The root that polled last is over: its waker wakes nothing.
            assert!(!event_loop.run_once());
        }
        last.into_iter().for_each(|which| wakers.woken(which));
        wakers.check();
        if let Some(leaf) = &mut leaf {
            match (wakers.poll(last_poll, leaf), end) {
                (Poll::Ready(Ok(token)), TaskEnd::Finish) => {
                    assert_eq!(drops.count(), 0);
                    drop(token);
                }
                (Poll::Ready(Err(error)), TaskEnd::Panic | TaskEnd::Cancel | TaskEnd::Close) => {
                    assert_join_error(&error, end);
                }
                (polled, end) => panic!("{end:?} gave {polled:?}"),
            }
        }
        wakers.check();
        assert_eq!(drops.count(), 1);
        drop(leaf);
        drop(event_loop);
        wakers.check();
        assert_eq!(drops.count(), 1);
    }

    /// RCT-10, RCT-12, RCT-19, RCT-20, RUST-05. Cases 43, 57, 61, 62. The same for the handle of a submitted task,
    /// which is polled on its loop's thread and on others.
    #[test]
    fn remote_task_wakes_the_last_waker_of_its_handle(
        waits in waits(), runs_first: bool, end in task_end(), last_poll in waker(), last_elsewhere: bool,
    ) {
        let event_loop = virtual_loop();
        let mut wakers = Wakers::new();
        let drops = Drops::new();
        let (promise, future) = create_future::<()>();
        let token = drops.token();
        let mut leaf = event_loop.handle().submit(async move {
            future.await.unwrap();
            if matches!(end, TaskEnd::Panic) {
                resume_unwind(Box::new("boom"));
            }
            token
        });
        if runs_first {
            settle(&event_loop);
        }
        let mut last = None;
        for wait in waits {
            match wait {
                Wait::Poll(which) => {
                    assert!(wakers.poll(which, &mut leaf).is_pending());
                    last = Some(which);
                }
                Wait::PollElsewhere(which) => {
                    assert!(poll_elsewhere(&wakers, which, &mut leaf).is_pending());
                    last = Some(which);
                }
                Wait::Look => assert!(!leaf.is_finished()),
                Wait::Move => {
                    leaf = *Box::new(leaf);
                    settle(&event_loop);
                }
            }
            last.into_iter().for_each(|which| wakers.only(which, 1));
            wakers.check();
        }
        let mut leaf = Some(leaf);
        match end {
            TaskEnd::Finish | TaskEnd::Panic => promise.set_result(()),
            TaskEnd::Cancel => assert!(leaf.as_ref().unwrap().cancel()),
            TaskEnd::Close => event_loop.close(),
            TaskEnd::Detach => {
                leaf = None;
                wakers.none();
                wakers.check();
                last = None;
                promise.set_result(());
            }
        }
        if !matches!(end, TaskEnd::Close) {
            wakers.check();
            settle(&event_loop);
        }
        last.into_iter().for_each(|which| wakers.woken(which));
        wakers.check();
        if let Some(leaf) = &mut leaf {
            let polled = if last_elsewhere { poll_elsewhere(&wakers, last_poll, leaf) } else { wakers.poll(last_poll, leaf) };
            match (polled, end) {
                (Poll::Ready(Ok(token)), TaskEnd::Finish) => {
                    assert_eq!(drops.count(), 0);
                    drop(token);
                }
                (Poll::Ready(Err(error)), TaskEnd::Panic | TaskEnd::Cancel | TaskEnd::Close) => {
                    assert_join_error(&error, end);
                }
                (polled, end) => panic!("{end:?} gave {polled:?}"),
            }
        }
        wakers.check();
        assert_eq!(drops.count(), 1);
        drop(leaf);
        drop(event_loop);
        wakers.check();
        assert_eq!(drops.count(), 1);
    }
}

// DEFECT: `Jobs::add` lets go of the threads that are finished, and does not join them; such a thread may still run
// the destructors of its locals, code of the user's, when `close` has returned.
/// EXEC-05. The threads of all jobs have ended when `close` returns, also those whose result came long before: the
/// destructors of their locals have run.
#[test]
fn job_threads_have_ended_when_their_loop_has_closed_real_time() {
    use std::sync::atomic::{AtomicBool, Ordering};
    type Last = common::OnDrop<Box<dyn FnMut()>>;
    thread_local! {
        static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
    }
    watched(|| {
        let event_loop = EventLoop::new();
        let ended = Arc::new(AtomicBool::new(false));
        let (sender, begins_to_end) = channel::<()>();
        let inner = ended.clone();
        event_loop.run_until_complete(async move {
            let job = run_in_executor(move || {
                LAST.set(Some(common::OnDrop(Box::new(move || {
                    sender.send(()).unwrap();
                    thread::sleep(Duration::from_millis(20));
                    inner.store(true, Ordering::SeqCst);
                }))));
            });
            job.await.unwrap();
            begins_to_end.recv().unwrap();
            run_in_executor(|| {}).await.unwrap();
        });
        event_loop.close();
        assert!(ended.load(Ordering::SeqCst), "the first job's thread still runs");
    });
}

// `gather`, `gather_settled`, `try_gather`

/// How a child ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ChildEnd {
    Ok,
    /// An `Err` of its own, a failure for `try_gather` alone.
    Err,
    Panic,
    /// Cancelled before it was given to the gather.
    Cancelled,
}

#[derive(Clone, Debug)]
enum Family {
    Poll(usize),
    /// Lets a child go on; it ends in the next turn.
    Open(usize),
    Turn,
    /// The same after a wake of all children, for most of them in vain.
    Spurious,
}

#[derive(Clone, Debug)]
struct Children {
    /// How each ends, and whether it has ended before it is gathered.
    ends: Vec<(ChildEnd, bool)>,
    steps: Vec<Family>,
}

fn children() -> impl Strategy<Value = Children> {
    let end = prop_oneof![
        5 => Just(ChildEnd::Ok),
        1 => Just(ChildEnd::Err),
        1 => Just(ChildEnd::Panic),
        1 => Just(ChildEnd::Cancelled),
    ];
    let step = prop_oneof![
        4 => waker().prop_map(Family::Poll),
        4 => (0..5usize).prop_map(Family::Open),
        3 => Just(Family::Turn),
        1 => Just(Family::Spurious),
    ];
    (prop::collection::vec((end, prop::bool::weighted(0.2)), 0..5), prop::collection::vec(step, 0..20))
        .prop_map(|(ends, steps)| Children { ends, steps })
}

/// When a gather wakes, and when it is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Gather,
    Settled,
    Try,
}

impl Kind {
    fn is_failure(self, end: ChildEnd) -> bool {
        match self {
            Kind::Gather => matches!(end, ChildEnd::Panic | ChildEnd::Cancelled),
            Kind::Settled => false,
            Kind::Try => end != ChildEnd::Ok,
        }
    }
}

type ChildResult = Result<(usize, Token), u32>;

/// The rules of a gather: the order in which its children ended, and whom it is going to wake.
struct Bookkeeping<'a> {
    kind: Kind,
    ends: &'a [(ChildEnd, bool)],
    /// Children, in the order in which they ended.
    over: Vec<usize>,
    waker: Option<usize>,
}

impl Bookkeeping<'_> {
    fn failure(&self) -> Option<usize> {
        self.over.iter().copied().find(|&child| self.kind.is_failure(self.ends[child].0))
    }

    fn is_ready(&self) -> bool {
        self.failure().is_some() || self.over.len() == self.ends.len()
    }

    fn child_ends(&mut self, child: usize, wakers: &mut Wakers) {
        let first_failure = self.kind.is_failure(self.ends[child].0) && self.failure().is_none();
        self.over.push(child);
        if self.kind == Kind::Try || first_failure || self.over.len() == self.ends.len() {
            self.waker.take().into_iter().for_each(|which| wakers.woken(which));
        }
    }
}

/// What a gather gave, as text: the children of an `Ok`, or the failure.
fn text_of_join(error: &JoinError) -> String {
    if error.is_cancelled() { format!("{} cancelled", error.id()) } else { format!("{} panicked", error.id()) }
}

fn text_of_child(result: &ChildResult) -> String {
    match result {
        Ok((child, _)) => format!("{} ok", child + 1),
        Err(child) => format!("{child} err"),
    }
}

fn run_family<F>(
    kind: Kind,
    children: &Children,
    make: impl FnOnce(Vec<Task<ChildResult>>) -> F,
    text: impl Fn(F::Output) -> Vec<String>,
) where
    F: Future + Unpin,
{
    let event_loop = EventLoop::builder().virtual_clock().on_report(|_| {}).build();
    let mut wakers = Wakers::new();
    let drops = Drops::new();
    let gates: Vec<Gate> = children.ends.iter().map(|_| Gate::new()).collect();
    let order = Rc::new(RefCell::new(Vec::new()));
    let tasks: Vec<Task<ChildResult>> = (0..gates.len())
        .map(|child| {
            let (gate, token, order, end) =
                (gates[child].clone(), drops.token(), order.clone(), children.ends[child].0);
            event_loop.spawn(async move {
                gate.await;
                order.borrow_mut().push(child);
                match end {
                    ChildEnd::Ok => Ok((child, token)),
                    ChildEnd::Err => Err(child as u32 + 1),
                    ChildEnd::Panic => resume_unwind(Box::new("boom")),
                    ChildEnd::Cancelled => unreachable!("it was cancelled before"),
                }
            })
        })
        .collect();
    settle(&event_loop);
    // Those that are over before they are gathered. A cancelled one is not over until the next turn.
    let mut is_open = vec![false; gates.len()];
    for (child, &(end, is_early)) in children.ends.iter().enumerate() {
        if is_early && end != ChildEnd::Cancelled {
            gates[child].open();
            is_open[child] = true;
        }
        if is_early && end == ChildEnd::Cancelled {
            tasks[child].cancel();
        }
    }
    settle(&event_loop);
    for (child, &(end, is_early)) in children.ends.iter().enumerate() {
        if !is_early && end == ChildEnd::Cancelled {
            tasks[child].cancel();
        }
    }
    order.borrow_mut().clear();
    let early = (0..gates.len()).filter(|&child| children.ends[child].1).collect();
    let mut books = Bookkeeping { kind, ends: &children.ends, over: early, waker: None };
    let mut to_cancel: Vec<usize> =
        (0..gates.len()).filter(|&child| children.ends[child] == (ChildEnd::Cancelled, false)).collect();
    // In the order in which they were opened: so they end.
    let mut opened: Vec<usize> = Vec::new();
    let mut leaf = Some(make(tasks));
    for step in &children.steps {
        match step {
            Family::Poll(which) => {
                let polled = wakers.poll(*which, leaf.as_mut().unwrap());
                assert_eq!(polled.is_ready(), books.is_ready());
                let Poll::Ready(output) = polled else {
                    books.waker = Some(*which);
                    wakers.only(*which, 1);
                    wakers.check();
                    continue;
                };
                wakers.check();
                let name = |&child: &usize| {
                    let end = match children.ends[child].0 {
                        ChildEnd::Ok => "ok",
                        ChildEnd::Err => "err",
                        ChildEnd::Panic => "panicked",
                        ChildEnd::Cancelled => "cancelled",
                    };
                    format!("{} {end}", child + 1)
                };
                let expected: Vec<String> = match books.failure() {
                    Some(child) => vec![name(&child)],
                    None => (0..gates.len()).collect::<Vec<_>>().iter().map(name).collect(),
                };
                assert_eq!(text(output), expected);
                leaf = None;
                break;
            }
            Family::Open(child) => {
                let Some(gate) = gates.get(*child) else { continue };
                if children.ends[*child].0 != ChildEnd::Cancelled && !std::mem::replace(&mut is_open[*child], true) {
                    gate.open();
                    opened.push(*child);
                }
            }
            Family::Turn | Family::Spurious => {
                if matches!(step, Family::Spurious) {
                    gates.iter().filter_map(Gate::waker).for_each(Waker::wake);
                }
                settle(&event_loop);
                // Cancelled ones were told to before any other was opened.
                for child in to_cancel.drain(..).chain(opened.drain(..)) {
                    books.child_ends(child, &mut wakers);
                }
            }
        }
        wakers.check();
    }
    // Dropped while it is pending, it cancels the rest; when it has failed, the rest goes on.
    let is_pending = leaf.is_some();
    drop(leaf);
    wakers.none();
    wakers.check();
    order.borrow_mut().clear();
    settle(&event_loop);
    gates.iter().for_each(Gate::open);
    settle(&event_loop);
    wakers.check();
    let went_on = order.borrow().len();
    let still_closed =
        (0..gates.len()).filter(|&child| !is_open[child] && children.ends[child].0 != ChildEnd::Cancelled).count();
    assert_eq!(went_on, if is_pending { 0 } else { still_closed + opened.len() }, "children that went on");
    assert_eq!(drops.count(), gates.len());
    assert!(event_loop.all_tasks().is_empty());
}

proptest! {
    #![proptest_config(config(512))]

    /// GATH-01, GATH-02, GATH-04, GATH-05, GATH-08, GATH-09, RUST-05. Cases 43, 61, 75. A gather wakes its last waker once,
    /// at the first failure or the end of the last child.
    #[test]
    fn gather_wakes_its_last_waker(children in children()) {
        run_family(Kind::Gather, &children, gather, |output| match output {
            Ok(outputs) => outputs.iter().map(text_of_child).collect(),
            Err(error) => vec![text_of_join(&error)],
        });
    }

    /// GATH-03. The same, at the end of the last child alone.
    #[test]
    fn gather_settled_wakes_its_last_waker(children in children()) {
        run_family(Kind::Settled, &children, gather_settled, |outputs| {
            outputs.iter().map(|result| result.as_ref().map_or_else(text_of_join, text_of_child)).collect()
        });
    }

    /// GATH-02. The same for tasks that return a `Result`: it looks at each output.
    #[test]
    fn try_gather_wakes_its_last_waker(children in children()) {
        run_family(Kind::Try, &children, try_gather, |output| match output {
            Ok(outputs) => outputs.iter().map(|(child, _)| format!("{} ok", child + 1)).collect(),
            Err(TryGatherError::Failed(child)) => vec![format!("{child} err")],
            Err(TryGatherError::Join(error)) => vec![text_of_join(&error)],
        });
    }
}

/// RUST-05. Case 61. A gather that is polled again with the waker that it has makes no new clone of it, and each child
/// costs none.
#[test]
fn gather_of_many_children_keeps_one_clone_of_its_waker() {
    let event_loop = virtual_loop();
    let gates: Vec<Gate> = (0..100).map(|_| Gate::new()).collect();
    let tasks = gates.iter().cloned().map(|gate| event_loop.spawn(gate));
    let mut leaf = pin!(gather(tasks));
    let mut wakers = Wakers::new();
    for _ in 0..3 {
        assert!(leaf.as_mut().poll(&mut Context::from_waker(&wakers.all[0].1)).is_pending());
        wakers.only(0, 1);
        settle(&event_loop);
        wakers.check();
    }
    gates.iter().for_each(Gate::open);
    settle(&event_loop);
    wakers.woken(0);
    wakers.check();
}
