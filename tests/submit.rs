//! Proves what a submission from another thread gives: its result, waited for in every way, its cancel, its errors.

mod common;

use std::cell::Cell;
use std::error::Error;
use std::future::{Future, pending};
use std::marker::PhantomPinned;
use std::panic::{Location, panic_any};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use common::{CountingWaker, Drops, Log, OnDrop, Reports, Trace, block_on, panic_of, start, virtual_loop, watched};
use handloop::{
    EventLoop, LoopHandle, RemoteTask, ResultError, RunError, create_future, gather, run_in_executor, sleep, spawn,
    time, yield_now,
};

const TAKEN: &str = "this task has given its result already: keep it from the first time";
const OWN_THREAD: &str =
    "result() on the loop's own thread would wait for ever, since the loop could not go on: await the task.";
const TIMEOUT: &str = "The task is still running: ask again, or cancel it.";

fn poll_once<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Runs every turn that has something to do.
fn settle(event_loop: &EventLoop) {
    while event_loop.run_once() {}
}

/// RCT-01. Two tasks of 6 and of 4 seconds, submitted by the main thread, run together: 4 ends first, 6 ends last, and
/// all of it takes 6 seconds, not 10.
#[test]
fn six_and_four_seconds_take_six_seconds() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder().virtual_clock());
        let log = Log::default();
        let hold = handle.hold_clock();
        let start = handle.time();
        let tasks = [6, 4].map(|seconds| {
            let log = log.clone();
            handle.submit(async move {
                log.add(format!("waiting {seconds} at {:?}", time() - start));
                sleep(Duration::from_secs(seconds)).await;
                log.add(format!("done {seconds} at {:?}", time() - start));
                seconds
            })
        });
        // Nothing has begun when both are submitted.
        assert_eq!(log.take(), [""; 0]);
        assert_eq!(handle.time(), start);
        drop(hold);
        assert_eq!(tasks.map(|task| task.result().unwrap()), [6, 4]);
        assert_eq!(handle.time() - start, Duration::from_secs(6));
        assert_eq!(log.take(), ["waiting 6 at 0ns", "waiting 4 at 0ns", "done 4 at 4s", "done 6 at 6s"]);
        handle.stop();
        thread.join().unwrap();
    });
}

/// RCT-01. The same in real time: each ends no earlier than its own sleep.
#[test]
fn six_and_four_milliseconds_of_real_time_end_no_earlier() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        let start = Instant::now();
        let tasks = [6, 4].map(|milliseconds| {
            handle.submit(async move {
                sleep(Duration::from_millis(milliseconds)).await;
                Instant::now()
            })
        });
        let [six, four] = tasks.map(|task| task.result().unwrap() - start);
        assert!(six >= Duration::from_millis(6), "{six:?}");
        assert!(four >= Duration::from_millis(4), "{four:?}");
        handle.stop();
        thread.join().unwrap();
    });
}

/// RCT-01. Blocking callbacks of the same length run one after the other.
#[test]
fn blocking_callbacks_are_serial_in_real_time() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        let log = Log::default();
        let (sender, receiver) = channel();
        let start = Instant::now();
        for milliseconds in [6, 4] {
            let (log, sender) = (log.clone(), sender.clone());
            let callback = move || {
                log.add(format!("waiting {milliseconds}"));
                thread::sleep(Duration::from_millis(milliseconds));
                log.add(format!("done {milliseconds}"));
                sender.send(()).unwrap();
            };
            handle.call_soon_threadsafe(callback).unwrap();
        }
        receiver.iter().take(2).for_each(drop);
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(10), "{took:?}");
        assert_eq!(log.take(), ["waiting 6", "done 6", "waiting 4", "done 4"]);
        handle.stop();
        thread.join().unwrap();
    });
}

/// RCT-02. `result_timeout` that comes too early says so; the task goes on, and a later `result` has its value.
#[test]
fn result_after_a_timeout_still_comes() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        let (promise, future) = create_future();
        let task = handle.submit(future);
        for _ in 0..3 {
            let error = task.result_timeout(Duration::ZERO).unwrap_err();
            assert!(matches!(error, ResultError::Timeout));
            assert_eq!(error.to_string(), TIMEOUT);
            assert_eq!(format!("{error:?}"), "Timeout");
            assert!(error.source().is_none());
            assert!(!task.is_finished());
        }
        promise.set_result(7);
        assert_eq!(task.result().unwrap(), Ok(7));
        handle.stop();
        thread.join().unwrap();
    });
}

