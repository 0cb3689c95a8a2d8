//! Cancelling a task drops its future once, on its loop's thread, at the next turn, and nothing can refuse it.

mod common;

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use common::{Drops, Gate, OnDrop, Reports, Token, Trace, panic_of, panic_text, virtual_loop, watched};
use handloop::{
    BrokenPromise, Elapsed, EventLoop, JoinError, ResultError, RunError, Task, TaskState, create_future, gather,
    gather_settled, sleep, spawn, timeout, try_gather, yield_now,
};

const HOUR: Duration = Duration::from_secs(3600);

fn settle(event_loop: &EventLoop) {
    while event_loop.run_once() {}
}

/// Writes `event` when it is dropped.
fn on_drop(trace: &Trace, event: &'static str) -> OnDrop<impl FnMut() + use<>> {
    let trace = trace.clone();
    OnDrop(move || trace.add(event))
}

/// What became of a task that is over.
fn outcome<T>(task: &mut Task<T>) -> Result<T, String> {
    task.try_result().expect("the task is over").map_err(|error| error.to_string())
}

fn assert_cancelled(result: Result<(), ResultError>) {
    match result {
        Err(ResultError::Failed(error)) => assert!(error.is_cancelled()),
        other => panic!("cancelled was expected, not {other:?}"),
    }
}

/// CANC-01, CANC-19, case 66. A task that is cancelled before its first poll is never polled; what it captured is
/// dropped once, at the next turn.
#[test]
fn cancel_before_the_first_poll_drops_the_future_unpolled() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    let (captured, body) = (on_drop(&trace, "captured value dropped"), trace.clone());
    let mut task = event_loop.spawn(async move {
        let _captured = captured;
        let _finally = on_drop(&body, "finally");
        body.add("body");
    });
    assert!(task.cancel());
    assert!(!task.is_finished());
    assert_eq!(task.state(), TaskState::Ready);
    assert_eq!(trace.take(), [""; 0]);

    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["captured value dropped"]);
    assert!(task.is_finished());
    assert_eq!(task.state(), TaskState::Cancelled);
    assert_eq!(outcome(&mut task), Err("Task-1 was cancelled before it finished.".to_owned()));
    assert!(!event_loop.run_once());
    drop(event_loop);
    assert_eq!(trace.take(), [""; 0]);
}

/// CANC-02. A task that is cancelled while it sleeps drops its locals in reverse order, at the moment of the cancel
/// and not at that of its deadline; its joiner gets the cancellation, and a second cancel is refused.
#[test]
fn cancel_while_sleeping_drops_locals_in_reverse_and_tells_the_joiner() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let trace = Trace::new();
    let body = trace.clone();
    event_loop.run_until_complete(async {
        let mut task = spawn(async move {
            let _first = on_drop(&body, "first local dropped");
            let _second = on_drop(&body, "second local dropped");
            body.add("sleeps");
            sleep(HOUR).await;
            body.add("woke");
        });
        sleep(Duration::from_secs(1)).await;
        assert!(task.cancel());
        trace.add("cancel returned");
        let error = (&mut task).await.unwrap_err();
        assert!(error.is_cancelled());
        trace.add("joined");
        assert!(!task.cancel());
    });
    assert_eq!(trace.take(), ["sleeps", "cancel returned", "second local dropped", "first local dropped", "joined"]);
    assert_eq!(event_loop.time() - start, Duration::from_secs(1));
}

/// CANC-03, CANC-04. No code of the task runs after the await at which it was cancelled, whatever that code would
/// make of an error: there is none, and so nothing to swallow.
#[test]
fn cancelled_task_runs_no_code_after_its_await() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    let body = trace.clone();
    let mut task = event_loop.spawn(async move {
        let _finally = on_drop(&body, "finally");
        loop {
            body.add("awaits");
            let result = timeout(HOUR, pending::<()>()).await;
            body.add(format!("goes on with {result:?}"));
        }
    });
    settle(&event_loop);
    assert!(task.cancel());
    settle(&event_loop);
    assert_eq!(trace.take(), ["awaits", "finally"]);
    assert!(task.try_result().unwrap().unwrap_err().is_cancelled());
}

