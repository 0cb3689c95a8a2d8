//! The life of an event loop: what runs in which turn, what a run leaves behind, and how a loop ends.

mod common;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use common::{Drops, Gate, OnDrop, Reports, Trace, panic_of, virtual_loop, watched};
use handloop::{
    BrokenPromise, EventLoop, LoopHandle, RunError, StallReport, TaskState, call_soon, create_future, current_task,
    run_in_executor, sleep, spawn, yield_now,
};

const STOPPED: &str = "The event loop was stopped before its future completed.";
const CLOSED: &str = "the event loop is closed: make a new one to run anything";
const ALREADY: &str = "this event loop is already running: await the future, or spawn it";
const ANOTHER: &str =
    "another event loop is running on this thread: await the future there, or run this loop in another thread";
const NOT_WHILE_RUNNING: &str = "a running event loop cannot be closed: stop it, and close it after its run";

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn stall_of(result: Result<(), RunError>) -> StallReport {
    match result {
        Err(RunError::Stalled(report)) => report,
        other => panic!("this must stall: {other:?}"),
    }
}

/// Wakes itself at every poll, for ever, and counts the polls.
async fn spin(polls: Rc<Cell<usize>>) {
    poll_fn::<(), _>(move |context| {
        polls.set(polls.get() + 1);
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

// Life cycle.

/// LOOP-01. A new loop neither runs nor is closed; it runs only during a run, and is closed only after `close`.
#[test]
fn new_loop_is_neither_running_nor_closed() {
    let event_loop = EventLoop::new();
    let states = |event_loop: &EventLoop| (event_loop.is_running(), event_loop.is_closed());
    assert_eq!(states(&event_loop), (false, false));
    assert_eq!(event_loop.run_until_complete(async { states(&event_loop) }), (true, false));
    assert_eq!(states(&event_loop), (false, false));
    event_loop.close();
    assert_eq!(states(&event_loop), (false, true));
}

/// LOOP-01. A new loop has no tasks, and nothing to run.
#[test]
fn new_loop_has_no_tasks() {
    let event_loop = EventLoop::new();
    assert_eq!(event_loop.all_tasks(), []);
    assert!(!event_loop.run_once());
}

/// LOOP-02. The run returns the output of its future, an `Err` among them as it is.
#[test]
fn run_returns_the_output_of_its_future() {
    let event_loop = EventLoop::new();
    assert_eq!(event_loop.run_until_complete(async { 42 }), 42);
    assert_eq!(event_loop.run_until_complete(async { Err::<(), _>("no") }), Err("no"));
    assert_eq!(event_loop.try_run_until_complete(async { Err::<(), _>("no") }), Ok(Err("no")));
}

/// LOOP-02, LOOP-13, case 7. A panic of the root future leaves the run with its own payload, and the loop and the
/// thread can run again; tasks that were waiting go on.
#[test]
fn panic_of_the_root_leaves_the_run_and_the_loop_runs_again() {
    watched(|| {
        let event_loop = virtual_loop();
        let task = event_loop.spawn(async {
            sleep(seconds(1)).await;
            "went on"
        });
        let payload = catch_unwind(AssertUnwindSafe(|| {
            event_loop.run_until_complete(async {
                yield_now().await;
                panic_any(42_u32);
            })
        }))
        .unwrap_err();
        assert_eq!(payload.downcast_ref::<u32>(), Some(&42));
        assert_eq!((event_loop.is_running(), event_loop.is_closed()), (false, false));
        assert!(LoopHandle::current().is_none());
        assert_eq!(event_loop.run_until_complete(task).unwrap(), "went on");
        assert_eq!(EventLoop::new().run_until_complete(async { 1 }), 1);
    });
}

/// LOOP-13. A panic of the root leaves the rest of its turn to the next run.
#[test]
fn panic_of_the_root_leaves_the_rest_of_the_turn_to_the_next_run() {
    let event_loop = EventLoop::new();
    let trace = Trace::new();
    let inner = trace.clone();
    let panic = panic_of(|| {
        event_loop.run_until_complete(async {
            call_soon(move || inner.add("callback")).unwrap();
            panic!("root");
        })
    });
    assert_eq!(panic, "root");
    assert_eq!(trace.take(), [""; 0]);
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["callback"]);
}

/// LOOP-03, LOOP-16, case 13. A run ends with its future; the tasks that are not done stay, and go on in the next run.
#[test]
fn unfinished_tasks_go_on_in_the_next_run() {
    watched(|| {
        let event_loop = virtual_loop();
        let start = event_loop.time();
        let trace = Trace::new();
        let inner = trace.clone();
        let task = event_loop.spawn(async move {
            for n in 1..=3 {
                sleep(seconds(2)).await;
                inner.add(format!("tick {n}"));
            }
        });
        event_loop.run_until_complete(sleep(seconds(3)));
        assert_eq!(trace.take(), ["tick 1"]);
        event_loop.run_until_complete(async { sleep(seconds(0)).await });
        assert_eq!(task.state(), TaskState::Waiting);
        assert_eq!(event_loop.time() - start, seconds(3));
        event_loop.run_until_complete(task).unwrap();
        assert_eq!(trace.take(), ["tick 2", "tick 3"]);
        assert_eq!(event_loop.time() - start, seconds(6));
    });
}

/// LOOP-03. A sleep whose deadline passed before the next run is over at its first poll there: no time passes.
#[test]
fn overdue_sleep_is_over_at_once_in_the_next_run() {
    watched(|| {
        let event_loop = virtual_loop();
        let [overdue] = event_loop.run_until_complete(async {
            let overdue = sleep(seconds(1));
            sleep(seconds(5)).await;
            [overdue]
        });
        let before = event_loop.time();
        let polls = event_loop.run_until_complete(async {
            overdue.await;
            current_task().unwrap().polls
        });
        assert_eq!((polls, event_loop.time() - before), (1, Duration::ZERO));
    });
}

/// LOOP-03. The real clock goes on between two runs: what became due meanwhile fires in the next.
#[test]
fn real_time_goes_on_between_two_runs() {
    watched(|| {
        let event_loop = EventLoop::new();
        let start = event_loop.time();
        let task = event_loop.spawn(sleep(Duration::from_millis(4)));
        event_loop.run_until_complete(yield_now());
        thread::sleep(Duration::from_millis(5)); // longer than the sleep, so that it is overdue
        event_loop.run_until_complete(task).unwrap();
        assert!(event_loop.time() - start >= Duration::from_millis(5));
    });
}

/// LOOP-04, case 5. A loop run inside its own run panics, whichever way, and goes on undamaged.
#[test]
fn running_loop_cannot_be_run_again() {
    watched(|| {
        let event_loop = EventLoop::new();
        let answer = event_loop.run_until_complete(async {
            assert_eq!(panic_of(|| event_loop.run_until_complete(async {})), ALREADY);
            assert_eq!(panic_of(|| drop(event_loop.try_run_until_complete(async {}))), ALREADY);
            assert_eq!(panic_of(|| event_loop.run_forever()), ALREADY);
            assert_eq!(panic_of(|| _ = event_loop.run_once()), ALREADY);
            assert!(event_loop.is_running());
            spawn(async { "still runs" }).await.unwrap()
        });
        assert_eq!(answer, "still runs");
    });
}

/// LOOP-04, RUN-02, case 5. Another loop cannot be run inside a run on the same thread, and is not damaged by the try.
#[test]
fn another_loop_cannot_be_run_inside_a_run() {
    watched(|| {
        let (outer, inner) = (EventLoop::new(), EventLoop::new());
        outer.run_until_complete(async {
            assert_eq!(panic_of(|| inner.run_until_complete(async {})), ANOTHER);
            assert_eq!(panic_of(|| inner.run_forever()), ANOTHER);
            assert_eq!(panic_of(|| _ = inner.run_once()), ANOTHER);
            assert_eq!(panic_of(|| handloop::run(async {})), ANOTHER);
            assert!(outer.is_running());
            assert!(!inner.is_running());
            spawn(async {}).await.unwrap();
        });
        assert_eq!(inner.run_until_complete(async { spawn(async { 1 }).await.unwrap() }), 1);
    });
}

/// LOOP-04. After a run inside a run was refused, and after every kind of end of a run, no loop is current.
#[test]
fn no_loop_is_current_after_any_end_of_a_run() {
    watched(|| {
        let event_loop = virtual_loop();
        event_loop.run_until_complete(async { panic_of(|| event_loop.run_until_complete(async {})) });
        assert!(LoopHandle::current().is_none());
        assert!(event_loop.try_run_until_complete(pending::<()>()).is_err());
        assert!(LoopHandle::current().is_none());
        event_loop.stop();
        event_loop.run_forever();
        assert!(LoopHandle::current().is_none());
        event_loop.run_once();
        assert!(LoopHandle::current().is_none());
        panic_of(|| event_loop.run_until_complete(async { panic!("root") }));
        assert!(LoopHandle::current().is_none());
        event_loop.close();
        assert!(LoopHandle::current().is_none());
    });
}

/// LOOP-05. A stop before the future is done ends the run with an error; given by reference, it completes later.
#[test]
fn stop_before_the_future_is_done_is_an_error_and_a_later_run_completes_it() {
    watched(|| {
        let event_loop = virtual_loop();
        let mut future = pin!(async {
            sleep(seconds(1)).await;
            event_loop.stop();
            sleep(seconds(1)).await;
            "done"
        });
        assert_eq!(event_loop.try_run_until_complete(future.as_mut()), Err(RunError::Stopped));
        assert_eq!(event_loop.run_until_complete(future.as_mut()), "done");
    });
}

/// LOOP-05. A task given as `&mut task` to a run that is stopped goes on, and a later run returns its result.
#[test]
fn task_given_by_reference_to_a_stopped_run_goes_on() {
    watched(|| {
        let event_loop = virtual_loop();
        let mut task = event_loop.spawn(async {
            sleep(seconds(2)).await;
            "done"
        });
        event_loop.stop();
        assert_eq!(event_loop.try_run_until_complete(&mut task).unwrap_err(), RunError::Stopped);
        assert!(!task.is_finished());
        assert_eq!(event_loop.run_until_complete(&mut task).unwrap(), "done");
    });
}

/// LOOP-05. `run_until_complete` panics where it was stopped, with the text of the error.
#[test]
fn stopped_run_until_complete_panics_with_the_text_of_the_error() {
    let event_loop = EventLoop::new();
    let panic = panic_of(|| {
        event_loop.run_until_complete(async {
            event_loop.stop();
            pending::<()>().await;
        })
    });
    assert_eq!(panic, STOPPED);
    assert_eq!(RunError::Stopped.to_string(), STOPPED);
}

/// LOOP-03, LOOP-05. A root future given by value is dropped when its run ends without it, once, in the context of
/// its loop: its destructor may spawn, and that task runs in the next run.
#[test]
fn root_given_by_value_is_dropped_when_its_run_is_stopped() {
    let event_loop = EventLoop::new();
    let drops = Drops::new();
    let trace = Trace::new();
    let token = drops.token();
    let inner = trace.clone();
    let result = event_loop.try_run_until_complete(async {
        let _token = token;
        let _spawns = OnDrop(|| {
            inner.add("root dropped");
            let inner = inner.clone();
            drop(spawn(async move { inner.add("spawned by the destructor") }));
        });
        event_loop.stop();
        pending::<()>().await;
    });
    assert_eq!(result, Err(RunError::Stopped));
    assert_eq!(drops.count(), 1);
    assert_eq!(trace.take(), ["root dropped"]);
    event_loop.run_once();
    assert_eq!(trace.take(), ["spawned by the destructor"]);
}

/// LOOP-05. A future that is done in the turn in which somebody stops the loop gives its output.
#[test]
fn stop_in_the_turn_in_which_the_future_is_done_gives_the_output() {
    let event_loop = EventLoop::new();
    let result = event_loop.try_run_until_complete(async {
        event_loop.stop();
        7
    });
    assert_eq!(result, Ok(7));
}

/// Counts the turns that it sees: a callback that calls itself again in each turn.
fn count_turns(count: Rc<Cell<usize>>) {
    count.set(count.get() + 1);
    call_soon(move || count_turns(count)).unwrap();
}

/// LOOP-06. A loop that was stopped before runs exactly one turn of `run_forever`, and of `run_until_complete`.
#[test]
fn stop_before_the_run_allows_exactly_one_turn() {
    watched(|| {
        let event_loop = EventLoop::new();
        let turns = Rc::new(Cell::new(0));
        let inner = turns.clone();
        event_loop.call_soon(move || count_turns(inner)).unwrap();
        event_loop.stop();
        event_loop.run_forever();
        assert_eq!(turns.get(), 1);
        event_loop.stop();
        event_loop.stop();
        event_loop.run_forever();
        assert_eq!(turns.get(), 2);
        event_loop.stop();
        assert_eq!(event_loop.try_run_until_complete(pending::<()>()), Err(RunError::Stopped));
        assert_eq!(turns.get(), 3);
        event_loop.handle().stop();
        event_loop.run_forever();
        assert_eq!(turns.get(), 4);
    });
}

/// LOOP-06. A loop that was stopped before, and has nothing to do, returns at once and reports no stall.
#[test]
fn stop_before_the_run_of_an_empty_loop_returns_at_once() {
    watched(|| {
        let reports = Reports::new();
        let event_loop = reports.collect(EventLoop::builder()).build();
        event_loop.stop();
        event_loop.run_forever();
        assert_eq!(reports.take(), [""; 0]);
    });
}

/// LOOP-07. A stop inside a callback lets the rest of its turn run; what is scheduled meanwhile waits for the next run.
#[test]
fn stop_inside_a_callback_ends_the_run_after_its_turn() {
    watched(|| {
        let event_loop = Rc::new(EventLoop::new());
        let trace = Trace::new();
        let add = |event: &'static str| {
            let trace = trace.clone();
            move || trace.add(event)
        };
        let (stopping, later) = (event_loop.clone(), add("scheduled meanwhile"));
        let first = add("first");
        event_loop
            .call_soon(move || {
                first();
                stopping.stop();
                call_soon(later).unwrap();
            })
            .unwrap();
        event_loop.call_soon(add("second")).unwrap();
        event_loop.run_forever();
        assert_eq!(trace.take(), ["first", "second"]);
        event_loop.stop();
        event_loop.run_forever();
        assert_eq!(trace.take(), ["scheduled meanwhile"]);
    });
}

/// LOOP-08. A running loop cannot be closed, and nothing is closed by the try.
#[test]
fn close_of_a_running_loop_panics_and_closes_nothing() {
    watched(|| {
        let event_loop = virtual_loop();
        let task = event_loop.spawn(async {
            sleep(seconds(1)).await;
            "finished"
        });
        let result = event_loop.run_until_complete(async {
            yield_now().await;
            assert_eq!(panic_of(|| event_loop.close()), NOT_WHILE_RUNNING);
            assert!(!event_loop.is_closed());
            spawn(async {}).await.unwrap();
            task.await.unwrap()
        });
        assert_eq!(result, "finished");
    });
}

/// LOOP-09. A closed loop cannot be run, in whichever way.
#[test]
fn closed_loop_cannot_be_run() {
    let event_loop = EventLoop::new();
    event_loop.close();
    assert_eq!(panic_of(|| event_loop.run_until_complete(async {})), CLOSED);
    assert_eq!(panic_of(|| drop(event_loop.try_run_until_complete(async {}))), CLOSED);
    assert_eq!(panic_of(|| event_loop.run_forever()), CLOSED);
    assert_eq!(panic_of(|| _ = event_loop.run_once()), CLOSED);
}

/// LOOP-09. A closed loop gives callbacks back, which can still be called.
#[test]
fn closed_loop_gives_callbacks_back() {
    let event_loop = virtual_loop();
    let handle = event_loop.handle();
    event_loop.close();
    let trace = Trace::new();
    let add = |event: &'static str| {
        let trace = trace.clone();
        move || trace.add(event)
    };
    (event_loop.call_soon(add("soon")).unwrap_err().0)();
    (event_loop.call_later(seconds(1), add("later")).unwrap_err().0)();
    (event_loop.call_at(event_loop.time(), add("at")).unwrap_err().0)();
    assert_eq!(trace.take(), ["soon", "later", "at"]);
    let drops = Drops::new();
    let token = drops.token();
    let error = handle.call_soon_threadsafe(move || drop(token)).unwrap_err();
    assert_eq!(drops.count(), 0);
    (error.0)();
    assert_eq!(drops.count(), 1);
    let error = event_loop.call_soon(|| ()).unwrap_err();
    assert_eq!(error.to_string(), "The event loop is closed: schedule callbacks before you close it.");
    assert_eq!(format!("{error:?}"), "LoopClosed { .. }");
}