/// RCT-02. The timeout is not early, and one that cannot be expressed never comes.
#[test]
fn result_timeout_waits_its_real_time() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        let (promise, future) = create_future();
        let task = handle.submit(future);
        let start = Instant::now();
        assert!(matches!(task.result_timeout(Duration::from_millis(5)), Err(ResultError::Timeout)));
        assert!(start.elapsed() >= Duration::from_millis(5));
        let setter = thread::spawn(move || promise.set_result(7));
        assert_eq!(task.result_timeout(Duration::MAX).unwrap(), Ok(7));
        setter.join().unwrap();
        handle.stop();
        thread.join().unwrap();
    });
}

/// RCT-02. A result that is there wins over a limit of zero.
#[test]
fn result_that_is_there_needs_no_time() {
    let event_loop = EventLoop::new();
    let task = event_loop.handle().submit(async { 7 });
    settle(&event_loop);
    assert!(task.is_finished());
    assert_eq!(task.result_timeout(Duration::ZERO).unwrap(), 7);
}

/// RCT-03. A panic arrives in the submitting thread with the payload that it was given, and its text.
#[test]
fn panic_arrives_with_its_own_payload() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        let payload = Arc::new(7);
        let thrown = payload.clone();
        let error = handle.submit(async move { panic_any(thrown) }).result().unwrap_err();
        assert_eq!(error.to_string(), "Task-1 panicked: (a payload that is not text)");
        let ResultError::Failed(error) = error else { panic!("{error}") };
        assert!(error.is_panic() && !error.is_cancelled());
        let arrived = error.into_panic().downcast::<Arc<i32>>().unwrap();
        assert!(Arc::ptr_eq(&arrived, &payload));

        let error = handle.submit(async { panic!("number {}", 2) }).result().unwrap_err();
        assert_eq!(error.to_string(), "Task-2 panicked: number 2");
        assert_eq!(format!("{error:?}"), "Failed(JoinError(Task-2 panicked: number 2))");
        let ResultError::Failed(error) = error else { panic!("{error}") };
        assert_eq!((error.id(), error.name()), (2, "Task-2"));
        handle.stop();
        thread.join().unwrap();
    });
}

/// RCT-03. An error that the task returns is its output, as it is.
#[test]
fn error_that_a_task_returns_is_its_output() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        let parsed = handle.submit(async { "x".parse::<i32>() }).result().unwrap();
        assert_eq!(parsed, "x".parse::<i32>());
        handle.stop();
        thread.join().unwrap();
    });
}

/// RCT-04. Cancel from another thread wakes the loop, which drops the future on its own thread.
#[test]
fn cancel_wakes_the_loop_and_drops_the_future_there() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        for number in 1..=100 {
            let (polled, is_polled) = channel();
            let (dropped, dropped_on) = channel();
            let on_drop = OnDrop(move || dropped.send(thread::current().id()).unwrap());
            let task = handle.submit(async move {
                let _on_drop = on_drop;
                polled.send(()).unwrap();
                pending::<()>().await;
            });
            is_polled.recv().unwrap();
            assert!(!task.is_finished());
            assert!(task.cancel());
            let error = task.result().unwrap_err();
            assert_eq!(dropped_on.try_recv(), Ok(thread.thread().id()));
            assert_eq!(error.to_string(), format!("Task-{number} was cancelled before it finished."));
            let ResultError::Failed(error) = error else { panic!("{error}") };
            assert!(error.is_cancelled() && !error.is_panic());
        }
        handle.stop();
        thread.join().unwrap();
    });
}

/// RCT-04. Cancelled from another thread while its last poll runs, a task that is ready then keeps its output; one that
/// is pending is dropped without another poll.
#[test]
fn cancel_during_a_poll_lets_it_end() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        for is_ready in [true, false] {
            let (in_poll, is_in_poll) = channel();
            let (release, released) = channel();
            let task = handle.submit(std::future::poll_fn(move |_| {
                in_poll.send(()).unwrap();
                released.recv().unwrap();
                if is_ready { Poll::Ready(7) } else { Poll::Pending }
            }));
            is_in_poll.recv().unwrap();
            assert!(task.cancel());
            release.send(()).unwrap();
            match task.result() {
                Ok(output) => assert_eq!((output, is_ready), (7, true)),
                Err(error) => {
                    assert_eq!(error.to_string(), "Task-2 was cancelled before it finished.");
                    assert!(!is_ready);
                }
            }
            // One poll, and its future is gone.
            assert!(is_in_poll.recv().is_err());
        }
        handle.stop();
        thread.join().unwrap();
    });
}

