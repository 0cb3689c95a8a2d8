//! A wake asks for exactly one poll, from wherever and whenever it comes, and a waker keeps memory but never a future.
// A wake of a clone, by value, is another path than a wake by reference. A sleep or task may leave an async block.
#![allow(clippy::waker_clone_wake, clippy::async_yields_async)]

mod common;

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Weak};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use common::{CountingWaker, Drops, Gate, OnDrop, Trace, panic_text, virtual_loop, watched};
use handloop::{EventLoop, RunError, Task, TaskState, WakerFate, create_future, gather, sleep, spawn, yield_now};

/// Pending for ever. It gives a clone of its waker away at its first poll, and counts its polls.
#[derive(Clone, Default)]
struct Probe {
    wakers: Rc<RefCell<Vec<Waker>>>,
    polls: Rc<Cell<usize>>,
}

impl Probe {
    fn new() -> Self {
        Self::default()
    }

    fn future(&self) -> impl Future<Output = ()> + 'static {
        let probe = self.clone();
        poll_fn(move |context| {
            probe.polls.set(probe.polls.get() + 1);
            if probe.polls.get() == 1 {
                probe.wakers.borrow_mut().push(context.waker().clone());
            }
            Poll::Pending
        })
    }

    fn polls(&self) -> usize {
        self.polls.get()
    }

    fn take_waker(&self) -> Waker {
        self.wakers.borrow_mut().pop().unwrap()
    }
}

/// A loop, and a sight of its memory: the count is one while the loop or a task that a waker keeps is there, then zero.
fn observed_loop() -> (EventLoop, Weak<AtomicUsize>) {
    let reports = Arc::new(AtomicUsize::new(0));
    let alive = Arc::downgrade(&reports);
    let builder = EventLoop::builder().virtual_clock();
    let builder =
        builder.on_report(move |_| assert_eq!(reports.fetch_add(1, Ordering::SeqCst), 0, "one report at most"));
    (builder.build(), alive)
}

/// Turns until nothing is ready.
fn settle(event_loop: &EventLoop) -> usize {
    let mut turns = 0;
    while event_loop.run_once() {
        turns += 1;
    }
    turns
}

fn poll_with<F: Future + ?Sized>(future: &mut Pin<Box<F>>, waker: &Waker) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(waker))
}

fn each_sequence<T: Copy>(steps: &[T], length: usize, see: &mut impl FnMut(&[T])) {
    fn go<T: Copy>(steps: &[T], length: usize, sofar: &mut Vec<T>, see: &mut impl FnMut(&[T])) {
        if sofar.len() == length {
            return see(sofar);
        }
        for step in steps {
            sofar.push(*step);
            go(steps, length, sofar, see);
            sofar.pop();
        }
    }
    go(steps, length, &mut Vec::new(), see);
}

fn each_order(n: usize, see: &mut impl FnMut(&[usize])) {
    let all: Vec<usize> = (0..n).collect();
    each_sequence(&all, n, &mut |order| {
        if (0..n).all(|index| order.contains(&index)) {
            see(order);
        }
    });
}

/// Case 31. A wake gives exactly one more poll.
#[test]
fn wake_gives_one_poll() {
    let (event_loop, probe) = (virtual_loop(), Probe::new());
    drop(event_loop.spawn(probe.future()));
    assert_eq!((settle(&event_loop), probe.polls()), (1, 1));
    probe.take_waker().wake();
    assert_eq!((settle(&event_loop), probe.polls()), (1, 2));
}

/// Case 32. A wake by reference does the same, and the waker stays usable.
#[test]
fn wake_by_ref_gives_one_poll_and_keeps_the_waker() {
    let (event_loop, probe) = (virtual_loop(), Probe::new());
    drop(event_loop.spawn(probe.future()));
    settle(&event_loop);
    let waker = probe.take_waker();
    for polls in 2..5 {
        waker.wake_by_ref();
        assert_eq!((settle(&event_loop), probe.polls()), (1, polls));
    }
    waker.wake();
    assert_eq!((settle(&event_loop), probe.polls()), (1, 5));
}

/// Case 31, Case 32. The same for a wake inside the running loop, which does not go through the inbox.
#[test]
fn wake_inside_the_running_loop_gives_one_poll() {
    let (event_loop, probe) = (virtual_loop(), Probe::new());
    drop(event_loop.spawn(probe.future()));
    settle(&event_loop);
    let waker = probe.take_waker();
    event_loop.run_until_complete(async {
        waker.wake_by_ref();
        assert_eq!(probe.polls(), 1, "a wake does not poll");
        yield_now().await;
        assert_eq!(probe.polls(), 2);
        yield_now().await;
        assert_eq!(probe.polls(), 2);
        waker.wake();
        yield_now().await;
        assert_eq!(probe.polls(), 3);
    });
    assert_eq!((settle(&event_loop), probe.polls()), (0, 3));
}

/// Case 33. A clone wakes the same task.
#[test]
fn clone_of_a_waker_wakes_the_same_task() {
    let (event_loop, probe, other) = (virtual_loop(), Probe::new(), Probe::new());
    drop(event_loop.spawn(probe.future()));
    drop(event_loop.spawn(other.future()));
    settle(&event_loop);
    let waker = probe.take_waker();
    let clone = waker.clone();
    drop(waker);
    clone.wake();
    assert_eq!((settle(&event_loop), probe.polls(), other.polls()), (1, 2, 1));
}

/// Case 33. `will_wake` is true of the wakers of one task, in whatever poll and by whatever copies they were made,
/// and false of those of two.
#[test]
fn will_wake_tells_the_wakers_of_one_task_from_those_of_another() {
    let event_loop = virtual_loop();
    let wakers: [Rc<RefCell<Vec<Waker>>>; 2] = Default::default();
    for kept in wakers.clone() {
        drop(event_loop.spawn(poll_fn(move |context| {
            assert!(context.waker().will_wake(&context.waker().clone()));
            kept.borrow_mut().push(context.waker().clone());
            context.waker().wake_by_ref();
            if kept.borrow().len() == 3 { Poll::Ready(()) } else { Poll::Pending }
        })));
    }
    settle(&event_loop);
    let [ours, theirs] = wakers;
    let (ours, theirs) = (ours.take(), theirs.take());
    assert_eq!((ours.len(), theirs.len()), (3, 3));
    let elsewhere = ours[0].clone();
    let elsewhere = thread::spawn(move || elsewhere.clone()).join().unwrap();
    for waker in &ours {
        assert!(waker.will_wake(&ours[0]) && ours[0].will_wake(waker) && waker.will_wake(&elsewhere));
        assert!(theirs.iter().all(|other| !waker.will_wake(other) && !other.will_wake(waker)));
        assert!(!waker.will_wake(Waker::noop()));
    }
}

/// Case 34, RUST-01. Ten thousand wakes of one task, by a task and from another thread, give one poll.
#[test]
fn ten_thousand_wakes_of_one_task_give_one_poll() {
    watched(|| {
        let (event_loop, probe) = (virtual_loop(), Probe::new());
        drop(event_loop.spawn(probe.future()));
        settle(&event_loop);
        let waker = probe.take_waker();
        event_loop.run_until_complete(async {
            for round in 0..10_000 {
                if round % 2 == 0 { waker.wake_by_ref() } else { waker.clone().wake() }
            }
        });
        assert_eq!((settle(&event_loop), probe.polls()), (1, 2), "woken by a task of the loop");
        for round in 0..10_000 {
            if round % 2 == 0 { waker.wake_by_ref() } else { waker.clone().wake() }
        }
        assert_eq!((settle(&event_loop), probe.polls()), (1, 3), "woken between the turns");
        let theirs = waker.clone();
        let woken = thread::spawn(move || {
            for round in 0..10_000 {
                if round % 2 == 0 { theirs.wake_by_ref() } else { theirs.clone().wake() }
            }
        });
        woken.join().unwrap();
        waker.wake();
        assert_eq!((settle(&event_loop), probe.polls()), (1, 4), "woken by another thread");
    });
}