/// LOOP-09, case 29. On a closed loop a spawned and a submitted task are cancelled at once, never polled, and their
/// futures dropped.
#[test]
fn task_of_a_closed_loop_is_cancelled_at_once() {
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    event_loop.close();
    let drops = Drops::new();
    let (first, second) = (drops.token(), drops.token());
    let mut task = event_loop.spawn(async move {
        let _first = first;
        unreachable!("never polled");
    });
    assert_eq!(drops.count(), 1);
    assert_eq!(task.state(), TaskState::Cancelled);
    assert!(task.try_result().unwrap().unwrap_err().is_cancelled());
    let remote = handle.submit(async move {
        let _second = second;
        unreachable!("never polled");
    });
    assert_eq!(drops.count(), 2);
    assert_eq!(remote.result().unwrap_err().to_string(), "Task-0 was cancelled before it finished.");
}

/// LOOP-09. A job that a destructor starts while its loop closes is never run, and is cancelled.
#[test]
fn job_of_a_closing_loop_is_cancelled() {
    watched(|| {
        let event_loop = EventLoop::new();
        let job = Rc::new(RefCell::new(None));
        let kept = job.clone();
        drop(event_loop.spawn(async move {
            let _starts = OnDrop(move || *kept.borrow_mut() = Some(run_in_executor(|| unreachable!("never run"))));
            pending::<()>().await;
        }));
        event_loop.run_once();
        event_loop.close();
        let job = job.take().unwrap();
        let error = EventLoop::new().run_until_complete(job).unwrap_err();
        assert!(error.is_cancelled());
    });
}