/// RCT-05. A task that is cancelled on the loop's thread is cancelled for the thread that waits.
#[test]
fn cancel_on_the_loops_side_reaches_the_waiting_thread() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        let task = handle.submit(pending::<()>());
        let (sender, receiver) = channel();
        let cancel = move || {
            assert!(task.cancel());
            assert!(!task.is_finished());
            sender.send(task).unwrap();
        };
        handle.call_soon_threadsafe(cancel).unwrap();
        let error = receiver.recv().unwrap().result().unwrap_err();
        assert_eq!(error.to_string(), "Task-1 was cancelled before it finished.");
        handle.stop();
        thread.join().unwrap();
    });
}

/// RCT-06. A closed loop drops the future at once, on the thread that submits it; the task is cancelled already.
#[test]
fn closed_loop_refuses_the_future_at_once() {
    watched(|| {
        let event_loop = EventLoop::new();
        let handle = event_loop.handle();
        event_loop.close();
        let submitter = thread::spawn(move || {
            let (sender, receiver) = channel();
            let on_drop = OnDrop(move || sender.send(thread::current().id()).unwrap());
            let task = handle.submit(async move {
                let _on_drop = on_drop;
                unreachable!("a closed loop polls nothing");
            });
            assert_eq!(receiver.try_recv(), Ok(thread::current().id()));
            assert!(task.is_finished());
            assert!(!task.cancel());
            let error: ResultError = task.result().unwrap_err();
            assert_eq!(error.to_string(), "Task-0 was cancelled before it finished.");
            let ResultError::Failed(error) = error else { panic!("{error}") };
            assert_eq!((error.id(), error.is_cancelled()), (0, true));
        });
        submitter.join().unwrap();
    });
}

/// RCT-06. Nor does a closed loop call what `submit_with` sends: it drops that, and the task is cancelled.
#[test]
fn closed_loop_never_builds_the_future() {
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    event_loop.close();
    let drops = Drops::new();
    let token = drops.token();
    let mut task = handle.submit_with(move || {
        drop(token);
        pending::<()>()
    });
    assert_eq!(drops.count(), 1);
    let (_, waker) = CountingWaker::new();
    let Poll::Ready(Err(error)) = poll_once(&mut task, &waker) else { panic!("it is over") };
    assert_eq!(error.to_string(), "Task-0 was cancelled before it finished.");
}

/// RCT-06, RCT-11. A panic of a refused future's destructor is not lost: it is that of the task, as with `spawn`.
#[test]
fn panic_of_a_refused_futures_destructor_is_that_of_the_task() {
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    event_loop.close();
    let spawned_guard = OnDrop(|| panic!("in drop"));
    let mut spawned = event_loop.spawn(async move { drop(spawned_guard) });
    assert_eq!(spawned.try_result().unwrap().unwrap_err().to_string(), "Task-1 panicked: in drop");
    let guard = OnDrop(|| panic!("in drop"));
    let submitted = handle.submit(async move { drop(guard) });
    assert_eq!(submitted.result().unwrap_err().to_string(), "Task-0 panicked: in drop");
}

/// RCT-08. `result` on the loop's own thread is an error at once, within a task and outside a run, and the task lives.
#[test]
fn result_on_the_loops_own_thread_is_an_error() {
    watched(|| {
        let event_loop = EventLoop::new();
        let handle = event_loop.handle();
        let mut task = handle.submit(async { 7 });
        let check = |error: ResultError| {
            assert!(matches!(error, ResultError::OwnThread));
            assert_eq!(error.to_string(), OWN_THREAD);
            assert_eq!(format!("{error:?}"), "OwnThread");
            assert!(error.source().is_none());
        };
        check(task.result().unwrap_err());
        event_loop.run_until_complete(async {
            check(task.result().unwrap_err());
            check(task.result_timeout(Duration::MAX).unwrap_err());
            check(task.result_timeout(Duration::ZERO).unwrap_err());
            assert_eq!((&mut task).await.unwrap(), 7);
        });
    });
}