/// CANC-05. Several cancels in one turn are all accepted and are one delivery. Whatever the task does when it is
/// cancelled, its future is dropped once; neither the joiner, nor the handle, nor the loop's close drops it again.
#[test]
fn cancelled_future_is_dropped_once() {
    type Scene = (&'static str, fn(&EventLoop, Gate, Token) -> Task<()>);
    let scenes: [Scene; 6] = [
        ("before the first poll", |event_loop, gate, token| {
            event_loop.spawn(async move {
                let _token = token;
                gate.await;
            })
        }),
        ("waiting", |event_loop, gate, token| {
            let task = event_loop.spawn(async move {
                let _token = token;
                gate.await;
            });
            settle(event_loop);
            task
        }),
        ("woken and in the ready queue", |event_loop, gate, token| {
            let waiting = gate.clone();
            let task = event_loop.spawn(async move {
                let _token = token;
                waiting.await;
            });
            settle(event_loop);
            gate.waker().unwrap().wake();
            task
        }),
        ("sleeping", |event_loop, _, token| {
            let task = event_loop.spawn(async move {
                let _token = token;
                sleep(HOUR).await;
            });
            settle(event_loop);
            task
        }),
        ("waiting for a task of its own", |event_loop, gate, token| {
            let task = event_loop.spawn(async move {
                let _token = token;
                let inner = spawn(gate);
                inner.await.unwrap();
            });
            settle(event_loop);
            task
        }),
        ("with the future's own waker in it", |event_loop, _, token| {
            let own = RefCell::new(None);
            let task = event_loop.spawn(poll_fn(move |context| {
                let _token = &token;
                own.replace(Some(context.waker().clone()));
                Poll::<()>::Pending
            }));
            settle(event_loop);
            task
        }),
    ];
    for (name, scene) in scenes {
        for ends_by_close in [false, true] {
            let event_loop = virtual_loop();
            let drops = Drops::new();
            let mut task = scene(&event_loop, Gate::new(), drops.token());
            assert_eq!(drops.count(), 0, "{name}");
            assert!(task.cancel() && task.cancel(), "{name}");
            assert_eq!(drops.count(), 0, "{name}: not in the call");
            if ends_by_close {
                event_loop.close();
            } else {
                assert!(event_loop.run_once(), "{name}");
            }
            assert_eq!(drops.count(), 1, "{name}");
            assert!(!task.cancel(), "{name}");
            assert!(task.try_result().unwrap().unwrap_err().is_cancelled(), "{name}");
            drop(task);
            if !ends_by_close {
                settle(&event_loop);
            }
            drop(event_loop);
            assert_eq!(drops.count(), 1, "{name}");
        }
    }
}

/// CANC-06. The cleanup of a cancelled task is a destructor: a cancel from within it does not interrupt it, nor run it
/// again.
#[test]
fn cancel_from_the_destructor_interrupts_nothing() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    let handle: Rc<RefCell<Option<Task<()>>>> = Rc::default();
    let (cleanup, own) = (trace.clone(), handle.clone());
    *handle.borrow_mut() = Some(event_loop.spawn(async move {
        let _cleanup = OnDrop(move || {
            cleanup.add("cleanup begins");
            own.borrow().as_ref().unwrap().cancel();
            cleanup.add("cleanup ends");
        });
        pending::<()>().await;
    }));
    settle(&event_loop);
    assert!(handle.borrow().as_ref().unwrap().cancel());
    settle(&event_loop);
    assert_eq!(trace.take(), ["cleanup begins", "cleanup ends"]);
    let mut task = handle.take().unwrap();
    assert!(task.try_result().unwrap().unwrap_err().is_cancelled());
}