/// Case 34, RUST-01. One poll also where the wakes come on both ways: in the ready queue and in the inbox.
#[test]
fn wakes_from_inside_and_from_elsewhere_together_give_one_poll() {
    watched(|| {
        for inside_first in [true, false] {
            let (event_loop, probe) = (virtual_loop(), Probe::new());
            drop(event_loop.spawn(probe.future()));
            settle(&event_loop);
            let waker = probe.take_waker();
            event_loop.run_until_complete(async {
                let elsewhere = || {
                    let waker = waker.clone();
                    thread::spawn(move || waker.wake()).join().unwrap();
                };
                if inside_first {
                    waker.wake_by_ref();
                    elsewhere();
                } else {
                    elsewhere();
                    waker.wake_by_ref();
                }
            });
            settle(&event_loop);
            assert_eq!(probe.polls(), 2, "inside first: {inside_first}");
            waker.wake();
            assert_eq!((settle(&event_loop), probe.polls()), (1, 3), "and the next wake counts again");
        }
    });
}

/// Case 34, RUST-01. + A wake from elsewhere that comes in mid-turn, before the task's place in the queue, is answered
/// by the poll of that turn and asks for no other.
#[test]
fn wake_from_elsewhere_before_a_queued_poll_is_answered_by_it() {
    watched(|| {
        let (event_loop, gate, probe) = (virtual_loop(), Gate::new(), Probe::new());
        let (first, wakers) = (gate.clone(), probe.wakers.clone());
        drop(event_loop.spawn(async move {
            first.await;
            let waker: Waker = wakers.borrow()[0].clone();
            thread::spawn(move || waker.wake()).join().unwrap();
        }));
        let task = event_loop.spawn(probe.future());
        settle(&event_loop);
        gate.open();
        probe.wakers.borrow()[0].wake_by_ref();
        assert!(event_loop.run_once());
        assert_eq!((probe.polls(), task.state()), (2, TaskState::Waiting));
        assert!(!event_loop.run_once());
        assert_eq!(probe.polls(), 2);
        probe.take_waker().wake();
        assert_eq!((settle(&event_loop), probe.polls()), (1, 3));
    });
}

/// Case 35, RUST-02. + A wake from another thread while the task is polled gives exactly one more poll, in the next
/// turn.
#[test]
fn wake_from_another_thread_during_poll_polls_once_more() {
    watched(|| {
        for wakes in [1, 2, 50] {
            let event_loop = virtual_loop();
            let (trace, polls) = (Trace::new(), Rc::new(Cell::new(0)));
            let (seen, count) = (trace.clone(), polls.clone());
            let task = event_loop.spawn(poll_fn(move |context| {
                count.set(count.get() + 1);
                if count.get() > 1 {
                    return Poll::Ready(());
                }
                seen.add("poll begins");
                let waker = context.waker().clone();
                let woken = move || (0..wakes).for_each(|_| waker.wake_by_ref());
                thread::spawn(woken).join().unwrap();
                seen.add("poll ends");
                Poll::Pending
            }));
            assert!(event_loop.run_once());
            assert_eq!(trace.take(), ["poll begins", "poll ends"]);
            assert_eq!((polls.get(), task.state()), (1, TaskState::Ready));
            assert!(event_loop.run_once());
            assert_eq!((polls.get(), task.state()), (2, TaskState::Finished));
            assert!(!event_loop.run_once());
        }
    });
}

/// Case 35. + The borrowed waker may be called on another thread while the poll lasts, without a clone.
#[test]
fn borrowed_waker_called_on_another_thread_during_poll_polls_once_more() {
    watched(|| {
        let (event_loop, polls) = (virtual_loop(), Rc::new(Cell::new(0)));
        let count = polls.clone();
        drop(event_loop.spawn(poll_fn(move |context| {
            count.set(count.get() + 1);
            if count.get() == 1 {
                let waker = context.waker();
                thread::scope(|scope| drop(scope.spawn(|| waker.wake_by_ref())));
            }
            Poll::<()>::Pending
        })));
        assert_eq!((settle(&event_loop), polls.get()), (2, 2));
    });
}

/// Case 36, RUST-02. A task that wakes itself is queued behind the others, once, and is not polled within its poll.
#[test]
fn self_wake_goes_behind_the_others() {
    let (event_loop, trace) = (virtual_loop(), Trace::new());
    let (seen, depth) = (trace.clone(), Cell::new(0));
    let mut polls = 0;
    drop(event_loop.spawn(poll_fn(move |context| {
        assert_eq!(depth.replace(1), 0, "polled within its own poll");
        polls += 1;
        seen.add(format!("self {polls}"));
        for _ in 0..3 {
            context.waker().wake_by_ref();
            context.waker().clone().wake();
        }
        depth.set(0);
        if polls == 3 { Poll::Ready(()) } else { Poll::Pending }
    })));
    for name in ["b", "c"] {
        let trace = trace.clone();
        drop(event_loop.spawn(async move {
            trace.add(format!("{name} 1"));
            yield_now().await;
            trace.add(format!("{name} 2"));
        }));
    }
    for expected in [["self 1", "b 1", "c 1"].as_slice(), &["self 2", "b 2", "c 2"], &["self 3"]] {
        assert!(event_loop.run_once());
        assert_eq!(trace.take(), expected);
    }
    assert!(!event_loop.run_once());
}

/// Case 37, RUST-03, RUST-06. A wake after the end of a task does nothing: no poll, no turn.
#[test]
fn wake_after_the_end_does_nothing() {
    watched(|| {
        let (event_loop, polls, kept) = (virtual_loop(), Rc::new(Cell::new(0)), Rc::new(RefCell::new(None::<Waker>)));
        let (count, keep) = (polls.clone(), kept.clone());
        let task = event_loop.spawn(poll_fn(move |context| {
            count.set(count.get() + 1);
            *keep.borrow_mut() = Some(context.waker().clone());
            Poll::Ready(5)
        }));
        settle(&event_loop);
        let waker = kept.take().unwrap();
        let wake_everywhere = || {
            waker.wake_by_ref();
            waker.clone().wake();
            let theirs = waker.clone();
            thread::spawn(move || theirs.wake()).join().unwrap();
        };
        wake_everywhere();
        assert_eq!((settle(&event_loop), polls.get(), task.state()), (0, 1, TaskState::Finished));
        event_loop.run_until_complete(async { wake_everywhere() });
        assert_eq!((settle(&event_loop), polls.get()), (0, 1));
        assert_eq!(event_loop.run_until_complete(task).unwrap(), 5);
        wake_everywhere();
        assert_eq!((settle(&event_loop), polls.get()), (0, 1), "also once the output was taken");
    });
}

/// Case 37, RUST-06. A wake in the very poll that returns does nothing either.
#[test]
fn wake_in_the_last_poll_does_nothing() {
    watched(|| {
        for elsewhere in [false, true] {
            let (event_loop, polls) = (virtual_loop(), Rc::new(Cell::new(0)));
            let count = polls.clone();
            let task = event_loop.spawn(poll_fn(move |context| {
                count.set(count.get() + 1);
                let waker = context.waker().clone();
                if elsewhere {
                    thread::spawn(move || waker.wake()).join().unwrap()
                } else {
                    waker.wake()
                }
                Poll::Ready(())
            }));
            assert_eq!((settle(&event_loop), polls.get(), task.state()), (1, 1, TaskState::Finished));
        }
    });
}