/// RCT-08. When the task is over, `result` on the loop's own thread gives it.
#[test]
fn result_on_the_loops_own_thread_is_given_when_it_is_there() {
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let result = event_loop.run_until_complete(async {
        let task = handle.submit(async { 7 });
        while !task.is_finished() {
            yield_now().await;
        }
        task.result()
    });
    assert_eq!(result.unwrap(), 7);
}

/// RCT-09. What is submitted before the loop runs waits for the run; a callback and a task keep their order.
#[test]
fn submission_before_the_run_waits_for_it() {
    watched(|| {
        let event_loop = EventLoop::new();
        let log = Log::default();
        let (handle, submitted) = (event_loop.handle(), log.clone());
        let submitter = thread::spawn(move || {
            let [first, second, third] = ["first", "second", "third"].map(|event| {
                let log = submitted.clone();
                move || log.add(event)
            });
            let first = handle.submit(async move { first() });
            handle.call_soon_threadsafe(second).unwrap();
            let third = handle.submit_with(move || async move { third() });
            (first, third)
        });
        let (first, third) = submitter.join().unwrap();
        assert_eq!(log.take(), [""; 0]);
        assert!(!first.is_finished() && !third.is_finished());
        assert!(event_loop.run_once());
        assert_eq!(log.take(), ["first", "second", "third"]);
        first.result().unwrap();
        third.result().unwrap();
    });
}

/// RCT-10. A loop that is stopped resolves nothing; when it closes, every thread that waits is told.
#[test]
fn close_resolves_what_a_stopped_loop_left() {
    watched(|| {
        let (sender, receiver) = channel();
        let (close, closes) = channel::<()>();
        let thread = thread::spawn(move || {
            let event_loop = EventLoop::new();
            sender.send(event_loop.handle()).unwrap();
            event_loop.run_forever();
            sender.send(event_loop.handle()).unwrap();
            closes.recv().unwrap();
            drop(event_loop);
        });
        let handle = receiver.recv().unwrap();
        let started = handle.submit(pending::<()>());
        handle.submit(async {}).result().unwrap();
        handle.stop();
        drop(receiver.recv().unwrap());
        let late = handle.submit(pending::<()>());
        for task in [&started, &late] {
            assert!(matches!(task.result_timeout(Duration::ZERO), Err(ResultError::Timeout)));
        }
        let (waits, is_waiting) = channel();
        let waiting = [started, late].map(|task| {
            let waits = waits.clone();
            thread::spawn(move || {
                waits.send(()).unwrap();
                task.result().unwrap_err().to_string()
            })
        });
        is_waiting.iter().take(2).for_each(drop);
        close.send(()).unwrap();
        let errors = waiting.map(|thread| thread.join().unwrap());
        assert_eq!(errors, [1, 3].map(|id| format!("Task-{id} was cancelled before it finished.")));
        thread.join().unwrap();
    });
}

/// RCT-10. A `RemoteTask` that another executor awaits is woken once by the close.
#[test]
fn close_wakes_whoever_awaits() {
    let event_loop = EventLoop::new();
    let mut task = event_loop.handle().submit(pending::<()>());
    let (wakes, waker) = CountingWaker::new();
    assert!(poll_once(&mut task, &waker).is_pending());
    settle(&event_loop);
    assert_eq!(wakes.wakes(), 0);
    event_loop.close();
    assert_eq!(wakes.wakes(), 1);
    let Poll::Ready(Err(error)) = poll_once(&mut task, &waker) else { panic!("it is over") };
    assert_eq!(error.to_string(), "Task-1 was cancelled before it finished.");
}

#[track_caller]
fn submit_panic(handle: &LoopHandle) -> (RemoteTask<()>, String) {
    (handle.submit(async { panic!("unread") }), Location::caller().to_string())
}

/// RCT-11. A panic that nobody reads is reported once, whether the `RemoteTask` is dropped before or after it.
#[test]
fn panic_that_nobody_reads_is_reported() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder()).build();
    let handle = event_loop.handle();

    let (before, place) = submit_panic(&handle);
    drop(before);
    settle(&event_loop);
    assert_eq!(reports.take(), [format!("Task-1 (from {place}) panicked, and nobody joined it: unread")]);

    let (after, place) = submit_panic(&handle);
    settle(&event_loop);
    assert_eq!(reports.take(), [""; 0]);
    drop(after);
    assert_eq!(reports.take(), [format!("Task-2 (from {place}) panicked, and nobody joined it: unread")]);

    let (late, place) = submit_panic(&handle);
    settle(&event_loop);
    event_loop.close();
    drop(handle);
    drop(event_loop);
    drop(late);
    assert_eq!(reports.take(), [format!("Task-3 (from {place}) panicked, and nobody joined it: unread")]);
}