/// CANC-07. A timeout drops its own inner future and cancels nobody: the task around it goes on and finishes.
#[test]
fn timeout_drops_its_inner_future_and_leaves_the_task_uncancelled() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    let body = trace.clone();
    let result = event_loop.run_until_complete(async {
        spawn(async move {
            let inner = async {
                let _finally = on_drop(&body, "inner dropped");
                sleep(HOUR).await;
            };
            let late = timeout(Duration::from_secs(1), inner).await;
            body.add("after the timeout");
            yield_now().await;
            late
        })
        .await
    });
    assert_eq!(result.unwrap(), Err(Elapsed));
    assert_eq!(trace.take(), ["inner dropped", "after the timeout"]);
}

/// CANC-08. A cancelled task takes with it what it awaits inline; a task that it awaits is detached, and goes on.
#[test]
fn cancelled_task_takes_inline_futures_with_it_and_detaches_tasks() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    let (inner_gate, inline_gate) = (Gate::new(), Gate::new());
    let (inner, inline, body, inner_body) = (inner_gate.clone(), inline_gate.clone(), trace.clone(), trace.clone());
    let mut outer = event_loop.spawn(async move {
        let task = spawn(async move {
            let _finally = on_drop(&inner_body, "inner task dropped");
            inner.await;
            inner_body.add("inner task finished");
        });
        let mut task = pin!(task);
        let mut inline = pin!(async {
            let _finally = on_drop(&body, "inline future dropped");
            inline.await;
        });
        poll_fn(|context| match (inline.as_mut().poll(context), task.as_mut().poll(context)) {
            (Poll::Pending, Poll::Pending) => Poll::<()>::Pending,
            other => panic!("both wait, but: {other:?}"),
        })
        .await
    });
    settle(&event_loop);
    assert_eq!((inner_gate.polls(), inline_gate.polls()), (1, 1));
    assert!(outer.cancel());
    settle(&event_loop);
    assert_eq!(trace.take(), ["inline future dropped"]);
    assert!(outer.try_result().unwrap().unwrap_err().is_cancelled());
    inner_gate.open();
    settle(&event_loop);
    assert_eq!(trace.take(), ["inner task finished", "inner task dropped"]);
}

/// CANC-09. A promise that is dropped unset is a value for the task that waits for it; the task is not cancelled.
#[test]
fn dropped_promise_is_a_value_and_not_a_cancel() {
    let event_loop = virtual_loop();
    let (promise, future) = create_future::<u32>();
    let mut task = event_loop.spawn(future);
    settle(&event_loop);
    assert!(!task.is_finished());
    drop(promise);
    settle(&event_loop);
    assert_eq!(task.state(), TaskState::Finished);
    assert_eq!(outcome(&mut task), Ok(Err(BrokenPromise)));
}

/// A task that cancels itself, then does `rest`.
fn spawn_self_cancelling<T: 'static, F: Future<Output = T> + 'static>(
    event_loop: &EventLoop,
    rest: impl FnOnce() -> F + 'static,
) -> Rc<RefCell<Option<Task<T>>>> {
    let handle: Rc<RefCell<Option<Task<T>>>> = Rc::default();
    let own = handle.clone();
    let task = event_loop.spawn(async move {
        assert!(own.borrow().as_ref().unwrap().cancel());
        rest().await
    });
    *handle.borrow_mut() = Some(task);
    handle
}

/// CANC-10. A task that cancels itself runs to its next pending await, and is dropped there, in the same turn.
#[test]
fn self_cancel_runs_to_the_next_pending_await() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    let body = trace.clone();
    let handle = spawn_self_cancelling(&event_loop, move || async move {
        let _finally = on_drop(&body, "finally");
        std::future::ready(()).await;
        body.add("goes on past a ready await");
        yield_now().await;
        body.add("never");
    });
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["goes on past a ready await", "finally"]);
    assert!(handle.take().unwrap().try_result().unwrap().unwrap_err().is_cancelled());
    assert!(!event_loop.run_once());
}