/// Case 38, RUST-03, RUST-06. A wake of a cancelled or dropped task does nothing.
#[test]
fn wake_of_a_cancelled_task_does_nothing() {
    let (event_loop, alive) = observed_loop();
    let (probe, drops) = (Probe::new(), Drops::new());
    let (future, token) = (probe.future(), drops.token());
    let task = event_loop.spawn(async move {
        future.await;
        drop(token);
    });
    settle(&event_loop);
    let waker = probe.take_waker();
    assert!(task.cancel());
    waker.wake_by_ref();
    assert_eq!((settle(&event_loop), probe.polls(), drops.count()), (1, 1, 1));
    waker.wake_by_ref();
    event_loop.run_until_complete(async { waker.wake_by_ref() });
    assert_eq!((settle(&event_loop), probe.polls()), (0, 1));
    drop(task);
    waker.wake_by_ref();
    assert_eq!((settle(&event_loop), probe.polls(), drops.count()), (0, 1, 1), "without a handle too");
    drop(event_loop);
    assert_eq!(alive.strong_count(), 1, "the waker keeps the memory");
    waker.wake();
    assert_eq!((alive.strong_count(), probe.polls(), drops.count()), (0, 1, 1));
}

/// RUST-06. A task is not polled after it panicked, whatever wakes it.
#[test]
fn wake_of_a_panicked_task_does_nothing() {
    let (event_loop, polls, kept) = (virtual_loop(), Rc::new(Cell::new(0)), Rc::new(RefCell::new(None::<Waker>)));
    let (count, keep) = (polls.clone(), kept.clone());
    let mut task: Task<()> = event_loop.spawn(poll_fn(move |context| {
        count.set(count.get() + 1);
        *keep.borrow_mut() = Some(context.waker().clone());
        context.waker().wake_by_ref();
        panic!("once")
    }));
    assert_eq!((settle(&event_loop), polls.get(), task.state()), (1, 1, TaskState::Panicked));
    let waker = kept.take().unwrap();
    waker.wake_by_ref();
    event_loop.run_until_complete(async { waker.wake() });
    assert_eq!((settle(&event_loop), polls.get()), (0, 1));
    assert_eq!(panic_text(&*task.try_result().unwrap().unwrap_err().into_panic()), "once");
}

/// RUST-06. A root future is not polled after it returned; its waker, which outlives the run, wakes nothing.
#[test]
fn wake_of_a_root_after_its_run_does_nothing() {
    let (event_loop, alive) = observed_loop();
    let kept = RefCell::new(None::<Waker>);
    let mut polls = 0;
    let root = poll_fn(|context| {
        polls += 1;
        context.waker().wake_by_ref();
        *kept.borrow_mut() = Some(context.waker().clone());
        if polls == 2 { Poll::Ready(()) } else { Poll::Pending }
    });
    event_loop.run_until_complete(root);
    let waker = kept.take().unwrap();
    waker.wake_by_ref();
    assert_eq!(settle(&event_loop), 0);
    event_loop.run_until_complete(async { waker.wake_by_ref() });
    assert_eq!((settle(&event_loop), polls), (0, 2));
    drop(event_loop);
    waker.wake_by_ref();
    assert_eq!(alive.strong_count(), 1);
    waker.wake();
    assert_eq!(alive.strong_count(), 0);
}

/// Case 39, RUST-03. A waker outlives its loop: it wakes nothing, keeps the memory and not the future, and the last
/// one gives the memory back, on whatever thread.
#[test]
fn waker_outlives_its_loop() {
    watched(|| {
        for was_polled in [false, true] {
            let (event_loop, alive) = observed_loop();
            let (probe, drops) = (Probe::new(), Drops::new());
            let (future, token) = (probe.future(), drops.token());
            let task = event_loop.spawn(async move {
                future.await;
                drop(token);
            });
            settle(&event_loop);
            let waker = probe.take_waker();
            if was_polled {
                waker.wake_by_ref();
            }
            drop(event_loop);
            assert_eq!((drops.count(), alive.strong_count(), task.state()), (1, 1, TaskState::Cancelled));
            waker.wake_by_ref();
            waker.clone().wake();
            let theirs = waker.clone();
            thread::spawn(move || {
                theirs.wake_by_ref();
                theirs.wake();
            })
            .join()
            .unwrap();
            drop(task);
            assert_eq!((probe.polls(), alive.strong_count()), (1, 1));
            thread::spawn(move || drop(waker)).join().unwrap();
            assert_eq!((probe.polls(), alive.strong_count(), drops.count()), (1, 0, 1));
        }
    });
}

/// Case 39, RUST-03. + Wakes by value and by reference on other threads while the loop is dropped: every future is
/// dropped once, on the loop's thread, and nothing is left in memory.
#[test]
fn wakes_while_the_loop_is_dropped_are_harmless() {
    watched(|| {
        for round in 0..300 {
            let (event_loop, alive) = observed_loop();
            let (drops, elsewhere) = (Drops::new(), Arc::new(AtomicBool::new(false)));
            let own = thread::current().id();
            let probes: Vec<Probe> = (0..4)
                .map(|_| {
                    let (probe, token, elsewhere) = (Probe::new(), drops.token(), elsewhere.clone());
                    let future = probe.future();
                    drop(event_loop.spawn(async move {
                        let _where = OnDrop(move || {
                            if thread::current().id() != own {
                                elsewhere.store(true, Ordering::SeqCst);
                            }
                        });
                        future.await;
                        drop(token);
                    }));
                    probe
                })
                .collect();
            settle(&event_loop);
            let wakers: Vec<Waker> = probes.iter().map(Probe::take_waker).collect();
            let barrier = Arc::new(Barrier::new(3));
            let threads = [true, false].map(|by_value| {
                let (wakers, barrier) = (wakers.clone(), barrier.clone());
                thread::spawn(move || {
                    barrier.wait();
                    for waker in wakers {
                        if by_value { waker.wake() } else { waker.wake_by_ref() }
                    }
                })
            });
            drop(wakers);
            barrier.wait();
            if round % 2 == 0 {
                settle(&event_loop);
            }
            drop(event_loop);
            assert_eq!(drops.count(), 4);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            assert!(!elsewhere.load(Ordering::SeqCst), "a future was dropped on another thread");
            assert_eq!(alive.strong_count(), 0);
        }
    });
}

/// Case 40. + Wakes during the close, by destructors of other tasks and by another thread, leave nothing behind.
#[test]
fn wakes_during_the_close_leave_nothing_behind() {
    watched(|| {
        for _ in 0..100 {
            let (event_loop, alive) = observed_loop();
            let (drops, probes) = (Drops::new(), [Probe::new(), Probe::new(), Probe::new()]);
            for probe in &probes {
                let (future, others, token) = (probe.future(), probes.clone(), drops.token());
                drop(event_loop.spawn(async move {
                    let _wakes_all = OnDrop(move || {
                        for other in &others {
                            other.wakers.borrow().iter().for_each(Waker::wake_by_ref);
                        }
                    });
                    future.await;
                    drop(token);
                }));
            }
            settle(&event_loop);
            let theirs: Vec<Waker> = probes.iter().flat_map(|probe| probe.wakers.borrow().clone()).collect();
            let barrier = Arc::new(Barrier::new(2));
            let other = {
                let barrier = barrier.clone();
                thread::spawn(move || {
                    barrier.wait();
                    theirs.into_iter().for_each(Waker::wake);
                })
            };
            barrier.wait();
            drop(event_loop);
            other.join().unwrap();
            assert_eq!(drops.count(), 3);
            assert_eq!(alive.strong_count(), 1, "their wakers are still here");
            assert!(probes.iter().all(|probe| probe.polls() == 1));
            drop(probes);
            assert_eq!(alive.strong_count(), 0);
        }
    });
}