/// RCT-11. A panic that was read is not reported, nor is a cancel, nor a value that nobody took.
#[test]
fn what_was_read_is_not_reported() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder()).build();
    let handle = event_loop.handle();
    let (read, _) = submit_panic(&handle);
    let cancelled = handle.submit(pending::<()>());
    let unread = handle.submit(async { Err::<(), _>("an output like any other") });
    assert!(cancelled.cancel());
    settle(&event_loop);
    assert_eq!(read.result().unwrap_err().to_string(), "Task-1 panicked: unread");
    drop((read, cancelled, unread));
    event_loop.close();
    assert_eq!(reports.take(), [""; 0]);
}

/// RCT-12. Cancel is a request. The task is over, and whoever waits is told, only when its future has been dropped.
#[test]
fn cancelled_task_is_over_when_its_future_was_dropped() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        let (log, (polled, is_polled)) = (Log::default(), channel());
        let (release, released) = channel::<()>();
        let (dropping, is_dropping) = channel();
        let dropped = log.clone();
        let on_drop = OnDrop(move || {
            dropping.send(()).unwrap();
            released.recv().unwrap();
            dropped.add("dropped");
        });
        let mut task = handle.submit(async move {
            let _on_drop = on_drop;
            polled.send(()).unwrap();
            pending::<()>().await;
        });
        is_polled.recv().unwrap();
        let (wakes, waker) = CountingWaker::new();
        assert!(poll_once(&mut task, &waker).is_pending());
        assert!(task.cancel());
        is_dropping.recv().unwrap();
        // Within the destructor.
        assert!(!task.is_finished());
        assert!(task.cancel());
        assert!(matches!(task.result_timeout(Duration::ZERO), Err(ResultError::Timeout)));
        assert_eq!(wakes.wakes(), 0);
        release.send(()).unwrap();
        let error = task.result().unwrap_err();
        assert_eq!(log.take(), ["dropped"]);
        assert_eq!(error.to_string(), "Task-1 was cancelled before it finished.");
        assert!(!task.cancel());
        handle.stop();
        thread.join().unwrap();
    });
}

/// RCT-13. Tasks of one thread start in the order in which it submitted them.
#[test]
fn two_hundred_submissions_start_in_order() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        let log = Log::default();
        let tasks: Vec<_> = (0..200)
            .map(|number| {
                let log = log.clone();
                if number % 2 == 0 {
                    handle.submit(async move { log.add(number.to_string()) })
                } else {
                    handle.submit_with(move || async move { log.add(number.to_string()) })
                }
            })
            .collect();
        tasks.iter().for_each(|task| task.result().unwrap());
        assert_eq!(log.take(), (0..200).map(|number| number.to_string()).collect::<Vec<_>>());
        handle.stop();
        thread.join().unwrap();
    });
}

/// RCT-14. Whoever awaits is woken on the loop's thread, when the future has been dropped and the result is there.
#[test]
fn waker_is_called_on_the_loops_thread() {
    struct Where(Mutex<Vec<ThreadId>>);
    impl Wake for Where {
        fn wake(self: Arc<Self>) {
            self.0.lock().unwrap().push(thread::current().id());
        }
    }
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        let (promise, future) = create_future();
        let mut task = handle.submit(future);
        let seen = Arc::new(Where(Mutex::default()));
        assert!(poll_once(&mut task, &Waker::from(seen.clone())).is_pending());
        promise.set_result(7);
        let own = thread.thread().id();
        // The next submission runs in a later turn than the end of the task.
        handle.submit(async {}).result().unwrap();
        assert_eq!(*seen.0.lock().unwrap(), [own]);
        assert_eq!(task.result().unwrap(), Ok(7));
        handle.stop();
        thread.join().unwrap();
    });
}