/// CANC-10. A task that cancels itself and returns in the same poll has its value: a finished result is never thrown
/// away.
#[test]
fn self_cancel_then_ready_keeps_the_value() {
    let event_loop = virtual_loop();
    let handle = spawn_self_cancelling(&event_loop, || async { 12 });
    assert!(event_loop.run_once());
    let mut task = handle.take().unwrap();
    assert_eq!(task.state(), TaskState::Finished);
    assert_eq!(outcome(&mut task), Ok(12));
    assert!(!event_loop.run_once());
}

/// CANC-11, case 73. A panic of the future's destructor during a cancel is the task's own end: the joiner gets it in
/// the place of the cancellation, and it is not reported besides.
#[test]
fn destructor_that_panics_during_cancel_is_the_joiners_panic() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder().virtual_clock()).build();
    for is_polled in [false, true] {
        let bomb = OnDrop(|| panic!("in the destructor"));
        let mut task = event_loop.spawn(async move {
            let _bomb = bomb;
            pending::<()>().await;
        });
        if is_polled {
            settle(&event_loop);
        }
        assert!(task.cancel());
        settle(&event_loop);
        assert_eq!(task.state(), TaskState::Panicked);
        let error = task.try_result().unwrap().unwrap_err();
        assert!(error.is_panic() && !error.is_cancelled());
        assert_eq!(panic_text(&*error.into_panic()), "in the destructor");
        drop(task);
    }
    assert_eq!(reports.take(), [""; 0]);
}

/// CANC-11, case 73. If nobody joins the task, that panic is reported, and the loop goes on.
#[test]
fn destructor_that_panics_during_cancel_of_an_unjoined_task_is_reported() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder().virtual_clock()).build();
    let bomb = OnDrop(|| panic!("in the destructor"));
    let task = event_loop.spawn(async move {
        let _bomb = bomb;
        pending::<()>().await;
    });
    let at = task.spawned_at();
    settle(&event_loop);
    assert!(task.cancel());
    drop(task);
    assert_eq!(reports.take(), [""; 0]);
    settle(&event_loop);
    assert_eq!(reports.take(), [format!("Task-1 (from {at}) panicked, and nobody joined it: in the destructor")]);
    assert_eq!(event_loop.run_until_complete(async { spawn(async { 7 }).await.unwrap() }), 7);
}

/// CANC-12. Where the result of an inner future is set and the task is cancelled before its next poll, the cancel
/// wins, and the value is dropped with the future, once.
#[test]
fn cancel_between_result_and_poll_wins_and_drops_the_value() {
    let event_loop = virtual_loop();
    let (trace, drops) = (Trace::new(), Drops::new());
    let (promise, future) = create_future();
    let body = trace.clone();
    let mut task = event_loop.spawn(async move {
        let value = future.await;
        body.add(format!("got {value:?}"));
    });
    settle(&event_loop);
    promise.set_result(drops.token());
    assert!(task.cancel());
    assert_eq!(drops.count(), 0);
    settle(&event_loop);
    assert_eq!(drops.count(), 1);
    assert_eq!(trace.take(), [""; 0]);
    assert!(task.try_result().unwrap().unwrap_err().is_cancelled());
}

/// CANC-13. A cancelled task and one that panicked have one error type, which tells them apart; there is no payload
/// to take from a cancellation.
#[test]
fn join_error_tells_a_cancel_from_a_panic() {
    let event_loop = virtual_loop();
    let mut cancelled = event_loop.spawn(pending::<()>());
    let mut panicked = event_loop.spawn(async { panic!("boom") });
    cancelled.cancel();
    settle(&event_loop);

    let error: JoinError = cancelled.try_result().unwrap().unwrap_err();
    assert!(error.is_cancelled() && !error.is_panic());
    assert_eq!((error.id(), error.name()), (1, "Task-1"));
    assert_eq!(error.to_string(), "Task-1 was cancelled before it finished.");
    assert_eq!(format!("{error:?}"), "JoinError(Task-1 was cancelled before it finished.)");
    assert_eq!(panic_of(|| drop(error.into_panic())), "Task-1 did not panic, it was cancelled: ask is_panic() first");

    let error: JoinError = panicked.try_result().unwrap().unwrap_err();
    assert!(!error.is_cancelled() && error.is_panic());
    assert_eq!((error.id(), error.name()), (2, "Task-2"));
    assert_eq!(error.to_string(), "Task-2 panicked: boom");
    assert_eq!(panic_text(&*error.into_panic()), "boom");
}