/// Case 40. A future that holds its own waker is a cycle only until it is dropped.
#[test]
fn future_that_holds_its_own_waker_is_freed() {
    for (returns, cancels) in [(true, false), (false, true), (false, false)] {
        let (event_loop, alive) = observed_loop();
        let drops = Drops::new();
        let (token, own) = (drops.token(), RefCell::new(None::<Waker>));
        let task = event_loop.spawn(poll_fn(move |context| {
            let _ = &token;
            if own.replace(Some(context.waker().clone())).is_some() {
                return Poll::Ready(());
            }
            if returns {
                context.waker().wake_by_ref();
            }
            Poll::Pending
        }));
        assert_eq!(settle(&event_loop), if returns { 2 } else { 1 });
        assert_eq!(task.cancel(), !returns);
        if cancels {
            assert_eq!((settle(&event_loop), task.state()), (1, TaskState::Cancelled));
        }
        drop(task);
        assert_eq!(drops.count(), usize::from(returns || cancels));
        drop(event_loop);
        assert_eq!((drops.count(), alive.strong_count()), (1, 0));
    }
}

/// Case 42. The waker of a finished task never wakes one that was spawned later.
#[test]
fn waker_of_a_finished_task_never_wakes_another() {
    let event_loop = virtual_loop();
    let mut old = Vec::new();
    let mut polled = Vec::new();
    for _ in 0..64 {
        let kept = Rc::new(RefCell::new(None::<Waker>));
        let keep = kept.clone();
        drop(event_loop.spawn(poll_fn(move |context| {
            *keep.borrow_mut() = Some(context.waker().clone());
            Poll::Ready(())
        })));
        settle(&event_loop);
        old.push(kept.take().unwrap());
        let probe = Probe::new();
        drop(event_loop.spawn(probe.future()));
        settle(&event_loop);
        assert!(old.iter().all(|old| !old.will_wake(&probe.wakers.borrow()[0])));
        polled.push(probe);
        old.iter().for_each(Waker::wake_by_ref);
        event_loop.run_until_complete(async { old.iter().for_each(Waker::wake_by_ref) });
        assert_eq!(settle(&event_loop), 0);
        assert!(polled.iter().all(|probe| probe.polls() == 1));
    }
}

/// Case 43. Spurious polls of a pending task are harmless.
#[test]
fn spurious_polls_of_a_pending_task_are_harmless() {
    let (event_loop, gate) = (virtual_loop(), Gate::new());
    let inner = gate.clone();
    let task = event_loop.spawn(async move {
        inner.await;
        "open"
    });
    settle(&event_loop);
    for polls in 2..=11 {
        gate.waker().unwrap().wake();
        assert_eq!((settle(&event_loop), gate.polls(), task.state()), (1, polls, TaskState::Waiting));
    }
    gate.open();
    assert_eq!(event_loop.run_until_complete(task).unwrap(), "open");
    assert_eq!(gate.polls(), 12);
}

/// Polls a leaf ten times, lets it become ready, and says how often it woke and how many clones of the waker it kept.
fn spurious_polls<F: Future>(leaf: F, fire: impl FnOnce()) -> (usize, usize) {
    let (counter, waker) = CountingWaker::new();
    let mut leaf = Box::pin(leaf);
    for _ in 0..10 {
        assert!(poll_with(&mut leaf, &waker).is_pending());
    }
    let kept = Arc::strong_count(&counter) - 2;
    fire();
    let wakes = counter.wakes();
    assert!(poll_with(&mut leaf, &waker).is_ready());
    (wakes, kept)
}

/// Case 43. Ten polls of a leaf keep one waker and give one wake.
#[test]
fn spurious_polls_of_a_leaf_keep_one_waker() {
    watched(|| {
        let event_loop = virtual_loop();
        let gate = Gate::new();
        let task = event_loop.spawn(gate.clone());
        settle(&event_loop);
        let fire = || {
            gate.open();
            settle(&event_loop);
        };
        assert_eq!(spurious_polls(task, fire), (1, 1), "Task");

        let gates = [Gate::new(), Gate::new()];
        let tasks = gates.clone().map(|gate| event_loop.spawn(gate));
        settle(&event_loop);
        let fire = || {
            gates.iter().for_each(Gate::open);
            settle(&event_loop);
        };
        assert_eq!(spurious_polls(gather(tasks), fire), (1, 1), "Gather");

        let (promise, future) = create_future();
        assert_eq!(spurious_polls(future, || promise.set_result(1)), (1, 1), "PromiseFuture");

        let (promise, future) = create_future::<u8>();
        let remote = event_loop.handle().submit(future);
        settle(&event_loop);
        let fire = || {
            promise.set_result(1);
            settle(&event_loop);
        };
        assert_eq!(spurious_polls(remote, fire), (1, 1), "RemoteTask");

        let mut slept = event_loop.run_until_complete(async { Box::pin(sleep(Duration::from_secs(1))) });
        let (counter, waker) = CountingWaker::new();
        for _ in 0..10 {
            assert!(poll_with(&mut slept, &waker).is_pending());
        }
        assert_eq!(Arc::strong_count(&counter), 3, "Sleep");
        event_loop.run_until_complete(sleep(Duration::from_secs(2)));
        assert_eq!((counter.wakes(), Arc::strong_count(&counter)), (1, 2), "Sleep");
        assert!(poll_with(&mut slept, &waker).is_ready());
    });
}

/// RUST-05. Polls with waker A, then with B; lets the leaf become ready; then A was released and only B was woken.
fn only_the_latest_waker_is_woken<F: Future>(mut leaf: Pin<Box<F>>, fire: impl FnOnce()) {
    let ((a, waker_a), (b, waker_b)) = (CountingWaker::new(), CountingWaker::new());
    assert!(poll_with(&mut leaf, &waker_a).is_pending());
    assert_eq!(Arc::strong_count(&a), 3);
    assert!(poll_with(&mut leaf, &waker_b).is_pending());
    assert_eq!((Arc::strong_count(&a), Arc::strong_count(&b)), (2, 3), "A is released");
    drop(waker_a);
    assert_eq!(Arc::strong_count(&a), 1);
    fire();
    assert_eq!((a.wakes(), b.wakes()), (0, 1));
    assert_eq!(Arc::strong_count(&b), 2, "B is used up");
    assert!(poll_with(&mut leaf, &waker_b).is_ready());
    assert_eq!((b.wakes(), Arc::strong_count(&b)), (1, 2));
}

/// RUST-05, Case 61. Every leaf keeps the latest waker, and only that.
#[test]
fn leaf_keeps_the_latest_waker() {
    watched(|| {
        let event_loop = virtual_loop();
        let gate = Gate::new();
        let task = event_loop.spawn(gate.clone());
        settle(&event_loop);
        only_the_latest_waker_is_woken(Box::pin(task), || {
            gate.open();
            settle(&event_loop);
        });

        let gate = Gate::new();
        let tasks = [event_loop.spawn(gate.clone())];
        settle(&event_loop);
        only_the_latest_waker_is_woken(Box::pin(gather(tasks)), || {
            gate.open();
            settle(&event_loop);
        });

        let (promise, future) = create_future();
        only_the_latest_waker_is_woken(Box::pin(future), || promise.set_result(1));

        let (promise, future) = create_future::<u8>();
        let remote = event_loop.handle().submit(future);
        settle(&event_loop);
        only_the_latest_waker_is_woken(Box::pin(remote), || {
            promise.set_result(1);
            settle(&event_loop);
        });

        let slept = event_loop.run_until_complete(async { Box::pin(sleep(Duration::from_secs(1))) });
        only_the_latest_waker_is_woken(slept, || event_loop.run_until_complete(sleep(Duration::from_secs(2))));
    });
}