/// LOOP-09. To close again does nothing; `stop`, `time` and `create_future` still work.
#[test]
fn closed_loop_can_be_closed_stopped_and_asked_for_the_time() {
    let event_loop = virtual_loop();
    let drops = Drops::new();
    let token = drops.token();
    event_loop.call_soon(move || drop(token)).unwrap();
    let before = event_loop.time();
    event_loop.close();
    assert_eq!(drops.count(), 1);
    event_loop.close();
    event_loop.stop();
    assert_eq!(event_loop.time(), before);
    assert_eq!(event_loop.handle().time(), before);
    assert_eq!(event_loop.all_tasks(), []);
    let (promise, mut future) = create_future();
    promise.set_result(1);
    assert_eq!(future.try_result(), Some(Ok(1)));
    drop(event_loop);
    assert_eq!(drops.count(), 1);
}

/// LOOP-10. Close drops the ready callbacks and the timers without running them, before it returns.
#[test]
fn close_drops_callbacks_and_timers_without_running_them() {
    let event_loop = virtual_loop();
    let drops = Drops::new();
    let callback = || {
        let token = drops.token();
        move || unreachable!("never run: {token:?}")
    };
    let soon = event_loop.call_soon(callback()).unwrap();
    let later = event_loop.call_later(seconds(1), callback()).unwrap();
    let at = event_loop.call_at(event_loop.time(), callback()).unwrap();
    event_loop.handle().call_soon_threadsafe(callback()).unwrap();
    assert_eq!(drops.count(), 0);
    event_loop.close();
    assert_eq!(drops.count(), 4);
    assert_eq!((soon.cancelled(), later.cancelled(), at.cancelled()), (true, true, true));
}