/// CANC-15. A child that somebody else cancels is an error value for its parent; the parent is not cancelled.
#[test]
fn cancelled_child_does_not_cancel_its_parent() {
    let event_loop = virtual_loop();
    let child = event_loop.spawn(pending::<()>());
    let slot = Rc::new(RefCell::new(Some(child)));
    let shared = slot.clone();
    let mut parent = event_loop.spawn(async move {
        let error = poll_fn(|context| {
            let mut slot = shared.borrow_mut();
            pin!(slot.as_mut().unwrap()).poll(context)
        })
        .await
        .unwrap_err();
        yield_now().await;
        error.to_string()
    });
    settle(&event_loop);
    assert!(slot.borrow().as_ref().unwrap().cancel());
    settle(&event_loop);
    assert_eq!(parent.state(), TaskState::Finished);
    assert_eq!(outcome(&mut parent), Ok("Task-1 was cancelled before it finished.".to_owned()));
}

/// CANC-16, case 70. A cancel from another thread wakes the loop, which sleeps for an hour otherwise; the joiner
/// there learns of the cancellation.
#[test]
fn cancel_from_another_thread_wakes_the_loop() {
    watched(|| {
        let event_loop = EventLoop::new();
        let (sleeping, sleeps) = channel();
        let handle = event_loop.handle();
        let task = handle.submit(async move {
            sleeping.send(()).unwrap();
            sleep(HOUR).await;
        });
        let canceller = thread::spawn(move || {
            sleeps.recv().unwrap();
            assert!(task.cancel());
            assert_cancelled(task.result());
            assert!(task.is_finished());
            assert!(!task.cancel());
            handle.stop();
        });
        event_loop.run_forever();
        canceller.join().unwrap();
    });
}

/// CANC-17. A cancelled sleep leaves the heap of timers: a virtual clock has nothing left to jump to.
#[test]
fn cancel_of_a_sleep_cancels_its_timer() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let task = event_loop.spawn(sleep(HOUR));
    settle(&event_loop);
    task.cancel();
    drop(task);
    let error = event_loop.try_run_until_complete(pending::<()>()).unwrap_err();
    assert!(matches!(error, RunError::Stalled(_)));
    assert_eq!(event_loop.time(), start);
}

/// Case 67. A cancel after the end is refused, and the output is there to be taken, once.
#[test]
fn cancel_after_completion_leaves_the_output_to_the_joiner() {
    let event_loop = virtual_loop();
    let drops = Drops::new();
    let token = drops.token();
    let mut task = event_loop.spawn(async move { token });
    settle(&event_loop);
    assert!(!task.cancel());
    assert!(!event_loop.run_once());
    assert_eq!((task.state(), drops.count()), (TaskState::Finished, 0));
    let output = task.try_result().unwrap().unwrap();
    assert!(!task.cancel());
    drop(task);
    assert_eq!(drops.count(), 0);
    drop(output);
    assert_eq!(drops.count(), 1);
}

/// Case 67. The same where nobody takes the output: the handle drops it, once.
#[test]
fn cancel_after_completion_leaves_the_output_to_the_handles_drop() {
    let event_loop = virtual_loop();
    let drops = Drops::new();
    let token = drops.token();
    let task = event_loop.spawn(async move { token });
    settle(&event_loop);
    assert!(!task.cancel());
    assert_eq!(drops.count(), 0);
    drop(task);
    assert_eq!(drops.count(), 1);
    drop(event_loop);
    assert_eq!(drops.count(), 1);
}

/// Events with the thread on which each happened, as `here` or `elsewhere`.
#[derive(Clone)]
struct Places(thread::ThreadId, Arc<Mutex<Vec<String>>>);