/// RUST-05. A task that is moved from one awaiting task to another wakes the latter alone.
#[test]
fn handle_that_moves_wakes_the_task_that_polled_it_last() {
    let (event_loop, gate) = (virtual_loop(), Gate::new());
    let shared = Rc::new(RefCell::new(event_loop.spawn(gate.clone())));
    let polls: [Rc<Cell<usize>>; 2] = Default::default();
    let tasks = polls.clone().map(|polls| {
        let shared = shared.clone();
        event_loop.spawn(poll_fn(move |context| {
            polls.set(polls.get() + 1);
            Pin::new(&mut *shared.borrow_mut()).poll(context)
        }))
    });
    settle(&event_loop);
    gate.open();
    settle(&event_loop);
    assert_eq!(polls.map(|polls| polls.get()), [1, 2]);
    assert_eq!(tasks.map(|task| task.state()), [TaskState::Waiting, TaskState::Finished]);
}

/// RUST-04. + No wake is lost between "nothing is ready" and the park: another thread answers each poll by the next
/// wake at once, so that the wake often falls into that gap.
#[test]
fn wake_on_the_way_to_the_park_is_not_lost() {
    watched(|| {
        const ROUNDS: usize = 20_000;
        for with_handle in [false, true] {
            let event_loop = EventLoop::new();
            let handle = with_handle.then(|| event_loop.handle());
            let (send, receive) = channel::<Waker>();
            let said = Arc::new(AtomicUsize::new(0));
            let say = said.clone();
            let other = thread::spawn(move || {
                for waker in receive {
                    say.fetch_add(1, Ordering::SeqCst);
                    waker.wake();
                }
            });
            let mut heard = 0;
            event_loop.run_until_complete(poll_fn(move |context| {
                if said.load(Ordering::SeqCst) < heard {
                    return Poll::Pending; // a wake is still on its way
                }
                if heard == ROUNDS {
                    return Poll::Ready(());
                }
                heard += 1;
                send.send(context.waker().clone()).unwrap();
                Poll::Pending
            }));
            other.join().unwrap();
            drop(handle);
        }
    });
}

/// RUST-04. + Another thread hammers one waker while the task counts its signals: none is lost.
#[test]
fn signals_of_a_thread_that_hammers_a_waker_are_all_seen() {
    watched(|| {
        const SIGNALS: usize = 100_000;
        let event_loop = EventLoop::new();
        let signals = Arc::new(AtomicUsize::new(0));
        let mut thread = None;
        let polls = Cell::new(0);
        event_loop.run_until_complete(poll_fn(|context| {
            polls.set(polls.get() + 1);
            thread.get_or_insert_with(|| {
                let (waker, signals) = (context.waker().clone(), signals.clone());
                thread::spawn(move || {
                    for _ in 0..SIGNALS {
                        signals.fetch_add(1, Ordering::Relaxed);
                        waker.wake_by_ref();
                    }
                })
            });
            if signals.load(Ordering::Relaxed) == SIGNALS { Poll::Ready(()) } else { Poll::Pending }
        }));
        thread.unwrap().join().unwrap();
        assert!((1..=SIGNALS + 1).contains(&polls.get()), "one poll a wake at most");
    });
}

/// RUST-04. + Waker clones of one task are made, called and dropped on many threads at once: the counts come out even.
#[test]
fn waker_clones_on_many_threads_come_out_even() {
    watched(|| {
        const THREADS: usize = 8;
        const ROUNDS: usize = 2_000;
        let (event_loop, alive) = observed_loop();
        let running = Arc::new(AtomicUsize::new(THREADS));
        let mut threads = Vec::new();
        let task = {
            let (running, started) = (running.clone(), Rc::new(Cell::new(false)));
            let (send, receive) = channel();
            let future = poll_fn(move |context| {
                if !started.replace(true) {
                    let barrier = Arc::new(Barrier::new(THREADS));
                    for _ in 0..THREADS {
                        let (waker, running, barrier) = (context.waker().clone(), running.clone(), barrier.clone());
                        let thread = thread::spawn(move || {
                            barrier.wait();
                            for round in 0..ROUNDS {
                                let clones = [waker.clone(), waker.clone(), waker.clone()];
                                let [one, two, three] = clones;
                                assert!(one.will_wake(&two));
                                match round % 3 {
                                    0 => one.wake(),
                                    1 => one.wake_by_ref(),
                                    _ => drop(one),
                                }
                                drop(two);
                                three.wake();
                            }
                            running.fetch_sub(1, Ordering::SeqCst);
                            waker.wake();
                        });
                        send.send(thread).unwrap();
                    }
                }
                if running.load(Ordering::SeqCst) == 0 { Poll::Ready(()) } else { Poll::Pending }
            });
            let task = event_loop.spawn(future);
            assert!(event_loop.run_once());
            threads.extend(receive.try_iter());
            task
        };
        assert_eq!(threads.len(), THREADS);
        event_loop.run_until_complete(task).unwrap();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let error = event_loop.try_run_until_complete(std::future::pending::<()>()).unwrap_err();
        assert!(matches!(error, RunError::Stalled(report) if report.tasks.len() == 1));
        drop(event_loop);
        assert_eq!(alive.strong_count(), 0);
    });
}

/// What the ledger does with the references that it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Clone,
    WakeByRef,
    Wake,
    Drop,
}

const STEPS: [Step; 4] = [Step::Clone, Step::WakeByRef, Step::Wake, Step::Drop];

/// Does one step with the wakers; true if that was a wake.
fn make(step: Step, wakers: &mut Vec<Waker>) -> bool {
    match step {
        Step::Clone => wakers.extend(wakers.first().cloned()),
        Step::WakeByRef => wakers.iter().take(1).for_each(Waker::wake_by_ref),
        Step::Wake => {
            let waker = wakers.pop();
            let wakes = waker.is_some();
            waker.into_iter().for_each(Waker::wake);
            return wakes;
        }
        Step::Drop => drop(wakers.pop()),
    }
    step == Step::WakeByRef && !wakers.is_empty()
}

/// Case 44. The ledger of references: create +1, clone +1, wake by reference 0, wake −1, drop −1. In every sequence
/// of six steps after the end of the loop, the memory of the task is there exactly while a waker is.
#[test]
fn refcount_ledger() {
    each_sequence(&STEPS, 6, &mut |steps| {
        let (event_loop, alive) = observed_loop();
        let probe = Probe::new();
        drop(event_loop.spawn(probe.future()));
        assert!(event_loop.run_once());
        let mut wakers = probe.wakers.take();
        drop(event_loop);
        for step in steps {
            make(*step, &mut wakers);
            assert_eq!(alive.strong_count(), usize::from(!wakers.is_empty()), "{step:?} in {steps:?}");
        }
    });
}

/// Where the steps of a ledger are made while the loop is open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    InItsOwnPoll,
    InAnotherTask,
    BetweenTurns,
    OnAnotherThread,
}