/// RCT-16. Cancel is true each time until the task is over, and false from then on.
#[test]
fn cancel_is_true_until_the_task_is_over() {
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let (cancelled, finished) = (handle.submit(pending::<()>()), handle.submit(async { 7 }));
    assert_eq!([cancelled.cancel(), cancelled.cancel()], [true, true]);
    assert!(event_loop.run_once());
    assert!(cancelled.is_finished() && finished.is_finished());
    assert_eq!([cancelled.cancel(), cancelled.cancel(), finished.cancel()], [false, false, false]);
    assert_eq!(cancelled.result().unwrap_err().to_string(), "Task-1 was cancelled before it finished.");
    assert_eq!(finished.result().unwrap(), 7);
    assert!(!finished.cancel());
}

/// RCT-17. Cancelled before the loop picks it up, a task is never polled: its future is dropped once, by the loop.
#[test]
fn task_that_is_cancelled_before_its_first_poll_never_starts() {
    watched(|| {
        let event_loop = EventLoop::new();
        let (handle, log, drops) = (event_loop.handle(), Log::default(), Drops::new());
        let (body, built) = (log.clone(), log.clone());
        let tokens = (drops.token(), drops.token());
        let submitter = thread::spawn(move || {
            let task = handle.submit(async move {
                let _token = tokens.0;
                body.add("started");
            });
            let with = handle.submit_with(move || {
                built.add("built");
                drop(tokens.1);
                pending::<()>()
            });
            assert!(task.cancel() && with.cancel());
            (task, with)
        });
        let (task, with) = submitter.join().unwrap();
        assert!(!task.is_finished() && !with.is_finished());
        assert_eq!(drops.count(), 0);
        assert!(event_loop.run_once());
        assert_eq!(drops.count(), 2);
        assert_eq!(log.take(), [""; 0]);
        assert_eq!(task.result().unwrap_err().to_string(), "Task-1 was cancelled before it finished.");
        assert_eq!(with.result().unwrap_err().to_string(), "Task-2 was cancelled before it finished.");
        assert!(!event_loop.run_once());
    });
}

/// RCT-18. A panic while `submit_with` builds the future is that of the task, and read there it is not reported.
#[test]
fn panic_while_the_future_is_built_is_that_of_the_task() {
    fn broken() -> std::future::Ready<i32> {
        panic!("no future")
    }
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder()).build();
    let task = event_loop.handle().submit_with(broken);
    let next = event_loop.handle().submit(async { 7 });
    settle(&event_loop);
    let error = task.result().unwrap_err();
    assert_eq!(error.to_string(), "Task-1 panicked: no future");
    assert_eq!(next.result().unwrap(), 7);
    drop(task);
    assert_eq!(reports.take(), [""; 0]);
}

/// RCT-19. A dropped `RemoteTask` changes nothing for its task; the output that nobody takes is dropped once, there.
#[test]
fn dropped_handle_detaches_the_task() {
    watched(|| {
        let event_loop = EventLoop::new();
        let (log, handle) = (Log::default(), event_loop.handle());
        let (dropped, dropped_on) = channel();
        let body = log.clone();
        let submitter = thread::spawn(move || {
            drop(handle.submit(async move {
                body.add("started");
                yield_now().await;
                body.add("finished");
                OnDrop(move || dropped.send(thread::current().id()).unwrap())
            }));
        });
        submitter.join().unwrap();
        settle(&event_loop);
        assert_eq!(log.take(), ["started", "finished"]);
        assert_eq!(dropped_on.iter().collect::<Vec<_>>(), [thread::current().id()]);
    });
}

/// RCT-19. Dropped after the end, the `RemoteTask` drops the output, on the thread that drops it.
#[test]
fn handle_that_is_dropped_after_the_end_drops_the_output() {
    watched(|| {
        let event_loop = EventLoop::new();
        let (dropped, dropped_on) = channel();
        let on_drop = OnDrop(move || dropped.send(thread::current().id()).unwrap());
        let task = event_loop.handle().submit(async move { on_drop });
        settle(&event_loop);
        assert!(dropped_on.try_recv().is_err());
        let dropper = thread::spawn(move || drop(task));
        let id = dropper.thread().id();
        dropper.join().unwrap();
        assert_eq!(dropped_on.iter().collect::<Vec<_>>(), [id]);
    });
}

/// RCT-19. A pending task whose `RemoteTask` is dropped elsewhere can be woken by nobody: then its loop is stalled.
#[test]
fn loop_is_stalled_when_the_last_remote_task_is_dropped_elsewhere() {
    watched(|| {
        for _ in 0..100 {
            let event_loop = EventLoop::new();
            let task = event_loop.handle().submit(pending::<()>());
            let dropper = thread::spawn(move || drop(task));
            let outcome = event_loop.try_run_until_complete(pending::<()>());
            let Err(RunError::Stalled(report)) = outcome else { panic!("{outcome:?}") };
            assert_eq!(report.tasks.len(), 2);
            dropper.join().unwrap();
        }
    });
}