impl Places {
    fn new() -> Self {
        Places(thread::current().id(), Arc::default())
    }

    fn add(&self, event: &str) {
        let place = if thread::current().id() == self.0 { "here" } else { "elsewhere" };
        self.1.lock().unwrap().push(format!("{event} {place}"));
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.1.lock().unwrap())
    }
}

/// Case 68, RCT-12. A cancel from another thread during the poll lets the poll finish; then the loop drops the future
/// on its own thread, and only after that is the task over.
#[test]
fn cancel_from_another_thread_during_a_poll_lets_the_poll_finish() {
    watched(|| {
        let event_loop = EventLoop::new();
        let (places, (entering, entered), (going, go)) = (Places::new(), channel(), channel());
        let (body, cleanup) = (places.clone(), places.clone());
        let task = event_loop.handle().submit(async move {
            let _finally = OnDrop(move || cleanup.add("dropped"));
            entering.send(()).unwrap();
            go.recv().unwrap();
            body.add("poll goes on");
            yield_now().await;
            body.add("never");
        });
        let canceller = {
            let places = places.clone();
            thread::spawn(move || {
                entered.recv().unwrap();
                assert!(task.cancel());
                assert!(!task.is_finished());
                places.add("cancelled");
                going.send(()).unwrap();
                assert_cancelled(task.result());
                places.add("joined");
            })
        };
        assert!(event_loop.run_once());
        canceller.join().unwrap();
        assert_eq!(places.take(), ["cancelled elsewhere", "poll goes on here", "dropped here", "joined elsewhere"]);
        assert!(!event_loop.run_once());
    });
}

/// Case 68. A cancel from another thread during the poll that ends the task comes too late: the value counts.
#[test]
fn cancel_from_another_thread_during_the_last_poll_keeps_the_value() {
    watched(|| {
        let event_loop = EventLoop::new();
        let ((entering, entered), (going, go)) = (channel(), channel());
        let task = event_loop.handle().submit(async move {
            entering.send(()).unwrap();
            go.recv().unwrap();
            12
        });
        let canceller = thread::spawn(move || {
            entered.recv().unwrap();
            assert!(task.cancel());
            going.send(()).unwrap();
            task.result()
        });
        assert!(event_loop.run_once());
        assert_eq!(canceller.join().unwrap().unwrap(), 12);
    });
}

/// Case 69. Wake and cancel from another thread during the poll, in either order: the task is not polled again, and
/// is dropped once.
#[test]
fn wake_and_cancel_during_a_poll_in_either_order_poll_no_more() {
    for wakes_first in [true, false] {
        watched(move || {
            let event_loop = EventLoop::new();
            let ((entering, entered), (going, go)) = (channel::<Waker>(), channel());
            let (polls, drops) = (Arc::new(Mutex::new(0)), Drops::new());
            let (counted, token) = (polls.clone(), drops.token());
            let task = event_loop.handle().submit(poll_fn(move |context| {
                let _token = &token;
                *counted.lock().unwrap() += 1;
                entering.send(context.waker().clone()).unwrap();
                go.recv().unwrap();
                Poll::<()>::Pending
            }));
            let other = thread::spawn(move || {
                let waker = entered.recv().unwrap();
                if wakes_first {
                    waker.wake_by_ref();
                    assert!(task.cancel());
                } else {
                    assert!(task.cancel());
                    waker.wake();
                }
                going.send(()).unwrap();
                assert_cancelled(task.result());
            });
            assert!(event_loop.run_once());
            other.join().unwrap();
            assert_eq!((*polls.lock().unwrap(), drops.count()), (1, 1));
            assert!(!event_loop.run_once());
            assert!(!event_loop.run_once());
            drop(event_loop);
            assert_eq!((*polls.lock().unwrap(), drops.count()), (1, 1));
        });
    }
}