/// The steps are made with one waker of a pending task. Returns the loop, the task's polls, whether it was woken, and
/// the wakers that are left.
fn ledger(place: Place, steps: &[Step], to_thread: &impl Fn(Vec<Waker>) -> (bool, Vec<Waker>)) -> Ledger {
    let (event_loop, alive) = observed_loop();
    let (polls, was_woken) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
    let wakers: Rc<RefCell<Vec<Waker>>> = Rc::default();
    let (count, woken, kept, own_steps) = (polls.clone(), was_woken.clone(), wakers.clone(), steps.to_vec());
    drop(event_loop.spawn(poll_fn(move |context| {
        count.set(count.get() + 1);
        if count.get() == 1 {
            let mut wakers = vec![context.waker().clone()];
            if place == Place::InItsOwnPoll {
                own_steps.iter().for_each(|step| woken.set(make(*step, &mut wakers) || woken.get()));
            }
            kept.replace(wakers);
        }
        Poll::<()>::Pending
    })));
    assert!(event_loop.run_once());
    match place {
        Place::InItsOwnPoll => {}
        Place::InAnotherTask => event_loop.run_until_complete(async {
            steps.iter().for_each(|step| was_woken.set(make(*step, &mut wakers.borrow_mut()) || was_woken.get()));
        }),
        Place::BetweenTurns => {
            steps.iter().for_each(|step| was_woken.set(make(*step, &mut wakers.borrow_mut()) || was_woken.get()));
        }
        Place::OnAnotherThread => {
            let (woken, left) = to_thread(wakers.take());
            was_woken.set(woken);
            wakers.replace(left);
        }
    }
    let wakers = wakers.take();
    Ledger { event_loop, alive, polls, was_woken: was_woken.get(), wakers }
}

struct Ledger {
    event_loop: EventLoop,
    alive: Weak<AtomicUsize>,
    polls: Rc<Cell<usize>>,
    was_woken: bool,
    wakers: Vec<Waker>,
}

/// Case 44, Case 31, Case 34, Case 46. The ledger while the loop is open: every sequence of four steps, in the task's
/// own poll, in another task, between the turns and on another thread. One poll answers any number of wakes; the
/// memory goes with the last waker; a loop whose task has no waker left is stalled, and says that it was dropped.
#[test]
fn refcount_ledger_of_an_open_loop() {
    watched(|| {
        let (send, steps_there) = channel::<(Vec<Step>, Vec<Waker>)>();
        let (answer, answers) = channel();
        let other = thread::spawn(move || {
            for (steps, mut wakers) in steps_there {
                let mut woken = false;
                steps.iter().for_each(|step| woken |= make(*step, &mut wakers));
                answer.send((woken, wakers)).unwrap();
            }
        });
        for place in [Place::InItsOwnPoll, Place::InAnotherTask, Place::BetweenTurns, Place::OnAnotherThread] {
            each_sequence(&STEPS, 4, &mut |steps| {
                let to_thread = |wakers| {
                    send.send((steps.to_vec(), wakers)).unwrap();
                    answers.recv().unwrap()
                };
                // The loop is dropped with a wake on its way, or none.
                let Ledger { event_loop, alive, polls, wakers, .. } = ledger(place, steps, &to_thread);
                assert_eq!(polls.get(), 1, "{place:?} {steps:?}");
                drop(event_loop);
                assert_eq!(alive.strong_count(), usize::from(!wakers.is_empty()), "{place:?} {steps:?}");
                drop(wakers);
                assert_eq!(alive.strong_count(), 0, "{place:?} {steps:?}");
                // The loop goes on, and is dropped then.
                let Ledger { event_loop, alive, polls, was_woken, wakers } = ledger(place, steps, &to_thread);
                assert_eq!(settle(&event_loop), usize::from(was_woken), "{place:?} {steps:?}");
                assert_eq!(polls.get(), 1 + usize::from(was_woken), "{place:?} {steps:?}");
                drop(event_loop);
                assert_eq!(alive.strong_count(), usize::from(!wakers.is_empty()), "{place:?} {steps:?}");
                drop(wakers);
                assert_eq!(alive.strong_count(), 0, "{place:?} {steps:?}");
                // The loop goes on until it is stalled, which it is when no waker is left.
                let Ledger { event_loop, alive, polls, was_woken, wakers } = ledger(place, steps, &to_thread);
                drop(wakers);
                let Err(RunError::Stalled(report)) = event_loop.try_run_until_complete(std::future::pending::<()>())
                else {
                    panic!("not stalled: {place:?} {steps:?}")
                };
                let fates: Vec<_> = report.tasks.iter().map(|task| (task.task.state, &task.waker)).collect();
                let expected =
                    [(TaskState::Waiting, &WakerFate::Dropped), (TaskState::Waiting, &WakerFate::NeverTaken)];
                assert_eq!(fates, expected, "{place:?} {steps:?}");
                assert_eq!(polls.get(), 1 + usize::from(was_woken), "{place:?} {steps:?}");
                drop(event_loop);
                assert_eq!(alive.strong_count(), 0, "{place:?} {steps:?}");
            });
        }
        drop(send);
        other.join().unwrap();
    });
}

/// Case 44. The three fates of a waker, as a stalled loop tells them. A wake by value uses its clone up.
#[test]
fn stalled_loop_tells_the_fate_of_each_waker() {
    watched(|| {
        let event_loop = virtual_loop();
        drop(event_loop.spawn(std::future::pending::<()>()));
        let mut polls = 0;
        let stuck = event_loop.spawn(poll_fn(move |context| {
            polls += 1;
            if polls == 1 {
                context.waker().clone().wake();
            }
            Poll::<()>::Pending
        }));
        let Err(RunError::Stalled(report)) = event_loop.try_run_until_complete(stuck) else { panic!("not stalled") };
        let fates: Vec<_> = report.tasks.iter().map(|task| (task.task.id, task.task.polls, &task.waker)).collect();
        let held = WakerFate::HeldByStuck(vec![report.tasks[1].task.clone()]);
        assert_eq!(fates, [(1, 1, &WakerFate::NeverTaken), (2, 2, &WakerFate::Dropped), (3, 1, &held)]);
        let text = report.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "The loop is stalled: 3 tasks wait, and nothing is left that could wake them.");
        assert!(lines[1].ends_with("polled once: it returned Pending, and nothing ever took its waker."), "{text}");
        assert!(lines[2].ends_with("polled 2 times: every clone of its waker was dropped."), "{text}");
        assert!(lines[3].ends_with("polled once: it waits for Task-2, which is stuck too."), "{text}");
        assert_eq!(lines.len(), 4);
    });
}

/// Case 44, Case 46. + A clone on another thread keeps the loop waiting; when that thread drops it the loop is stalled.
#[test]
fn last_waker_dropped_on_another_thread_stalls_the_loop() {
    watched(|| {
        for _ in 0..200 {
            let event_loop = virtual_loop();
            let barrier = Arc::new(Barrier::new(2));
            let mut thread = None;
            let task = event_loop.try_run_until_complete(poll_fn(|context| {
                let (waker, theirs) = (context.waker().clone(), barrier.clone());
                thread = Some(thread::spawn(move || {
                    theirs.wait();
                    drop(waker);
                }));
                barrier.wait();
                Poll::<()>::Pending
            }));
            let Err(RunError::Stalled(report)) = task else { panic!("not stalled") };
            assert_eq!(report.tasks.len(), 1);
            assert_eq!((report.tasks[0].task.polls, &report.tasks[0].waker), (1, &WakerFate::Dropped));
            thread.unwrap().join().unwrap();
        }
    });
}

/// Case 46. A detached task whose last waker is dropped is kept, named by the stall report, and dropped by a cancel or
/// by the close of the loop.
#[test]
fn detached_task_whose_last_waker_is_dropped_is_kept() {
    for cancels in [false, true] {
        let (event_loop, drops, gate) = (virtual_loop(), Drops::new(), Gate::new());
        let (token, inner) = (drops.token(), gate.clone());
        let task = event_loop.spawn(async move {
            inner.await;
            drop(token);
        });
        settle(&event_loop);
        let task = cancels.then_some(task);
        gate.lose_waker();
        settle(&event_loop);
        assert_eq!((drops.count(), event_loop.all_tasks().len()), (0, 1));
        let Err(RunError::Stalled(report)) = event_loop.try_run_until_complete(std::future::pending::<()>()) else {
            panic!("not stalled")
        };
        assert_eq!((report.tasks[0].task.id, &report.tasks[0].waker), (1, &WakerFate::Dropped));
        assert_eq!(drops.count(), 0);
        match task {
            Some(task) => {
                assert!(task.cancel() && event_loop.run_once());
                assert_eq!(task.state(), TaskState::Cancelled);
            }
            None => event_loop.close(),
        }
        assert_eq!((drops.count(), event_loop.all_tasks().len()), (1, 0));
    }
}