/// RCT-20. A task of one loop awaits tasks of another, which runs on another thread.
#[test]
fn task_of_one_loop_awaits_tasks_of_another() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        let own = thread.thread().id();
        let event_loop = EventLoop::new();
        let trace = Trace::new();
        event_loop.run_until_complete(async {
            for number in 0..100 {
                assert_eq!(
                    handle.submit(async move { (number, thread::current().id()) }).await.unwrap(),
                    (number, own)
                );
            }
            let (promise, future) = create_future();
            let there = handle.submit(future);
            let (first, second) = (trace.clone(), trace.clone());
            let waiting = spawn(async move { first.add(format!("there: {:?}", there.await.unwrap())) });
            let responsive = spawn(async move {
                yield_now().await;
                second.add("here");
                promise.set_result(7);
            });
            gather([waiting, responsive]).await.unwrap();
        });
        assert_eq!(trace.take(), ["here", "there: Ok(7)"]);
        handle.stop();
        thread.join().unwrap();
    });
}

/// RCT-20. A `RemoteTask` is a future for any executor, and gives a panic and a cancel as errors there too.
#[test]
fn remote_task_is_a_future_for_any_executor() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        assert_eq!(block_on(handle.submit(async { 7 })).unwrap(), 7);
        let panicked = block_on(handle.submit(async { panic!("boom") })).unwrap_err();
        assert_eq!(panicked.to_string(), "Task-2 panicked: boom");
        let cancelled = handle.submit(pending::<()>());
        assert!(cancelled.cancel());
        assert_eq!(block_on(cancelled).unwrap_err().to_string(), "Task-3 was cancelled before it finished.");
        // Polled there, and then waited for by a blocked thread: its waker takes the other's place.
        let (promise, future) = create_future();
        let mut task = handle.submit(future);
        let (wakes, waker) = CountingWaker::new();
        assert!(poll_once(&mut task, &waker).is_pending());
        assert!(matches!(task.result_timeout(Duration::ZERO), Err(ResultError::Timeout)));
        drop(waker);
        assert_eq!(Arc::strong_count(&wakes), 1);
        promise.set_result(7);
        assert_eq!(task.result().unwrap(), Ok(7));
        assert_eq!(wakes.wakes(), 0);
        handle.stop();
        thread.join().unwrap();
    });
}

/// RCT-20. Polled with one waker and then with another, a `RemoteTask` wakes the second alone, and once.
#[test]
fn latest_waker_is_woken_once() {
    let event_loop = EventLoop::new();
    let (promise, future) = create_future();
    let mut task = event_loop.handle().submit(future);
    settle(&event_loop);
    let [(first, first_waker), (second, second_waker)] = [CountingWaker::new(), CountingWaker::new()];
    for waker in [&first_waker, &second_waker, &second_waker] {
        assert!(poll_once(&mut task, waker).is_pending());
    }
    drop(first_waker);
    // The task let the first go.
    assert_eq!(Arc::strong_count(&first), 1);
    promise.set_result(7);
    settle(&event_loop);
    assert_eq!((first.wakes(), second.wakes()), (0, 1));
    assert_eq!(poll_once(&mut task, &second_waker).map(Result::unwrap), Poll::Ready(Ok(7)));
    drop(second_waker);
    assert_eq!(Arc::strong_count(&second), 1);
}

/// RCT-20. A dropped `RemoteTask` lets its waker go and wakes it no more.
#[test]
fn dropped_handle_lets_its_waker_go() {
    let event_loop = EventLoop::new();
    let mut task = event_loop.handle().submit(async {});
    let (wakes, waker) = CountingWaker::new();
    assert!(poll_once(&mut task, &waker).is_pending());
    drop(task);
    drop(waker);
    assert_eq!(Arc::strong_count(&wakes), 1);
    settle(&event_loop);
    assert_eq!(wakes.wakes(), 0);
}