/// Case 69. The same on the loop's own thread: a task that wakes and cancels itself in one poll, in either order.
#[test]
fn wake_and_cancel_by_the_task_itself_in_either_order_poll_no_more() {
    for wakes_first in [true, false] {
        let event_loop = virtual_loop();
        let (polls, drops) = (Rc::new(Cell::new(0)), Drops::new());
        let handle: Rc<RefCell<Option<Task<()>>>> = Rc::default();
        let (counted, token, own) = (polls.clone(), drops.token(), handle.clone());
        *handle.borrow_mut() = Some(event_loop.spawn(poll_fn(move |context| {
            let _token = &token;
            counted.set(counted.get() + 1);
            let cancel = || assert!(own.borrow().as_ref().unwrap().cancel());
            if wakes_first {
                context.waker().wake_by_ref();
                cancel();
            } else {
                cancel();
                context.waker().wake_by_ref();
            }
            Poll::Pending
        })));
        assert!(event_loop.run_once());
        assert_eq!((polls.get(), drops.count()), (1, 1));
        assert!(!event_loop.run_once());
        assert_eq!((polls.get(), drops.count()), (1, 1));
    }
}

/// Case 70. A sleeping task that is cancelled and joined from another thread is cancelled, without a panic anywhere;
/// so is one that sleeps on the clock of the process.
#[test]
fn sleeping_task_is_cancelled_and_joined_from_another_thread() {
    watched(|| {
        let made_outside = sleep(HOUR);
        let event_loop = EventLoop::new();
        let (sleeping, sleeps) = channel();
        let handle = event_loop.handle();
        let also = sleeping.clone();
        let tasks = [
            handle.submit(async move {
                let hour = sleep(HOUR);
                sleeping.send(()).unwrap();
                hour.await;
            }),
            handle.submit(async move {
                also.send(()).unwrap();
                made_outside.await;
            }),
        ];
        let canceller = thread::spawn(move || {
            for _ in 0..2 {
                sleeps.recv().unwrap();
            }
            for task in tasks {
                assert!(task.cancel());
                assert_cancelled(task.result());
            }
            handle.stop();
        });
        event_loop.run_forever();
        canceller.join().unwrap();
    });
}

/// Case 73. A destructor that panics during a cancel from another thread: the joiner there gets the panic, or it is
/// reported if there is none, and the loop goes on.
#[test]
fn destructor_that_panics_during_a_cancel_from_another_thread_is_contained() {
    for is_joined in [true, false] {
        watched(move || {
            let reports = Reports::new();
            let event_loop = reports.collect(EventLoop::builder()).build();
            let handle = event_loop.handle();
            let (waiting, waits) = channel();
            let task = handle.submit(async move {
                let _bomb = OnDrop(|| panic!("in the destructor"));
                waiting.send(()).unwrap();
                pending::<()>().await;
            });
            let canceller = thread::spawn(move || {
                waits.recv().unwrap();
                assert!(task.cancel());
                if is_joined {
                    match task.result() {
                        Err(ResultError::Failed(error)) => {
                            assert_eq!(error.to_string(), "Task-1 panicked: in the destructor");
                        }
                        other => panic!("a panic was expected, not {other:?}"),
                    }
                }
                drop(task);
                assert_eq!(handle.submit(async { 7 }).result().unwrap(), 7);
                handle.stop();
            });
            event_loop.run_forever();
            canceller.join().unwrap();
            let reports = reports.take();
            if is_joined {
                assert_eq!(reports, [""; 0]);
            } else {
                assert_eq!(reports.len(), 1);
                assert!(reports[0].starts_with("Task-1 (from "), "{reports:?}");
                assert!(reports[0].ends_with(") panicked, and nobody joined it: in the destructor"), "{reports:?}");
            }
        });
    }
}