/// Case 47. The handle dropped when no waker is left: the task is kept likewise.
#[test]
fn task_is_kept_when_its_handle_goes_after_its_last_waker() {
    let (event_loop, drops, gate) = (virtual_loop(), Drops::new(), Gate::new());
    let (token, inner) = (drops.token(), gate.clone());
    let task = event_loop.spawn(async move {
        inner.await;
        drop(token);
    });
    settle(&event_loop);
    gate.lose_waker();
    drop(task);
    settle(&event_loop);
    assert_eq!((drops.count(), event_loop.all_tasks().len()), (0, 1));
    let Err(RunError::Stalled(report)) = event_loop.try_run_until_complete(std::future::pending::<()>()) else {
        panic!("not stalled")
    };
    assert_eq!((report.tasks[0].task.id, &report.tasks[0].waker), (1, &WakerFate::Dropped));
    event_loop.close();
    assert_eq!((drops.count(), gate.polls()), (1, 1));
}

/// Case 48. No task is polled twice in one turn, however often it and the others wake it.
#[test]
fn no_task_is_polled_twice_in_one_turn() {
    let event_loop = virtual_loop();
    let wakers: Rc<RefCell<Vec<Waker>>> = Rc::default();
    let polls: Vec<Rc<Cell<usize>>> = (0..5).map(|_| Rc::default()).collect();
    for count in &polls {
        let (wakers, count) = (wakers.clone(), count.clone());
        drop(event_loop.spawn(poll_fn(move |context| {
            if count.replace(count.get() + 1) == 0 {
                wakers.borrow_mut().push(context.waker().clone());
            }
            wakers.borrow().iter().for_each(Waker::wake_by_ref);
            Poll::<()>::Pending
        })));
    }
    for turn in 1..20 {
        assert!(event_loop.run_once());
        assert!(polls.iter().all(|polls| polls.get() == turn), "turn {turn}");
    }
}

/// Case 50. A waker that does nothing may poll any leaf, on any thread that the leaf may be on.
#[test]
fn leaf_is_polled_with_a_waker_that_does_nothing() {
    watched(|| {
        let (event_loop, gate) = (virtual_loop(), Gate::new());
        let mut task = Box::pin(event_loop.spawn(gate.clone()));
        settle(&event_loop);
        assert!(poll_with(&mut task, Waker::noop()).is_pending());
        gate.open();
        settle(&event_loop);
        assert!(matches!(poll_with(&mut task, Waker::noop()), Poll::Ready(Ok(()))));

        let (promise, future) = create_future();
        let (inner, mine) = create_future::<u8>();
        let remote = event_loop.handle().submit(mine);
        settle(&event_loop);
        let (mut future, mut remote) = (Box::pin(future), Box::pin(remote));
        let pending = thread::spawn(move || {
            assert!(poll_with(&mut future, Waker::noop()).is_pending());
            assert!(poll_with(&mut remote, Waker::noop()).is_pending());
            (future, remote)
        });
        let (mut future, mut remote) = pending.join().unwrap();
        promise.set_result(1);
        inner.set_result(2);
        settle(&event_loop);
        let done = thread::spawn(move || {
            assert_eq!(poll_with(&mut future, Waker::noop()), Poll::Ready(Ok(1)));
            let Poll::Ready(result) = poll_with(&mut remote, Waker::noop()) else { panic!("pending") };
            assert_eq!(result.unwrap().unwrap(), 2);
        });
        done.join().unwrap();
    });
}

/// Notes where it is at each poll and when it is dropped.
struct Pinned {
    places: Rc<RefCell<Vec<usize>>>,
    yields: usize,
    padding: [u8; 40],
    _pinned: PhantomPinned,
}

impl Pinned {
    fn note(&self) {
        self.places.borrow_mut().push(std::ptr::from_ref(self).addr());
        assert_eq!(self.padding, [7; 40]);
    }
}

impl Future for Pinned {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<usize> {
        self.note();
        if self.places.borrow().len() > self.yields {
            return Poll::Ready(self.places.borrow().len());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        self.note();
    }
}

/// Case 51. A future is polled, and dropped, where it was first polled, whatever is spawned and ends around it.
#[test]
fn futures_are_not_moved_between_polls() {
    for (returns, cancels) in [(true, false), (false, true), (false, false)] {
        let event_loop = virtual_loop();
        let places: Vec<Rc<RefCell<Vec<usize>>>> = (0..20).map(|_| Rc::default()).collect();
        let tasks: Vec<Task<usize>> = places
            .iter()
            .map(|places| {
                let yields = if returns { 30 } else { usize::MAX };
                let future = Pinned { places: places.clone(), yields, padding: [7; 40], _pinned: PhantomPinned };
                event_loop.spawn(future)
            })
            .collect();
        for _ in 0..31 {
            assert!(event_loop.run_once());
            for _ in 0..7 {
                drop(event_loop.spawn(async { yield_now().await }));
                drop(event_loop.spawn(std::future::pending::<()>()));
            }
        }
        assert!(tasks.iter().all(|task| task.cancel() != returns));
        if cancels {
            assert!(event_loop.run_once());
        }
        event_loop.close();
        assert!(
            tasks.iter().all(|task| task.state() == if returns { TaskState::Finished } else { TaskState::Cancelled })
        );
        for places in places {
            let places = places.take();
            assert_eq!(places, [places[0]; 32], "31 polls and the drop");
        }
    }
}

/// Case 51. Nor is a root future that was given by value, nor what lies on the stack of an `async` block.
#[test]
fn locals_of_an_async_block_stay_where_they_are() {
    let event_loop = virtual_loop();
    async fn stays() {
        let local = [1_u8; 100];
        let place = local.as_ptr().addr();
        for _ in 0..10 {
            drop(spawn(async { yield_now().await }));
            yield_now().await;
            assert_eq!((local.as_ptr().addr(), local), (place, [1; 100]));
        }
    }
    let tasks = [event_loop.spawn(stays()), event_loop.spawn(stays())];
    event_loop.run_until_complete(stays());
    let remote = event_loop.handle().submit(stays());
    event_loop.run_until_complete(remote).unwrap();
    assert!(tasks.into_iter().all(|mut task| task.try_result().unwrap().is_ok()));
}

/// How the queued tasks of a test end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Run,
    CancelAndRun,
    CloseLoop,
    CancelAndCloseLoop,
}

/// RUST-01, TASK-14. The ready queue owns what it links: handles are dropped in every order while their tasks are
/// queued, and the tasks run in the order in which they were queued, or are dropped, once each.
#[test]
fn ready_queue_owns_what_it_links() {
    for end in [End::Run, End::CancelAndRun, End::CloseLoop, End::CancelAndCloseLoop] {
        each_order(4, &mut |order| {
            let (event_loop, trace, drops) = (virtual_loop(), Trace::new(), Drops::new());
            let mut tasks: Vec<Option<Task<common::Token>>> = (0..4)
                .map(|index| {
                    let (trace, token) = (trace.clone(), drops.token());
                    Some(event_loop.spawn(async move {
                        trace.add(index.to_string());
                        token
                    }))
                })
                .collect();
            for index in order {
                let task = tasks[*index].take().unwrap();
                if matches!(end, End::CancelAndRun | End::CancelAndCloseLoop) {
                    assert!(task.cancel());
                }
                drop(task);
            }
            assert_eq!(drops.count(), 0);
            match end {
                End::Run | End::CancelAndRun => assert_eq!(settle(&event_loop), 1),
                End::CloseLoop | End::CancelAndCloseLoop => event_loop.close(),
            }
            let expected: &[&str] = if end == End::Run { &["0", "1", "2", "3"] } else { &[] };
            assert_eq!((trace.take(), drops.count()), (expected.iter().map(|s| s.to_string()).collect(), 4), "{end:?}");
        });
    }
}