/// A result is given once; asked for again in whatever way, that is a panic.
#[test]
fn result_is_given_once() {
    let event_loop = EventLoop::new();
    let mut task = event_loop.handle().submit(async { 7 });
    settle(&event_loop);
    assert_eq!(task.result().unwrap(), 7);
    assert!(task.is_finished());
    assert_eq!(panic_of(|| drop(task.result())), TAKEN);
    assert_eq!(panic_of(|| drop(task.result_timeout(Duration::ZERO))), TAKEN);
    let (_, waker) = CountingWaker::new();
    assert_eq!(panic_of(|| drop(poll_once(&mut task, &waker))), TAKEN);
    let mut awaited = event_loop.handle().submit(async { 8 });
    assert_eq!(event_loop.run_until_complete(&mut awaited).unwrap(), 8);
    assert_eq!(panic_of(|| drop(awaited.result())), TAKEN);
}

/// An output is dropped once by whoever takes it, and the `RemoteTask` drops nothing more.
#[test]
fn output_that_was_taken_is_dropped_once() {
    let event_loop = EventLoop::new();
    let drops = Drops::new();
    let token = drops.token();
    let task = event_loop.handle().submit(async move { token });
    settle(&event_loop);
    let output = task.result().unwrap();
    drop(task);
    event_loop.close();
    assert_eq!(drops.count(), 0);
    drop(output);
    assert_eq!(drops.count(), 1);
}

/// A result outlives its loop.
#[test]
fn result_is_there_after_the_loop_is_gone() {
    let event_loop = EventLoop::new();
    let task = event_loop.handle().submit(async { String::from("kept") });
    settle(&event_loop);
    drop(event_loop);
    assert!(!task.cancel());
    assert_eq!(task.result().unwrap(), "kept");
}

/// A panic of the destructor of a cancelled task's future is that task's panic.
#[test]
fn panic_of_a_cancelled_futures_destructor_is_that_of_the_task() {
    let event_loop = EventLoop::new();
    let guard = OnDrop(|| panic!("in drop"));
    let task = event_loop.handle().submit(async move {
        let _guard = guard;
        pending::<()>().await;
    });
    assert!(event_loop.run_once());
    assert!(task.cancel());
    assert!(event_loop.run_once());
    assert_eq!(task.result().unwrap_err().to_string(), "Task-1 panicked: in drop");
}

/// A `RemoteTask` is `Send` if its output is, also where that is not `Sync`, and `Unpin` whatever it is.
#[test]
fn remote_task_moves_between_threads() {
    fn is_send<T: Send>() {}
    fn is_unpin<T: Unpin>() {}
    is_send::<RemoteTask<Cell<u8>>>();
    is_unpin::<RemoteTask<PhantomPinned>>();
    is_send::<ResultError>();
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        let task = handle.submit(async { Cell::new(7) });
        assert_eq!(thread::spawn(move || task.result().unwrap().get()).join().unwrap(), 7);
        handle.stop();
        thread.join().unwrap();
    });
}

/// The text of a `RemoteTask` says whether it is over, and nothing that only its loop may read.
#[test]
fn text_of_a_remote_task_says_whether_it_is_over() {
    let event_loop = EventLoop::new();
    let task = event_loop.handle().submit(async {});
    assert_eq!(format!("{task:?}"), "RemoteTask { is_finished: false, .. }");
    settle(&event_loop);
    assert_eq!(format!("{task:?}"), "RemoteTask { is_finished: true, .. }");
}

/// A submitted task is one of the loop's own: numbered when it is taken over, listed, and free to use all of it.
#[test]
fn submitted_task_is_one_of_the_loops_own() {
    watched(|| {
        let event_loop = virtual_loop();
        let handle = event_loop.handle();
        let start = event_loop.time();
        let task = handle.submit_with(move || async move {
            let shared = Rc::new(Cell::new(0));
            let children = [1, 2].map(|seconds| {
                let shared = shared.clone();
                spawn(async move {
                    sleep(Duration::from_secs(seconds)).await;
                    shared.set(shared.get() + seconds);
                })
            });
            gather(children).await.unwrap();
            let job = run_in_executor(|| 4).await.unwrap();
            (shared.get() + job, time() - start, handloop::current_task().unwrap().name)
        });
        assert_eq!(event_loop.all_tasks().len(), 0);
        let (sum, took, name) = event_loop.run_until_complete(task).unwrap();
        // Task-1 is the root, which was there first.
        assert_eq!((sum, took, name.as_str()), (7, Duration::from_secs(2), "Task-2"));
    });
}