/// LOOP-10. The same with a real clock and its timer thread.
#[test]
fn drop_of_a_loop_with_a_real_clock_drops_its_callbacks() {
    watched(|| {
        let event_loop = EventLoop::new();
        let drops = Drops::new();
        let (first, second) = (drops.token(), drops.token());
        event_loop.call_later(seconds(3600), move || drop(first)).unwrap();
        event_loop.call_soon(move || drop(second)).unwrap();
        drop(event_loop);
        assert_eq!(drops.count(), 2);
    });
}

/// LOOP-11, TASK-10. A task of another loop can be awaited: finished, its result is there at the first poll.
#[test]
fn finished_task_of_another_loop_gives_its_result() {
    let (mine, other) = (EventLoop::new(), EventLoop::new());
    let task = other.spawn(async { "from the other loop" });
    other.run_once();
    assert_eq!(mine.run_until_complete(task).unwrap(), "from the other loop");
}

/// LOOP-11, TASK-10. The end of a task of another loop wakes the one who waits for it in this loop.
#[test]
fn close_of_another_loop_wakes_the_awaiter_of_its_task() {
    watched(|| {
        let (mine, other) = (EventLoop::new(), EventLoop::new());
        let task = other.spawn(pending::<()>());
        let error = mine.run_until_complete(async {
            call_soon(move || drop(other)).unwrap();
            task.await.unwrap_err()
        });
        assert_eq!(error.to_string(), "Task-1 was cancelled before it finished.");
    });
}

/// LOOP-12. A callback that panics is reported; the rest of its turn runs, and the loop lives.
#[test]
fn panic_of_a_callback_is_reported_and_the_rest_of_the_turn_runs() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder()).build();
    let trace = Trace::new();
    let (before, after, third) = (trace.clone(), trace.clone(), trace.clone());
    event_loop.call_soon(move || before.add("before")).unwrap();
    let line = line!() + 1;
    event_loop.call_soon(|| panic!("callback")).unwrap();
    event_loop.call_soon(move || after.add("after")).unwrap();
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["before", "after"]);
    let place = format!("{}:{line}:16", file!());
    assert_eq!(reports.take(), [format!("a callback (from {place}) panicked, and nobody joined it: callback")]);
    event_loop.call_soon(move || third.add("third")).unwrap();
    event_loop.run_once();
    assert_eq!(trace.take(), ["third"]);
    assert_eq!(reports.take(), [""; 0]);
}

/// LOOP-14. A run of a future that is done already still has one turn: what was scheduled before runs first.
#[test]
fn run_of_a_ready_future_runs_what_was_scheduled_before() {
    let event_loop = EventLoop::new();
    let trace = Trace::new();
    let (callback, task, sent) = (trace.clone(), trace.clone(), Arc::new(AtomicBool::new(false)));
    let sent_flag = sent.clone();
    event_loop.handle().call_soon_threadsafe(move || sent_flag.store(true, Ordering::SeqCst)).unwrap();
    event_loop.call_soon(move || callback.add("callback")).unwrap();
    drop(event_loop.spawn(async move { task.add("task") }));
    let root = trace.clone();
    event_loop.run_until_complete(poll_fn(|_| {
        root.add("root");
        Poll::Ready(())
    }));
    assert_eq!(trace.take(), ["callback", "task", "root"]);
    assert!(sent.load(Ordering::SeqCst), "the turn is finished");
}