/// Case 75. A gather that is dropped while it waits cancels all its tasks, whichever of the three it is.
#[test]
fn dropped_gather_cancels_all_its_tasks() {
    type Kind = (&'static str, fn(Vec<Task<Result<(), ()>>>) -> Box<dyn Future<Output = ()>>);
    let kinds: [Kind; 3] = [
        ("gather", |tasks| Box::new(async { drop(gather(tasks).await) })),
        ("gather_settled", |tasks| Box::new(async { drop(gather_settled(tasks).await) })),
        ("try_gather", |tasks| Box::new(async { drop(try_gather(tasks).await) })),
    ];
    for (name, kind) in kinds {
        let event_loop = virtual_loop();
        let drops = Drops::new();
        let tasks = (0..3).map(|_| {
            let token = drops.token();
            event_loop.spawn(async move {
                let _token = token;
                pending().await
            })
        });
        let mut gathered = Box::into_pin(kind(tasks.collect()));
        settle(&event_loop);
        assert!(gathered.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(gathered);
        assert_eq!(drops.count(), 0, "{name}");
        assert!(event_loop.run_once());
        assert_eq!(drops.count(), 3, "{name}");
    }
}

/// Case 75. A gather itself, dropped before its first poll, cancels its tasks too; the output of one
/// that is over is dropped once.
#[test]
fn dropped_unpolled_gather_cancels_its_tasks_and_drops_outputs_once() {
    let event_loop = virtual_loop();
    let (futures, outputs) = (Drops::new(), Drops::new());
    let spawn_one = |gate: Gate| {
        let (future, output) = (futures.token(), outputs.token());
        event_loop.spawn(async move {
            let _future = future;
            gate.await;
            output
        })
    };
    let open = Gate::new();
    open.open();
    let tasks = [spawn_one(open), spawn_one(Gate::new()), spawn_one(Gate::new())];
    settle(&event_loop);
    assert_eq!((futures.count(), outputs.count()), (1, 0));
    drop(gather(tasks));
    assert_eq!((futures.count(), outputs.count()), (1, 1));
    settle(&event_loop);
    assert_eq!((futures.count(), outputs.count()), (3, 3));
}

/// Case 76. A task whose future was dropped, by a cancel or by the loop's end, before or after somebody began to
/// wait, is an error to join, and never pends for ever.
#[test]
fn join_of_a_task_that_was_dropped_errs() {
    for ends_by_close in [false, true] {
        for waits_before in [false, true] {
            let event_loop = virtual_loop();
            let mut task = event_loop.spawn(pending::<()>());
            let (counter, waker) = common::CountingWaker::new();
            let mut context = Context::from_waker(&waker);
            if waits_before {
                assert!(pin!(&mut task).poll(&mut context).is_pending());
            }
            if ends_by_close {
                event_loop.close();
            } else {
                task.cancel();
                event_loop.run_once();
            }
            assert_eq!(counter.wakes(), usize::from(waits_before));
            match pin!(&mut task).poll(&mut context) {
                Poll::Ready(Err(error)) => assert!(error.is_cancelled()),
                other => panic!("cancelled was expected, not {other:?}"),
            }
        }
    }
}

/// Case 76. The same across threads: the loop ends before it ever took the task over.
#[test]
fn join_of_a_submitted_task_whose_loop_ended_errs() {
    watched(|| {
        let event_loop = EventLoop::new();
        let drops = Drops::new();
        let token = drops.token();
        let task = event_loop.handle().submit(async move { drop(token) });
        let joiner = thread::spawn(move || assert_cancelled(task.result()));
        drop(event_loop);
        joiner.join().unwrap();
        assert_eq!(drops.count(), 1);
    });
}

/// Cancelling one task touches no other: its neighbours in the queue run in their order, once each.
#[test]
fn cancel_leaves_the_neighbours_in_the_queue_alone() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    let tasks: Vec<Task<()>> = (1..=5)
        .map(|n| {
            let trace = trace.clone();
            event_loop.spawn(async move { trace.add(format!("task {n}")) })
        })
        .collect();
    tasks[1].cancel();
    tasks[3].cancel();
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["task 1", "task 3", "task 5"]);
    let states: Vec<TaskState> = tasks.iter().map(Task::state).collect();
    use TaskState::{Cancelled, Finished};
    assert_eq!(states, [Finished, Cancelled, Finished, Cancelled, Finished]);
}