/// RUST-01, TASK-14. Tasks that wait are queued in the order of their wakes; the handles go in every order meanwhile,
/// between the turns and within one.
#[test]
fn ready_queue_keeps_the_order_of_the_wakes() {
    each_order(4, &mut |order| {
        for inside in [false, true] {
            let (event_loop, trace, drops) = (virtual_loop(), Trace::new(), Drops::new());
            let gates: Vec<Gate> = (0..4).map(|_| Gate::new()).collect();
            let mut tasks: Vec<Option<Task<common::Token>>> = gates
                .iter()
                .enumerate()
                .map(|(index, gate)| {
                    let (trace, token, gate) = (trace.clone(), drops.token(), gate.clone());
                    Some(event_loop.spawn(async move {
                        gate.await;
                        trace.add(index.to_string());
                        token
                    }))
                })
                .collect();
            settle(&event_loop);
            let mut wake_and_drop = || {
                order.iter().for_each(|index| gates[*index].open());
                order.iter().rev().for_each(|index| drop(tasks[*index].take()));
            };
            if inside {
                event_loop.run_until_complete(async { wake_and_drop() });
            } else {
                wake_and_drop();
            }
            assert_eq!(drops.count(), 0);
            settle(&event_loop);
            let expected: Vec<String> = order.iter().map(ToString::to_string).collect();
            assert_eq!((trace.take(), drops.count()), (expected, 4));
        }
    });
}

/// RUST-01, TASK-14. A task that runs drops or cancels the handles of those that are queued behind it, in every order.
#[test]
fn running_task_lets_go_of_those_queued_behind_it() {
    for cancels in [false, true] {
        each_order(3, &mut |order| {
            let (event_loop, trace, drops) = (virtual_loop(), Trace::new(), Drops::new());
            let behind: Rc<RefCell<Vec<Option<Task<common::Token>>>>> = Rc::default();
            let (theirs, order) = (behind.clone(), order.to_vec());
            let first = event_loop.spawn(async move {
                for index in order {
                    let task = theirs.borrow_mut()[index].take().unwrap();
                    assert!(!cancels || task.cancel());
                }
            });
            for index in 0..3 {
                let (trace, token) = (trace.clone(), drops.token());
                behind.borrow_mut().push(Some(event_loop.spawn(async move {
                    trace.add(index.to_string());
                    token
                })));
            }
            drop(first);
            assert_eq!(settle(&event_loop), 1);
            let expected: &[&str] = if cancels { &[] } else { &["0", "1", "2"] };
            assert_eq!(trace.take(), expected);
            assert_eq!(drops.count(), 3);
        });
    }
}

/// RUST-01. Callbacks are queued like tasks: their handles go in every order, with and without a cancel.
#[test]
fn ready_queue_owns_the_callbacks_that_it_links() {
    for cancels in [false, true] {
        each_order(4, &mut |order| {
            let (event_loop, trace, drops) = (virtual_loop(), Trace::new(), Drops::new());
            let mut handles: Vec<Option<handloop::Handle>> = (0..4)
                .map(|index| {
                    let (trace, token) = (trace.clone(), drops.token());
                    let callback = move || {
                        trace.add(index.to_string());
                        drop(token);
                    };
                    Some(event_loop.call_soon(callback).unwrap())
                })
                .collect();
            for index in order {
                let handle = handles[*index].take().unwrap();
                if cancels && index % 2 == 1 {
                    handle.cancel();
                }
            }
            assert_eq!((settle(&event_loop), drops.count()), (1, 4));
            let expected: &[&str] = if cancels { &["0", "2"] } else { &["0", "1", "2", "3"] };
            assert_eq!(trace.take(), expected);
        });
    }
}

/// Runs what it was given when the locals of its thread are destroyed.
#[derive(Default)]
struct AtThreadEnd(RefCell<Vec<Box<dyn FnOnce()>>>);

impl Drop for AtThreadEnd {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(|code| code());
    }
}

thread_local! {
    /// Whichever way locals are destroyed, one of the two goes before those of the library, and one after.
    static MADE_BEFORE: AtThreadEnd = AtThreadEnd::default();
    static MADE_AFTER: AtThreadEnd = AtThreadEnd::default();
}

fn at_thread_end(early: bool, code: impl FnOnce() + 'static) {
    let push = |end: &AtThreadEnd| end.0.borrow_mut().push(Box::new(code));
    if early { MADE_BEFORE.with(push) } else { MADE_AFTER.with(push) }
}

/// Case 39, RUST-03. A waker that is called while the locals of its thread are destroyed is harmless: it wakes a loop
/// of another thread, and does nothing where its own is gone.
#[test]
fn waker_called_while_thread_locals_are_destroyed() {
    watched(|| {
        // The loop runs on this thread, and the wakes come from the end of another, which has had a loop too.
        let event_loop = virtual_loop();
        let mut thread = None;
        let ended = Arc::new(AtomicUsize::new(0));
        event_loop.run_until_complete(poll_fn(|context| {
            thread.get_or_insert_with(|| {
                let (waker, ended) = (context.waker().clone(), ended.clone());
                thread::spawn(move || {
                    at_thread_end(true, || ());
                    handloop::run(yield_now());
                    for early in [true, false] {
                        let (by_ref, by_value, ended) = (waker.clone(), waker.clone(), ended.clone());
                        at_thread_end(early, move || {
                            by_ref.wake_by_ref();
                            ended.fetch_add(1, Ordering::SeqCst);
                            by_value.clone().wake();
                            by_value.wake();
                        });
                    }
                })
            });
            if ended.load(Ordering::SeqCst) == 2 { Poll::Ready(()) } else { Poll::Pending }
        }));
        thread.unwrap().join().unwrap();

        // The loop was of the thread that ends, and is gone; or it is a thread-local itself, and dies among them.
        for loop_dies in [None, Some(true), Some(false)] {
            let drops = Drops::new();
            let token = drops.token();
            let (send, receive) = channel();
            let ends = thread::spawn(move || {
                at_thread_end(true, || ());
                let (event_loop, alive) = observed_loop();
                let probe = Probe::new();
                let (future, seen) = (probe.future(), probe.clone());
                drop(event_loop.spawn(async move {
                    let _wakes_itself = OnDrop(move || seen.wakers.borrow().iter().for_each(Waker::wake_by_ref));
                    future.await;
                    drop(token);
                }));
                assert!(event_loop.run_once());
                let waker = probe.wakers.borrow()[0].clone();
                send.send((alive, waker.clone())).unwrap();
                let mut event_loop = Some(event_loop);
                for early in [true, false] {
                    let waker = waker.clone();
                    at_thread_end(early, move || {
                        waker.wake_by_ref();
                        waker.wake();
                    });
                    if loop_dies == Some(early) {
                        let dies = event_loop.take();
                        at_thread_end(early, move || drop(dies));
                    }
                    let waker = probe.wakers.borrow()[0].clone();
                    at_thread_end(early, move || waker.wake());
                }
            });
            ends.join().unwrap();
            assert_eq!(drops.count(), 1, "{loop_dies:?}");
            let (alive, waker) = receive.recv().unwrap();
            assert_eq!(alive.strong_count(), 1);
            waker.wake();
            assert_eq!(alive.strong_count(), 0, "{loop_dies:?}");
        }
    });
}