/// LOOP-15. The current loop is that of the running task or callback, and there is none outside a run.
#[test]
fn current_loop_is_the_running_one() {
    watched(|| {
        let event_loop = EventLoop::builder().name("this one").build();
        let current = || format!("{:?}", LoopHandle::current());
        let this_one = "Some(LoopHandle { name: \"this one\", .. })";
        assert_eq!(current(), "None");
        let seen = Rc::new(RefCell::new(String::new()));
        let inner = seen.clone();
        event_loop.call_soon(move || *inner.borrow_mut() = format!("{:?}", LoopHandle::current())).unwrap();
        assert_eq!(event_loop.run_until_complete(async { current() }), this_one);
        assert_eq!(*seen.borrow(), this_one);
        assert_eq!(event_loop.run_until_complete(async { spawn(async move { current() }).await.unwrap() }), this_one);
        assert_eq!(current(), "None");
    });
}

/// LOOP-15. Another thread has no current loop while this one runs.
#[test]
fn another_thread_has_no_current_loop() {
    let answer = handloop::run(async { thread::spawn(|| LoopHandle::current().is_none()).join().unwrap() });
    assert!(answer);
}

/// LOOP-16. The end of a run cancels nothing.
#[test]
fn end_of_a_run_cancels_nothing() {
    let event_loop = EventLoop::new();
    let drops = Drops::new();
    let token = drops.token();
    let task = event_loop.spawn(async move {
        let _token = token;
        pending::<()>().await;
    });
    event_loop.run_until_complete(yield_now());
    assert_eq!((task.state(), drops.count()), (TaskState::Waiting, 0));
    assert_eq!(event_loop.all_tasks().len(), 1);
    drop(event_loop);
    assert_eq!((task.state(), drops.count()), (TaskState::Cancelled, 1));
}

/// LOOP-18. A run that a panic ended leaves no stop behind, neither its own nor one of the old future.
#[test]
fn run_that_panicked_leaves_no_stop_behind() {
    watched(|| {
        let event_loop = virtual_loop();
        let handle = event_loop.handle();
        let panic = panic_of(|| {
            event_loop.run_until_complete(async {
                event_loop.stop();
                handle.stop();
                panic!("root");
            })
        });
        assert_eq!(panic, "root");
        let result = event_loop.try_run_until_complete(async {
            sleep(seconds(1)).await;
            yield_now().await;
            "not stopped"
        });
        assert_eq!(result, Ok("not stopped"));
    });
}

/// LOOP-18. A waker of the root of an earlier run wakes nothing in a later one, and ends no run.
#[test]
fn waker_of_an_earlier_root_does_nothing_in_a_later_run() {
    watched(|| {
        let event_loop = virtual_loop();
        let old = Gate::new();
        let panic = panic_of(|| {
            let old = old.clone();
            event_loop.run_until_complete(async {
                let mut old = pin!(old);
                poll_fn(|context| {
                    assert!(old.as_mut().poll(context).is_pending());
                    Poll::Ready(())
                })
                .await;
                panic!("root");
            })
        });
        assert_eq!(panic, "root");
        let new = Gate::new();
        let opens = new.clone();
        let late = old.clone();
        event_loop.run_until_complete(async {
            call_soon(move || late.open()).unwrap();
            let task = spawn(async move {
                sleep(seconds(1)).await;
                opens.open();
            });
            new.clone().await;
            task.await.unwrap();
        });
        assert_eq!((old.polls(), new.polls()), (1, 2));
    });
}

/// LOOP-20. A loop that was stopped runs again, and the stop is not seen twice.
#[test]
fn stopped_loop_runs_again() {
    watched(|| {
        let event_loop = Rc::new(virtual_loop());
        let trace = Trace::new();
        for n in 1..=3 {
            let (stopping, trace) = (event_loop.clone(), trace.clone());
            event_loop
                .call_later(seconds(n), move || {
                    trace.add(format!("stop {n}"));
                    stopping.stop();
                })
                .unwrap();
        }
        let start = event_loop.time();
        for n in 1..=3 {
            event_loop.run_forever();
            assert_eq!(trace.take(), [format!("stop {n}")]);
            assert_eq!(event_loop.time() - start, seconds(n));
        }
    });
}

/// LOOP-20. A stop in a run that ends by itself is not meant for the next run.
#[test]
fn stop_in_the_last_turn_of_a_run_is_not_kept_for_the_next() {
    watched(|| {
        let event_loop = virtual_loop();
        let handle = event_loop.handle();
        event_loop.run_until_complete(async {
            event_loop.stop();
            handle.stop();
        });
        event_loop.run_until_complete(async { sleep(seconds(1)).await });
    });
}

// The root future.

/// Case 1. A future that is ready gives its value at its one poll.
#[test]
fn ready_root_is_polled_once() {
    watched(|| {
        let polls = Cell::new(0);
        let value = EventLoop::new().run_until_complete(poll_fn(|_| {
            polls.set(polls.get() + 1);
            Poll::Ready(42)
        }));
        assert_eq!((value, polls.get()), (42, 1));
        assert_eq!(handloop::run(ready("at once")), "at once");
    });
}

/// Case 2, case 9. A wake from another thread unblocks the run, and the root is polled exactly twice.
#[test]
fn wake_from_another_thread_unblocks_the_run() {
    watched(|| {
        let (sender, receiver) = channel::<Waker>();
        let done = Arc::new(AtomicBool::new(false));
        let flag = done.clone();
        let thread = thread::spawn(move || {
            let waker = receiver.recv().unwrap();
            flag.store(true, Ordering::SeqCst);
            waker.wake();
        });
        let mut polls = 0;
        EventLoop::new().run_until_complete(poll_fn(|context| {
            polls += 1;
            if polls == 1 {
                sender.send(context.waker().clone()).unwrap();
                return Poll::Pending;
            }
            assert!(done.load(Ordering::SeqCst));
            Poll::Ready(())
        }));
        assert_eq!(polls, 2);
        thread.join().unwrap();
    });
}

/// A channel without a limit, for one receiver.
struct Channel<T> {
    state: Mutex<(VecDeque<T>, Option<Waker>)>,
}

impl<T> Channel<T> {
    fn new() -> Arc<Self> {
        Arc::new(Channel { state: Mutex::new((VecDeque::new(), None)) })
    }

    fn send(&self, message: T) {
        let waker = {
            let mut state = self.state.lock().unwrap();
            state.0.push_back(message);
            state.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    async fn receive(&self) -> T {
        poll_fn(|context| {
            let mut state = self.state.lock().unwrap();
            match state.0.pop_front() {
                Some(message) => Poll::Ready(message),
                None => {
                    state.1 = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

/// Case 3. 100 000 messages go through three loops on three threads, and none is lost or out of order.
#[test]
fn messages_through_three_loops_are_not_lost() {
    const MESSAGES: u32 = 100_000;
    watched(|| {
        let (first, second) = (Channel::new(), Channel::new());
        let (into, from, out) = (first.clone(), first, second.clone());
        let producer = thread::spawn(move || {
            handloop::run(async {
                for message in 0..MESSAGES {
                    into.send(message);
                    if message % 64 == 0 {
                        yield_now().await;
                    }
                }
            })
        });
        let relay = thread::spawn(move || {
            handloop::run(async {
                for _ in 0..MESSAGES {
                    out.send(from.receive().await);
                }
            })
        });
        let received = handloop::run(async {
            let mut received = Vec::new();
            for _ in 0..MESSAGES {
                received.push(second.receive().await);
            }
            received
        });
        producer.join().unwrap();
        relay.join().unwrap();
        assert!(received.into_iter().eq(0..MESSAGES));
    });
}

/// Case 4. A future that parks and is unparked inside its poll does not swallow the wake that came before.
#[test]
fn park_inside_a_poll_does_not_swallow_a_wake() {
    for from_outside in [false, true] {
        watched(move || {
            let mut polls = 0;
            EventLoop::new().run_until_complete(poll_fn(|context| {
                polls += 1;
                if polls == 2 {
                    return Poll::Ready(());
                }
                let waker = context.waker().clone();
                if from_outside {
                    thread::spawn(move || waker.wake()).join().unwrap();
                } else {
                    waker.wake();
                }
                let unparked = Arc::new(AtomicBool::new(false));
                let (flag, parked) = (unparked.clone(), thread::current());
                let thread = thread::spawn(move || {
                    flag.store(true, Ordering::SeqCst);
                    parked.unpark();
                });
                while !unparked.load(Ordering::SeqCst) {
                    thread::park();
                }
                thread.join().unwrap();
                Poll::Pending
            }));
            assert_eq!(polls, 2);
        });
    }
}

/// Case 4. A token of `unpark` that nobody took does not end the loop's wait: no poll without a wake.
#[test]
fn stale_unpark_token_causes_no_poll() {
    watched(|| {
        let (sender, receiver) = channel::<Waker>();
        let thread = thread::spawn(move || receiver.recv().unwrap().wake());
        let mut polls = 0;
        EventLoop::new().run_until_complete(poll_fn(|context| {
            polls += 1;
            if polls == 2 {
                return Poll::Ready(());
            }
            thread::current().unpark();
            sender.send(context.waker().clone()).unwrap();
            Poll::Pending
        }));
        assert_eq!(polls, 2);
        thread.join().unwrap();
    });
}

/// Case 6. A loop that is built inside a run works after that run.
#[test]
fn loop_built_inside_a_run_works_afterwards() {
    watched(|| {
        let (inner, task) = handloop::run(async {
            let inner = virtual_loop();
            let task = inner.spawn(async {
                sleep(seconds(1)).await;
                "ran"
            });
            (inner, task)
        });
        assert_eq!(inner.run_until_complete(task).unwrap(), "ran");
    });
}

/// Case 6. A loop that is built and dropped inside a run leaves that run's loop the current one.
#[test]
fn loop_dropped_inside_a_run_leaves_the_current_loop() {
    watched(|| {
        let event_loop = EventLoop::builder().name("outer").build();
        event_loop.run_until_complete(async {
            let inner = EventLoop::new();
            drop(inner.spawn(async {}));
            drop(inner);
            assert_eq!(format!("{:?}", LoopHandle::current()), "Some(LoopHandle { name: \"outer\", .. })");
            spawn(async {}).await.unwrap();
        });
    });
}

/// Case 8, SOON-05. The root completes although a task wakes itself for ever.
#[test]
fn root_completes_although_a_task_wakes_itself_for_ever() {
    watched(|| {
        let event_loop = EventLoop::new();
        let polls = Rc::new(Cell::new(0));
        let task = event_loop.spawn(spin(polls.clone()));
        event_loop.run_until_complete(async {
            for _ in 0..10 {
                yield_now().await;
            }
        });
        assert_eq!(polls.get(), 11);
        assert!(!task.is_finished());
    });
}

/// Case 9. The root is polled when it is woken and not otherwise, however many turns there are.
#[test]
fn root_is_polled_only_when_it_is_woken() {
    watched(|| {
        let event_loop = virtual_loop();
        let (gate, opens) = (Gate::new(), Gate::new());
        opens.open();
        let root = gate.clone();
        drop(event_loop.spawn(async move {
            for _ in 0..20 {
                yield_now().await;
            }
            sleep(seconds(1)).await;
            gate.open();
        }));
        event_loop.run_until_complete(root.clone());
        assert_eq!(root.polls(), 2);
        event_loop.run_until_complete(opens.clone());
        assert_eq!(opens.polls(), 1);
    });
}

/// Case 10. A root that registered its waker and was pending exactly once is woken by another thread.
#[test]
fn registered_waker_is_woken_by_another_thread() {
    watched(|| {
        let place = Arc::new(Mutex::new(None::<Waker>));
        let registered = Arc::new(Barrier::new(2));
        let (there, barrier) = (place.clone(), registered.clone());
        let thread = thread::spawn(move || {
            barrier.wait();
            let waker = there.lock().unwrap().take().unwrap();
            waker.wake();
        });
        let mut polls = 0;
        handloop::run(poll_fn(|context| {
            polls += 1;
            if polls == 2 {
                return Poll::Ready(());
            }
            *place.lock().unwrap() = Some(context.waker().clone());
            registered.wait();
            Poll::Pending
        }));
        assert_eq!(polls, 2);
        thread.join().unwrap();
    });
}

/// Case 11. The root may borrow from its caller's stack, and so may its result.
#[test]
fn root_and_its_result_borrow_from_the_caller() {
    let text = String::from("one two");
    let mut count = 0;
    let word: &str = handloop::run(async {
        count += 1;
        yield_now().await;
        count += 1;
        text.split(' ').next().unwrap()
    });
    assert_eq!((word, count), ("one", 2));
}

// Spawn and run.

/// Case 12. A spawned task does not run until its loop does.
#[test]
fn spawned_task_does_not_run_before_its_loop() {
    let event_loop = EventLoop::new();
    let polls = Rc::new(Cell::new(0));
    let task = event_loop.spawn(spin(polls.clone()));
    assert_eq!((polls.get(), task.state()), (0, TaskState::Ready));
    assert!(event_loop.run_once());
    assert_eq!((polls.get(), task.state()), (1, TaskState::Ready));
}

/// Case 13. A run returns with its root, although a task is pending.
#[test]
fn run_returns_with_its_root_although_a_task_is_pending() {
    watched(|| {
        let event_loop = EventLoop::new();
        let task = event_loop.spawn(pending::<()>());
        assert_eq!(event_loop.run_until_complete(async { 1 }), 1);
        assert!(!task.is_finished());
    });
}

/// Case 14. A run drives the tasks that its root waits for.
#[test]
fn run_drives_spawned_tasks() {
    watched(|| {
        let event_loop = EventLoop::new();
        let (promise, future) = create_future();
        drop(event_loop.spawn(async move {
            yield_now().await;
            promise.set_result(5);
        }));
        assert_eq!(event_loop.run_until_complete(future), Ok(5));
    });
}

/// Case 15, case 18. `run_once` of an empty loop returns false at once, again and again.
#[test]
fn run_once_of_an_empty_loop_returns_false() {
    watched(|| {
        for event_loop in [EventLoop::new(), virtual_loop()] {
            for _ in 0..3 {
                assert!(!event_loop.run_once());
            }
        }
    });
}

/// Case 16. A task spawned by a task runs in the same run, in the next turn.
#[test]
fn task_spawned_by_a_task_runs_in_the_same_run() {
    let event_loop = EventLoop::new();
    let trace = Trace::new();
    let (outer, root) = (trace.clone(), trace.clone());
    drop(event_loop.spawn(async move {
        outer.add("outer");
        let inner = outer.clone();
        drop(spawn(async move { inner.add("inner") }));
    }));
    event_loop.run_until_complete(async {
        root.add("root 1");
        yield_now().await;
        root.add("root 2");
    });
    assert_eq!(trace.take(), ["outer", "root 1", "inner", "root 2"]);
}

/// Case 19. `run_once` completes the ready one among the pending ones.
#[test]
fn run_once_completes_the_ready_among_the_pending() {
    let event_loop = EventLoop::new();
    let first = event_loop.spawn(pending::<()>());
    let ready = event_loop.spawn(async { 1 });
    let last = event_loop.spawn(pending::<()>());
    assert!(event_loop.run_once());
    assert_eq!((first.is_finished(), ready.is_finished(), last.is_finished()), (false, true, false));
    assert!(!event_loop.run_once());
}

/// Case 20. `run_once` is false where nothing is ready, and works again after a wake.
#[test]
fn run_once_works_again_after_a_wake() {
    let event_loop = EventLoop::new();
    let gate = Gate::new();
    let task = event_loop.spawn(gate.clone());
    assert!(event_loop.run_once());
    assert!(!event_loop.run_once());
    gate.open();
    assert!(!task.is_finished());
    assert!(event_loop.run_once());
    assert!(task.is_finished());
    assert!(!event_loop.run_once());
    assert_eq!(gate.polls(), 2);
}

/// Case 21. `run_once` until nothing is ready runs the tasks that tasks spawn.
#[test]
fn run_once_until_nothing_is_ready_runs_what_tasks_spawn() {
    let event_loop = EventLoop::new();
    let trace = Trace::new();
    fn descend(depth: u32, trace: Trace) {
        trace.add(format!("depth {depth}"));
        if depth < 3 {
            drop(spawn(async move { descend(depth + 1, trace) }));
        }
    }
    let inner = trace.clone();
    drop(event_loop.spawn(async move { descend(1, inner) }));
    let mut turns = 0;
    while event_loop.run_once() {
        turns += 1;
    }
    assert_eq!(turns, 3);
    assert_eq!(trace.take(), ["depth 1", "depth 2", "depth 3"]);
}

/// Case 22. `run_once` goes on over tasks that wake themselves: one poll a turn, until they are done.
#[test]
fn run_once_goes_on_over_tasks_that_wake_themselves() {
    let event_loop = EventLoop::new();
    let task = event_loop.spawn(async {
        for _ in 0..10 {
            yield_now().await;
        }
    });
    let mut turns = 0;
    while event_loop.run_once() {
        turns += 1;
    }
    assert_eq!(turns, 11);
    assert!(task.is_finished());
}

/// Case 23. `run_once` runs all that is ready, skips the pending, and can be resumed any number of times.
#[test]
fn run_once_runs_all_that_is_ready_and_can_be_resumed() {
    let event_loop = EventLoop::new();
    let trace = Trace::new();
    let gates: Vec<Gate> = (0..4).map(|_| Gate::new()).collect();
    for (n, gate) in gates.iter().enumerate() {
        let (gate, trace) = (gate.clone(), trace.clone());
        drop(event_loop.spawn(async move {
            gate.await;
            trace.add(format!("task {n}"));
        }));
    }
    gates[1].open();
    gates[2].open();
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["task 1", "task 2"]);
    assert!(!event_loop.run_once());
    gates[3].open();
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["task 3"]);
    gates[0].open();
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["task 0"]);
    assert!(!event_loop.run_once());
    assert_eq!(gates.iter().map(Gate::polls).collect::<Vec<_>>(), [2, 1, 1, 2]);
}

/// Case 24. A chain of tasks, each of which spawns and awaits the next, returns the value.
#[test]
fn chain_of_spawned_tasks_returns_the_value() {
    fn chain(depth: u32) -> Pin<Box<dyn Future<Output = u32>>> {
        Box::pin(async move {
            match depth {
                0 => 1000,
                _ => spawn(chain(depth - 1)).await.unwrap() + 1,
            }
        })
    }
    watched(|| assert_eq!(handloop::run(chain(100)), 1100));
}

/// Case 28. Two loops on one thread do not run each other's tasks, nor take each other's wakes.
#[test]
fn two_loops_on_one_thread_do_not_run_each_others_tasks() {
    let (one, two) = (EventLoop::new(), EventLoop::new());
    let (gate_one, gate_two) = (Gate::new(), Gate::new());
    let (task_one, task_two) = (one.spawn(gate_one.clone()), two.spawn(gate_two.clone()));
    assert!(one.run_once());
    assert_eq!((gate_one.polls(), gate_two.polls()), (1, 0));
    assert!(two.run_once());
    assert_eq!((gate_one.polls(), gate_two.polls()), (1, 1));
    // A wake in the run of the other loop.
    let (opens_two, opens_one) = (gate_two.clone(), gate_one.clone());
    one.run_until_complete(async { opens_two.open() });
    assert!(!one.run_once());
    assert_eq!((task_one.is_finished(), task_two.is_finished()), (false, false));
    assert!(two.run_once());
    assert!(task_two.is_finished());
    two.run_until_complete(async { opens_one.open() });
    assert_eq!(gate_one.polls(), 1);
    assert!(one.run_once());
    assert!(task_one.is_finished());
}

// What a run may meet besides.

/// LOOP-16, TASK-11. After the root is done it is no longer among the unfinished tasks of its turn.
#[test]
fn done_root_is_not_among_the_tasks_of_its_turn() {
    let event_loop = EventLoop::new();
    let names = Arc::new(Mutex::new(None));
    let seen = names.clone();
    let handle = event_loop.handle();
    handle
        .call_soon_threadsafe(move || {
            let tasks = handloop::all_tasks().into_iter().map(|task| task.name).collect::<Vec<_>>();
            *seen.lock().unwrap() = Some(tasks);
        })
        .unwrap();
    event_loop.run_until_complete(async {});
    assert_eq!(names.lock().unwrap().take(), Some(vec![]));
}

/// LOOP-05. A run that stalls is an error that names the root, and the loop can be run again.
#[test]
fn stalled_run_is_an_error_and_the_loop_runs_again() {
    watched(|| {
        let event_loop = EventLoop::new();
        let report = stall_of(event_loop.try_run_until_complete(pending()));
        assert_eq!(report.tasks.len(), 1);
        assert_eq!((report.tasks[0].task.name.as_str(), report.tasks[0].task.polls), ("Task-1", 1));
        assert_eq!(event_loop.all_tasks(), [], "the root is over with its run");
        let (promise, future) = create_future::<()>();
        drop(promise);
        assert_eq!(event_loop.run_until_complete(future), Err(BrokenPromise));
    });
}

/// LOOP-02. A payload that went through a run is the caller's own, and can be resumed again.
#[test]
fn payload_of_the_root_can_be_resumed() {
    struct Own(Drops);
    let drops = Drops::new();
    let outer = catch_unwind(AssertUnwindSafe(|| {
        let payload = catch_unwind(AssertUnwindSafe(|| {
            let own = Own(drops.clone());
            EventLoop::new().run_until_complete(async { panic_any(own) })
        }));
        resume_unwind(payload.unwrap_err());
    }));
    assert!(outer.unwrap_err().downcast::<Own>().is_ok_and(|own| own.0.count() == 0));
}

/// LOOP-03. The destructor of a root that is dropped with its stopped run still finds its loop current, and the one
/// of a root that panicked likewise.
#[test]
fn destructor_of_a_root_finds_its_loop_current() {
    let event_loop = EventLoop::builder().name("mine").build();
    let trace = Trace::new();
    let see = || OnDrop(|| trace.add(format!("{:?}", LoopHandle::current())));
    let result = event_loop.try_run_until_complete(async {
        let _see = see();
        event_loop.stop();
        pending::<()>().await;
    });
    assert_eq!(result, Err(RunError::Stopped));
    let panic = panic_of(|| {
        event_loop.run_until_complete(async {
            let _see = see();
            panic!("root");
        })
    });
    assert_eq!(panic, "root");
    assert_eq!(trace.take(), ["Some(LoopHandle { name: \"mine\", .. })"; 2]);
}

/// TIME-14. Time on the loop's own clock never goes back from one run to the next.
#[test]
fn real_time_of_a_loop_never_goes_back_between_runs() {
    let event_loop = EventLoop::new();
    let before = Instant::now();
    let mut last = event_loop.time();
    assert!(last >= before);
    for _ in 0..100 {
        let now = event_loop.run_until_complete(async { handloop::time() });
        assert!(now >= last);
        last = now;
    }
}

/// LOOP-10. The drop of a loop that never ran drops its tasks unpolled.
#[test]
fn drop_of_a_loop_that_never_ran_drops_its_tasks_unpolled() {
    let drops = Drops::new();
    let token = drops.token();
    struct Never(#[allow(dead_code)] common::Token);
    impl Future for Never {
        type Output = ();
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            unreachable!("never polled")
        }
    }
    let event_loop = EventLoop::new();
    let task = event_loop.spawn(Never(token));
    drop(event_loop);
    assert_eq!((drops.count(), task.state()), (1, TaskState::Cancelled));
}
