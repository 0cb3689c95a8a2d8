//! Closing a loop drops every future, resolves every handle, runs nothing more, and leaves nothing behind.

mod common;

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use common::{CountingWaker, Drops, Gate, OnDrop, Reports, Token, Trace, panic_of, virtual_loop, watched};
use handloop::{
    EventLoop, JoinError, LoopHandle, RemoteTask, ResultError, Task, TaskState, call_at, call_later, call_soon,
    create_future, gather, run_in_executor, sleep, spawn, yield_now,
};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

fn settle(event_loop: &EventLoop) {
    while event_loop.run_once() {}
}

fn on_drop<S: Into<String>>(trace: &Trace, event: S) -> OnDrop<impl FnMut() + use<S>> {
    let (trace, event) = (trace.clone(), event.into());
    OnDrop(move || trace.add(event.clone()))
}

/// What `make` returns when it is called inside the running loop.
fn in_loop<T>(event_loop: &EventLoop, make: impl FnOnce() -> T) -> T {
    event_loop.run_until_complete(async { make() })
}

/// Pending for ever, and owns `held`.
async fn hold<T>(held: T) {
    let _held = held;
    pending().await
}

fn is_cancelled<T>(result: Result<T, ResultError>) -> bool {
    matches!(result, Err(ResultError::Failed(error)) if error.is_cancelled())
}

fn poll_pending<F: Future + Unpin>(future: &mut F, waker: &Waker) {
    assert!(Pin::new(future).poll(&mut Context::from_waker(waker)).is_pending());
}

/// A loop whose shared half owns the token: it is dropped when nothing of the loop is left, neither a handle nor a
/// task that a waker or an entry of the inbox keeps.
fn loop_with_leak_oracle() -> (EventLoop, Drops) {
    let shared = Drops::new();
    let token = shared.token();
    let event_loop = EventLoop::builder()
        .virtual_clock()
        .on_report(move |report| {
            let _ = &token;
            panic!("nothing is to be reported, but: {report}");
        })
        .build();
    (event_loop, shared)
}

// Every future once, before the drop returns.

/// Case 86, RUST-10. Dropping the loop drops every future once, before the drop returns: of tasks never polled,
/// waiting, woken, sleeping, finished and unread, detached, submitted and not taken over, and of callbacks.
#[test]
fn dropped_loop_drops_every_future_once_before_it_returns() {
    let (event_loop, shared) = loop_with_leak_oracle();
    let (futures, outputs) = (Drops::new(), Drops::new());
    let (woken, waker) = (Gate::new(), Gate::new());
    let handle = event_loop.handle();
    let waiting = [
        event_loop.spawn(hold(futures.token())),
        event_loop.spawn({
            let (token, woken) = (futures.token(), woken.clone());
            async move {
                let _token = token;
                woken.await;
            }
        }),
        event_loop.spawn({
            let (token, waker) = (futures.token(), waker.clone());
            async move {
                let _token = token;
                waker.await;
            }
        }),
        event_loop.spawn({
            let token = futures.token();
            async move {
                let _token = token;
                sleep(HOUR).await;
            }
        }),
    ];
    drop(event_loop.spawn(hold(futures.token())));
    let submitted = handle.submit(hold(futures.token()));
    let output = outputs.token();
    let unread = event_loop.spawn(async move { output });
    settle(&event_loop);
    woken.open();
    let token = futures.token();
    drop(event_loop.call_soon(move || drop(token)).unwrap());
    let token = futures.token();
    drop(event_loop.call_later(HOUR, move || drop(token)).unwrap());
    let token = futures.token();
    handle.call_soon_threadsafe(move || drop(token)).unwrap();
    drop(event_loop.spawn(hold(futures.token())));
    let not_taken_over = handle.submit(hold(futures.token()));
    drop(handle.submit(hold(futures.token())));
    assert_eq!((futures.count(), outputs.count()), (0, 0));

    drop(event_loop);
    assert_eq!((futures.count(), outputs.count()), (12, 0));
    for mut task in waiting {
        assert!(task.try_result().unwrap().unwrap_err().is_cancelled());
    }
    assert!(is_cancelled(submitted.result()) && is_cancelled(not_taken_over.result()));
    drop(unread);
    assert_eq!((futures.count(), outputs.count()), (12, 1));
    waker.waker().unwrap().wake();
    assert_eq!(shared.count(), 0);
    drop((submitted, not_taken_over, handle, woken, waker));
    assert_eq!((futures.count(), outputs.count(), shared.count()), (12, 1, 1));
}

/// Case 86. The tasks are dropped in the order in which they were spawned, whatever they wait for; callbacks before
/// them.
#[test]
fn close_drops_callbacks_then_tasks_in_the_order_of_their_spawning() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    let gates: Vec<Gate> = (0..3).map(|_| Gate::new()).collect();
    for (n, gate) in (1..).zip(&gates) {
        let (held, gate) = (on_drop(&trace, format!("task {n}")), gate.clone());
        drop(event_loop.spawn(async move {
            let _held = held;
            gate.await;
        }));
    }
    settle(&event_loop);
    for n in [4, 5] {
        drop(event_loop.spawn(hold(on_drop(&trace, format!("task {n}")))));
    }
    // The third is woken first, and the first last.
    gates.iter().rev().for_each(Gate::open);
    let held = on_drop(&trace, "callback");
    event_loop.call_soon(move || drop(held)).unwrap();
    event_loop.close();
    assert_eq!(trace.take(), ["callback", "task 1", "task 2", "task 3", "task 4", "task 5"]);
}

/// Case 94. A task whose loop closes before its first poll is never polled; after one poll, never again. Each is
/// dropped once and cancelled.
#[test]
fn close_before_the_first_poll_and_after_one_poll() {
    for polls in 0..=1 {
        let (event_loop, shared) = loop_with_leak_oracle();
        let (drops, counted) = (Drops::new(), Rc::new(Cell::new(0)));
        let (token, count) = (drops.token(), counted.clone());
        let mut task = event_loop.spawn(poll_fn(move |_| {
            let _token = &token;
            count.set(count.get() + 1);
            Poll::<()>::Pending
        }));
        if polls == 1 {
            settle(&event_loop);
        }
        event_loop.close();
        assert_eq!((counted.get(), drops.count()), (polls, 1));
        assert_eq!(task.state(), TaskState::Cancelled);
        assert!(task.try_result().unwrap().unwrap_err().is_cancelled());
        drop((task, event_loop));
        assert_eq!((counted.get(), drops.count(), shared.count()), (polls, 1, 1));
    }
}

/// A future with a niche in its layout that keeps its own waker.
struct OwnWaker(Option<Waker>, #[allow(dead_code, reason = "counts its drop")] Token);

impl Future for OwnWaker {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0 = Some(context.waker().clone());
        Poll::Pending
    }
}

/// Case 96. A task whose future keeps its own waker is dropped once, and frees itself: the circle is broken when the
/// future is dropped.
#[test]
fn future_that_holds_its_own_waker_leaves_nothing() {
    for is_joined in [false, true] {
        let (event_loop, shared) = loop_with_leak_oracle();
        let drops = Drops::new();
        let task = event_loop.spawn(OwnWaker(None, drops.token()));
        settle(&event_loop);
        if is_joined {
            event_loop.close();
            assert_eq!(drops.count(), 1);
            drop(task);
        } else {
            drop(task);
            assert_eq!(drops.count(), 0);
        }
        drop(event_loop);
        assert_eq!((drops.count(), shared.count()), (1, 1));
    }
}

// Every handle resolves.

/// RUST-10, RCT-10. With everything outstanding, close tells everybody: joiners of tasks here and of submitted ones on
/// another thread and another loop, a gather, sleeps, and the task that waits for a job.
#[test]
fn close_with_everything_outstanding_resolves_every_handle() {
    watched(|| {
        let event_loop = EventLoop::new();
        let handle = event_loop.handle();
        let (wakes, waker) = CountingWaker::new();
        let mut task = event_loop.spawn(pending::<()>());
        poll_pending(&mut task, &waker);
        let mut children = gather([1, 2].map(|_| event_loop.spawn(pending::<()>())));
        poll_pending(&mut children, &waker);
        let (going, go) = channel::<()>();
        let (mut timer, mut job) = event_loop.run_until_complete(async {
            let job = run_in_executor(move || {
                go.recv().unwrap();
                7
            });
            (sleep(HOUR), job)
        });
        poll_pending(&mut timer, &waker);
        poll_pending(&mut job, &waker);

        let remote = handle.submit(pending::<()>());
        let mut polled = handle.submit(pending::<()>());
        poll_pending(&mut polled, &waker);
        let abroad = handle.submit(pending::<()>());
        let (blocking, blocks) = channel();
        let blocked = thread::spawn(move || {
            blocking.send(()).unwrap();
            remote.result()
        });
        let on_another_loop = thread::spawn(move || EventLoop::new().run_until_complete(abroad));
        let (promise, future) = create_future::<()>();
        let promised = event_loop.spawn(hold(promise));
        blocks.recv().unwrap();
        settle(&event_loop);
        assert_eq!(wakes.wakes(), 0);
        going.send(()).unwrap();

        event_loop.close();
        // The task, the gather (once for both children), the sleep, the job, the submitted one.
        assert_eq!(wakes.wakes(), 5);
        assert!(task.try_result().unwrap().unwrap_err().is_cancelled());
        assert!(is_cancelled(blocked.join().unwrap()));
        assert!(on_another_loop.join().unwrap().unwrap_err().is_cancelled());
        assert!(is_cancelled(polled.result()));
        let elsewhere = EventLoop::new();
        let error: JoinError = elsewhere.run_until_complete(children).unwrap_err();
        assert!(error.is_cancelled());
        assert!(elsewhere.run_until_complete(job).unwrap_err().is_cancelled());
        assert_eq!(elsewhere.run_until_complete(future), Err(handloop::BrokenPromise));
        drop(promised);
    });
}

/// RCT-10. A job that blocks on a task of its loop is told before the loop waits for the job: the close does not hang.
#[test]
fn close_resolves_tasks_before_it_joins_the_jobs_that_wait_for_them() {
    watched(|| {
        let event_loop = EventLoop::new();
        let (telling, told) = channel();
        event_loop.run_until_complete(async {
            let task = LoopHandle::current().unwrap().submit(pending::<()>());
            drop(run_in_executor(move || telling.send(task.result()).unwrap()));
        });
        drop(event_loop);
        assert!(is_cancelled(told.recv().unwrap()));
    });
}

/// RUST-10. A joiner of this thread that waits for a task when the loop closes is dropped as a task itself; nothing is
/// polled during the close.
#[test]
fn close_polls_nothing() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    for n in 1..=3 {
        let inner = event_loop.spawn(hold(on_drop(&trace, format!("inner {n} dropped"))));
        let (outer, held) = (trace.clone(), on_drop(&trace, format!("outer {n} dropped")));
        drop(event_loop.spawn(async move {
            let _held = held;
            let result = inner.await;
            outer.add(format!("outer {n} joined {result:?}"));
        }));
    }
    settle(&event_loop);
    event_loop.close();
    assert_eq!(
        trace.take(),
        [
            "inner 1 dropped",
            "outer 1 dropped",
            "inner 2 dropped",
            "outer 2 dropped",
            "inner 3 dropped",
            "outer 3 dropped"
        ]
    );
}

// A closed loop.

/// LOOP-10. Callbacks and timers that are due or to come are dropped by the close, in no case run; their handles say
/// so.
#[test]
fn close_drops_callbacks_and_timers_without_running_them() {
    let event_loop = virtual_loop();
    let (drops, now) = (Drops::new(), event_loop.time());
    let never = || {
        let token = drops.token();
        move || unreachable!("a closed loop has run this: {token:?}")
    };
    let soon = event_loop.call_soon(never()).unwrap();
    let due = event_loop.call_later(Duration::ZERO, never()).unwrap();
    let later = event_loop.call_later(SECOND, never()).unwrap();
    let at = event_loop.call_at(now + SECOND, never()).unwrap();
    let endless = event_loop.call_later(Duration::MAX, never()).unwrap();
    event_loop.handle().call_soon_threadsafe(never()).unwrap();
    assert!(![soon.cancelled(), due.cancelled(), later.cancelled(), at.cancelled()].contains(&true));
    event_loop.close();
    assert_eq!(drops.count(), 6);
    assert!(soon.cancelled());
    for timer in [&due, &later, &at, &endless] {
        assert!(timer.cancelled());
        timer.cancel();
    }
    soon.cancel();
    assert_eq!(later.when(), Some(now + SECOND));
    assert_eq!(endless.when(), None);
    drop(event_loop);
    assert_eq!(drops.count(), 6);
}

/// LOOP-10. So says the handle of a callback whose captured value panics when the close drops it.
#[test]
fn handle_of_a_callback_that_panics_when_dropped_by_close_says_cancelled() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder().virtual_clock()).build();
    let bomb = OnDrop(|| panic!("captured"));
    let handle = event_loop.call_soon(move || drop(bomb)).unwrap();
    event_loop.close();
    assert_eq!(reports.take().len(), 1);
    assert!(handle.cancelled());
}

/// LOOP-09, RCT-06. After the close callbacks are given back unharmed, tasks are cancelled at once, runs panic, close
/// again is nothing, and what asks for nothing new still works.
#[test]
fn closed_loop_refuses_what_is_new_and_answers_the_rest() {
    let event_loop = virtual_loop();
    let handle = event_loop.handle();
    event_loop.close();
    event_loop.close();
    assert!(event_loop.is_closed() && !event_loop.is_running());

    let calls = Rc::new(Cell::new(0));
    let callback = |n: u32| {
        let calls = calls.clone();
        move || calls.set(calls.get() + n)
    };
    let closed = event_loop.call_soon(callback(1)).unwrap_err();
    assert_eq!(closed.to_string(), "The event loop is closed: schedule callbacks before you close it.");
    assert_eq!(format!("{closed:?}"), "LoopClosed { .. }");
    closed.0();
    event_loop.call_later(SECOND, callback(10)).unwrap_err().0();
    event_loop.call_at(event_loop.time(), callback(100)).unwrap_err().0();
    assert_eq!(calls.get(), 111);

    let drops = Drops::new();
    let token = drops.token();
    let mut task = event_loop.spawn(async move { drop(token) });
    assert!(task.is_finished() && !task.cancel());
    assert_eq!((task.state(), drops.count()), (TaskState::Cancelled, 1));
    assert!(task.try_result().unwrap().unwrap_err().is_cancelled());

    let text = "the event loop is closed: make a new one to run anything";
    assert_eq!(panic_of(|| event_loop.run_until_complete(async {})), text);
    assert_eq!(panic_of(|| drop(event_loop.try_run_until_complete(async {}))), text);
    assert_eq!(panic_of(|| event_loop.run_forever()), text);
    assert_eq!(panic_of(|| assert!(!event_loop.run_once())), text);

    event_loop.stop();
    handle.stop();
    assert_eq!(event_loop.time(), handle.time());
    assert!(event_loop.all_tasks().is_empty());
    drop(handle.hold_clock());
    assert_eq!(format!("{event_loop:?}"), "EventLoop { is_running: false, is_closed: true, .. }");
    let (promise, mut future) = create_future();
    promise.set_result(7);
    assert_eq!(future.try_result(), Some(Ok(7)));
    event_loop.close();
}

/// Case 29, TSAFE-09, RCT-06. A handle that outlives its loop refuses: callbacks come back and still work, futures are
/// dropped here and now, unpolled, and their tasks are cancelled. So on the loop's old thread and on any other.
#[test]
fn handle_that_outlives_its_loop_refuses() {
    watched(|| {
        let (event_loop, shared) = loop_with_leak_oracle();
        let handle = event_loop.handle();
        drop(event_loop);
        let refuse = |handle: LoopHandle| {
            let called = Arc::new(Mutex::new(0));
            let count = called.clone();
            let callback = handle.call_soon_threadsafe(move || *count.lock().unwrap() += 1).unwrap_err();
            assert_eq!(*called.lock().unwrap(), 0);
            callback.0();
            assert_eq!(*called.lock().unwrap(), 1);

            let drops = Drops::new();
            let token = drops.token();
            let task = handle.submit(async move { drop(token) });
            assert_eq!(drops.count(), 1);
            assert!(task.is_finished() && !task.cancel());
            match task.result() {
                Err(ResultError::Failed(error)) => assert!(error.is_cancelled() && error.id() == 0),
                other => panic!("cancelled was expected, not {other:?}"),
            }
            let token = drops.token();
            let task: RemoteTask<()> = handle.submit_with(move || {
                drop(token);
                pending()
            });
            assert_eq!(drops.count(), 2);
            assert!(is_cancelled(task.result()));
            drop(handle.submit(hold(drops.token())));
            assert_eq!(drops.count(), 3);
            handle.stop();
        };
        refuse(handle.clone());
        assert_eq!(shared.count(), 0);
        thread::spawn(move || refuse(handle)).join().unwrap();
        assert_eq!(shared.count(), 1);
    });
}

/// CANC-11, RUST-10. A future that is refused by a closed loop and whose destructor panics: the panic is the task's
/// own, or is reported, as everywhere else.
#[test]
fn panic_of_a_refused_futures_destructor_is_not_lost() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder().virtual_clock()).build();
    event_loop.close();
    let bomb = OnDrop(|| panic!("in the destructor"));
    let mut spawned = event_loop.spawn(hold(bomb));
    assert_eq!(spawned.try_result().unwrap().unwrap_err().to_string(), "Task-1 panicked: in the destructor");
    let bomb = OnDrop(|| panic!("in the destructor"));
    let submitted = event_loop.handle().submit(hold(bomb));
    let is_panic = matches!(submitted.result(), Err(ResultError::Failed(error)) if error.is_panic());
    assert!(is_panic || reports.take().len() == 1);
}

/// LOOP-08. A running loop is not closed: the call panics, and the run goes on.
#[test]
fn close_of_a_running_loop_panics_and_closes_nothing() {
    let event_loop = virtual_loop();
    let value = event_loop.run_until_complete(async {
        let text = panic_of(|| event_loop.close());
        assert_eq!(text, "a running event loop cannot be closed: stop it, and close it after its run");
        assert!(event_loop.is_running() && !event_loop.is_closed());
        spawn(async { 7 }).await.unwrap()
    });
    assert_eq!(value, 7);
}

// Destructors during the close.

/// Case 89, RUST-10. While the loop closes it is the current one. A destructor may spawn: the task is cancelled at
/// once, its future dropped before `spawn` returns; may submit: likewise; and what it schedules comes back.
#[test]
fn spawn_from_a_destructor_during_close_is_cancelled_at_once() {
    let (event_loop, shared) = loop_with_leak_oracle();
    let trace = Trace::new();
    let log = trace.clone();
    let held = OnDrop(move || {
        log.add("destructor begins");
        let mut task = spawn(hold(on_drop(&log, "spawned future dropped")));
        log.add(format!("spawned: {:?}", task.state()));
        assert!(task.try_result().unwrap().unwrap_err().is_cancelled());
        let handle = LoopHandle::current().unwrap();
        let drops = Drops::new();
        let submitted = handle.submit(hold(drops.token()));
        log.add(format!("submitted: {} dropped, {}", drops.count(), is_cancelled(submitted.result())));
        assert!(call_soon(|| unreachable!()).is_err());
        assert!(call_later(SECOND, || unreachable!()).is_err());
        assert!(call_at(handloop::time(), || unreachable!()).is_err());
        assert!(handle.call_soon_threadsafe(|| unreachable!()).is_err());
        let mut job = run_in_executor(|| unreachable!());
        match pin!(&mut job).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Err(error)) => log.add(error.to_string()),
            Poll::Ready(Ok(())) | Poll::Pending => panic!("the job was to be refused"),
        }
        log.add("destructor ends");
    });
    drop(event_loop.spawn(hold(held)));
    drop(event_loop.spawn(hold(on_drop(&trace, "second task dropped"))));
    settle(&event_loop);
    drop(event_loop);
    assert_eq!(
        trace.take(),
        [
            "destructor begins",
            "spawned future dropped",
            "spawned: Cancelled",
            "submitted: 1 dropped, true",
            "Task-4 was cancelled before it finished.",
            "destructor ends",
            "second task dropped",
        ]
    );
    assert_eq!(shared.count(), 1);
}

/// Case 89. A chain of futures each of which spawns the next from its destructor ends within the close.
#[test]
fn chain_of_spawns_from_destructors_ends_within_the_close() {
    fn link(trace: &Trace, n: u32) -> impl Future<Output = ()> + use<> {
        let trace = trace.clone();
        hold(OnDrop(move || {
            trace.add(format!("link {n}"));
            if n < 3 {
                drop(spawn(link(&trace, n + 1)));
            }
        }))
    }
    let (event_loop, shared) = loop_with_leak_oracle();
    let trace = Trace::new();
    drop(event_loop.spawn(link(&trace, 1)));
    drop(event_loop);
    assert_eq!(trace.take(), ["link 1", "link 2", "link 3"]);
    assert_eq!(shared.count(), 1);
}

/// LOOP-09. Close again, from a destructor that the close runs, is nothing; so are wakes and cancels of tasks whose
/// turn is yet to come, which are dropped once, in their order.
#[test]
fn destructor_during_close_may_close_wake_and_cancel() {
    let event_loop = Rc::new(virtual_loop());
    let trace = Trace::new();
    let (gate, later) = (Gate::new(), Rc::new(RefCell::new(None::<Task<()>>)));
    let (own, opened, cancelled, log) = (Rc::downgrade(&event_loop), gate.clone(), later.clone(), trace.clone());
    drop(event_loop.spawn(hold(OnDrop(move || {
        log.add("first dropped");
        own.upgrade().unwrap().close();
        opened.open();
        assert!(cancelled.borrow().as_ref().unwrap().cancel());
        log.add("first's destructor ends");
    }))));
    let (held, waiting, log) = (on_drop(&trace, "second dropped"), gate.clone(), trace.clone());
    drop(event_loop.spawn(async move {
        let _held = held;
        waiting.await;
        log.add("second polled");
    }));
    *later.borrow_mut() = Some(event_loop.spawn(hold(on_drop(&trace, "third dropped"))));
    settle(&event_loop);
    event_loop.close();
    assert_eq!(trace.take(), ["first dropped", "first's destructor ends", "second dropped", "third dropped"]);
    assert!(!later.borrow().as_ref().unwrap().cancel());
    drop(event_loop);
    assert_eq!(trace.take(), [""; 0]);
}

/// RUST-10. Destructors that panic during the close keep it from nothing: each future is dropped, the panics are
/// joined or reported.
#[test]
fn destructors_that_panic_during_close_are_contained() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder().virtual_clock()).build();
    let drops = Drops::new();
    let mut tasks: Vec<Task<()>> = (1..=3)
        .map(|n| {
            let token = drops.token();
            event_loop.spawn(hold(OnDrop(move || panic!("{n}, {token:?}"))))
        })
        .collect();
    settle(&event_loop);
    let detached = tasks.pop().unwrap();
    let at = detached.spawned_at();
    drop(detached);
    event_loop.close();
    assert_eq!(drops.count(), 3);
    for (n, mut task) in (1..).zip(tasks) {
        let text = task.try_result().unwrap().unwrap_err().to_string();
        assert!(text.starts_with(&format!("Task-{n} panicked: {n}, ")), "{text}");
    }
    let texts = reports.take();
    assert_eq!(texts.len(), 1);
    assert!(texts[0].starts_with(&format!("Task-3 (from {at}) panicked, and nobody joined it: 3, ")), "{texts:?}");
}

/// RUST-10. A loop that is dropped while a panic unwinds contains the panics of its destructors: the process does not
/// abort, and the first panic goes on.
#[test]
fn loop_dropped_by_a_panic_contains_the_panics_of_destructors() {
    let (reports, drops) = (Reports::new(), Drops::new());
    let text = panic_of(|| {
        let event_loop = reports.collect(EventLoop::builder().virtual_clock()).build();
        drop(event_loop.spawn(hold((drops.token(), OnDrop(|| panic!("in a destructor"))))));
        drop(event_loop.spawn(hold(drops.token())));
        event_loop.run_until_complete(async {
            yield_now().await;
            panic!("in the root");
        })
    });
    assert_eq!(text, "in the root");
    assert_eq!((drops.count(), reports.take().len()), (2, 1));
    assert!(LoopHandle::current().is_none());
    assert_eq!(handloop::run(async { spawn(async { 7 }).await.unwrap() }), 7);
}

// Wakes against the end.

/// Case 39. + Wakes by value and by reference from other threads while the loop is dropped, and after: nothing hangs,
/// nothing is polled afterwards, every future is dropped once, and nothing of the loop is left.
#[test]
fn wakes_from_other_threads_while_the_loop_is_dropped() {
    watched(|| {
        const ROUNDS: usize = 100;
        const WAKERS: usize = 2;
        for _ in 0..ROUNDS {
            let (event_loop, shared) = loop_with_leak_oracle();
            let (drops, gates) = (Drops::new(), [(); WAKERS].map(|()| Gate::new()));
            for gate in &gates {
                let (token, gate) = (drops.token(), gate.clone());
                drop(event_loop.spawn(async move {
                    let _token = token;
                    gate.await;
                }));
            }
            settle(&event_loop);
            let barrier = Arc::new(Barrier::new(WAKERS + 1));
            let threads = gates.each_ref().map(|gate| {
                let (waker, barrier) = (gate.waker().unwrap(), barrier.clone());
                thread::spawn(move || {
                    barrier.wait();
                    for _ in 0..10 {
                        waker.wake_by_ref();
                        let by_value = waker.clone();
                        by_value.wake();
                    }
                    waker
                })
            });
            barrier.wait();
            drop(event_loop);
            assert_eq!(drops.count(), WAKERS);
            for thread in threads {
                let waker = thread.join().unwrap();
                waker.wake_by_ref();
                waker.wake();
            }
            assert_eq!(gates.each_ref().map(Gate::polls), [1; WAKERS]);
            assert_eq!((drops.count(), shared.count()), (WAKERS, 0));
            gates.iter().for_each(Gate::lose_waker);
            assert_eq!(shared.count(), 1);
        }
    });
}

/// Case 40. + A wake from another thread in the midst of the close, between two of its destructors, leaves nothing in
/// the inbox: when the wakers are gone, nothing of the loop is left.
#[test]
fn wake_during_close_leaves_nothing_queued() {
    watched(|| {
        let (event_loop, shared) = loop_with_leak_oracle();
        let gate = Gate::new();
        let (wake, woken) = (channel::<()>(), channel::<()>());
        let (asking, answered) = (wake.0, woken.1);
        drop(event_loop.spawn(hold(OnDrop(move || {
            asking.send(()).unwrap();
            answered.recv().unwrap();
        }))));
        let drops = Drops::new();
        let (token, waiting) = (drops.token(), gate.clone());
        drop(event_loop.spawn(async move {
            let _token = token;
            waiting.await;
        }));
        settle(&event_loop);
        let waker = gate.waker().unwrap();
        gate.lose_waker();
        let other = thread::spawn(move || {
            wake.1.recv().unwrap();
            waker.wake_by_ref();
            waker.wake();
            woken.0.send(()).unwrap();
        });
        drop(event_loop);
        other.join().unwrap();
        assert_eq!((gate.polls(), drops.count(), shared.count()), (1, 1, 1));
    });
}

/// RUST-10. + Submissions from another thread while the loop closes are run or refused, never lost: each task resolves
/// and each future is dropped once.
#[test]
fn submissions_while_the_loop_is_dropped_all_resolve() {
    watched(|| {
        for _ in 0..100 {
            let (event_loop, shared) = loop_with_leak_oracle();
            let (handle, barrier, drops) = (event_loop.handle(), Arc::new(Barrier::new(2)), Drops::new());
            let (start, tokens) = (barrier.clone(), drops.clone());
            let submitter = thread::spawn(move || {
                start.wait();
                let tasks: Vec<RemoteTask<()>> = (0..20).map(|_| handle.submit(hold(tokens.token()))).collect();
                tasks.into_iter().filter(|task| is_cancelled(task.result())).count()
            });
            barrier.wait();
            drop(event_loop);
            assert_eq!(submitter.join().unwrap(), 20);
            assert_eq!((drops.count(), shared.count()), (20, 1));
        }
    });
}

// A loop that ends in an unusual place.

/// RUST-10. A loop may be dropped inside a task of another one: its destructors see their own loop as the current one,
/// they may wake a task of the outer loop, and afterwards the outer loop is the current one again.
#[test]
fn loop_dropped_inside_another_loops_task() {
    let outer = virtual_loop();
    let (trace, gate) = (Trace::new(), Gate::new());
    let names = || handloop::all_tasks().into_iter().map(|task| task.name).collect::<Vec<_>>().join(" ");
    outer.run_until_complete(async {
        let waiting = gate.clone();
        let woken = spawn(waiting);
        yield_now().await;
        let inner = virtual_loop();
        let (log, opened) = (trace.clone(), gate.clone());
        let mut of_inner = inner.spawn(hold(OnDrop(move || {
            opened.open();
            let task = spawn(async {});
            log.add(format!("in the destructor: {} {}", task.name(), task.is_finished()));
        })));
        let mut submitted = inner.handle().submit(pending::<()>());
        trace.add(names());
        drop(inner);
        trace.add(names());
        assert!((&mut of_inner).await.unwrap_err().is_cancelled());
        assert!((&mut submitted).await.unwrap_err().is_cancelled());
        woken.await.unwrap();
        assert_eq!(spawn(async { 7 }).await.unwrap(), 7);
    });
    assert_eq!(trace.take(), ["Task-1 Task-2", "in the destructor: Task-3 true", "Task-1 Task-2"]);
}

thread_local! {
    static KEPT: RefCell<Option<EventLoop>> = const { RefCell::new(None) };
}

/// RUST-10. A loop that is kept in a thread-local and dropped while its thread ends drops its futures, joins its timer
/// thread, and tells who waits; whether the crate's own thread-locals are destroyed before it or after.
#[test]
fn loop_kept_in_a_thread_local_ends_with_its_thread() {
    for crate_is_first in [false, true] {
        watched(move || {
            let (drops, shared) = (Drops::new(), Drops::new());
            let (token, oracle) = (drops.token(), shared.token());
            let (sending, sent) = channel();
            let thread = thread::spawn(move || {
                if crate_is_first {
                    assert!(LoopHandle::current().is_none());
                }
                KEPT.with(|kept| {
                    let builder = EventLoop::builder().on_report(move |report| panic!("{oracle:?} {report}"));
                    kept.replace(Some(builder.build()));
                });
                KEPT.with_borrow(|kept| {
                    let event_loop = kept.as_ref().unwrap();
                    drop(event_loop.spawn(hold(token)));
                    drop(event_loop.spawn(sleep(HOUR)));
                    drop(event_loop.spawn(async { sleep(HOUR).await }));
                    sending.send(event_loop.handle().submit(async { sleep(HOUR).await })).unwrap();
                    settle(event_loop);
                });
            });
            let task: RemoteTask<()> = sent.recv().unwrap();
            assert!(is_cancelled(task.result()));
            thread.join().unwrap();
            assert_eq!(drops.count(), 1);
            drop(task);
            assert_eq!(shared.count(), 1);
        });
    }
}

/// RUST-10. The same where a destructor then wakes a task of the dying loop, and drops a sleep of it.
#[test]
fn destructors_of_a_thread_locals_loop_may_wake_and_drop_sleeps() {
    for crate_is_first in [false, true] {
        watched(move || {
            let (ending, ended) = channel();
            thread::spawn(move || {
                if crate_is_first {
                    assert!(LoopHandle::current().is_none());
                }
                KEPT.set(Some(EventLoop::new()));
                KEPT.with_borrow(|kept| {
                    let event_loop = kept.as_ref().unwrap();
                    let gate = Gate::new();
                    let mut slept = in_loop(event_loop, || sleep(HOUR));
                    poll_pending(&mut slept, Waker::noop());
                    let opened = gate.clone();
                    drop(event_loop.spawn(hold((slept, OnDrop(move || opened.open())))));
                    drop(event_loop.spawn(async move {
                        let _ended = OnDrop(move || ending.send("dropped").unwrap());
                        gate.await;
                        unreachable!("polled while the thread ends");
                    }));
                    settle(event_loop);
                });
            })
            .join()
            .unwrap();
            assert_eq!(ended.try_iter().collect::<Vec<_>>(), ["dropped"]);
        });
    }
}

// What is used after the loop's end.

/// RUST-03, RUST-10. Wakers of a loop that is gone wake nothing, on its old thread and on another, in a loop of the
/// same thread too; the last of them frees what is left.
#[test]
fn waker_outlives_its_loop() {
    let (event_loop, shared) = loop_with_leak_oracle();
    let gates = [(); 2].map(|()| Gate::new());
    for gate in &gates {
        drop(event_loop.spawn(gate.clone()));
    }
    settle(&event_loop);
    let wakers = gates.each_ref().map(|gate| gate.waker().unwrap());
    gates.iter().for_each(Gate::lose_waker);
    drop(event_loop);
    let other = virtual_loop();
    for waker in &wakers {
        waker.wake_by_ref();
        let by_value = waker.clone();
        by_value.wake();
        other.run_until_complete(async { waker.wake_by_ref() });
        assert!(waker.will_wake(&waker.clone()));
    }
    assert!(!wakers[0].will_wake(&wakers[1]));
    assert_eq!((gates.each_ref().map(Gate::polls), shared.count()), ([1, 1], 0));
    thread::spawn(move || wakers.into_iter().for_each(Waker::wake)).join().unwrap();
    assert_eq!((gates.each_ref().map(Gate::polls), shared.count()), ([1, 1], 1));
}

/// RUST-10, case 58. Handles of tasks outlive their loop: they have name, id, state and result, in another loop too,
/// and refuse a cancel.
#[test]
fn task_handles_outlive_their_loop() {
    let event_loop = virtual_loop();
    let mut finished = event_loop.spawn(async { String::from("output") });
    let mut panicked = event_loop.spawn(async { panic!("boom") });
    let mut cancelled = event_loop.spawn(pending::<()>());
    let remote = event_loop.handle().submit(async { String::from("remote") });
    settle(&event_loop);
    drop(event_loop);
    assert_eq!(
        [finished.state(), panicked.state(), cancelled.state()],
        [TaskState::Finished, TaskState::Panicked, TaskState::Cancelled]
    );
    assert!(!finished.cancel() && !panicked.cancel() && !cancelled.cancel() && !remote.cancel());
    assert_eq!((finished.id(), finished.name()), (1, "Task-1".to_owned()));
    assert_eq!(format!("{cancelled:?}"), r#"Task { name: "Task-3", state: Cancelled, .. }"#);
    handloop::run(async {
        assert_eq!((&mut finished).await.unwrap(), "output");
        assert!((&mut panicked).await.unwrap_err().is_panic());
        assert!((&mut cancelled).await.unwrap_err().is_cancelled());
        assert_eq!(remote.await.unwrap(), "remote");
    });
}

/// RUST-10, DBG-02. A panic that nobody joined before the loop's end is reported when its handle goes, also then.
#[test]
fn unjoined_panic_is_reported_after_the_loops_end() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder().virtual_clock()).build();
    let task = event_loop.spawn(async { panic!("of a task") });
    let remote = event_loop.handle().submit(async { panic!("of a submitted task") });
    let at = task.spawned_at();
    settle(&event_loop);
    drop(event_loop);
    assert_eq!(reports.take(), [""; 0]);
    drop(task);
    assert_eq!(reports.take(), [format!("Task-1 (from {at}) panicked, and nobody joined it: of a task")]);
    thread::spawn(move || drop(remote)).join().unwrap();
    let texts = reports.take();
    assert_eq!(texts.len(), 1);
    assert!(texts[0].ends_with("panicked, and nobody joined it: of a submitted task"), "{texts:?}");
}

/// RUST-10, RUST-12. A sleep outlives its loop, polled before or not: what was left of it on that loop's clock is waited
/// for on the clock of the loop that polls it next.
#[test]
fn sleep_outlives_its_loop() {
    let first = virtual_loop();
    let (mut polled, unpolled, mut over) =
        first.run_until_complete(async { (sleep(4 * SECOND), sleep(4 * SECOND), sleep(SECOND)) });
    let (counter, waker) = CountingWaker::new();
    poll_pending(&mut polled, &waker);
    poll_pending(&mut over, &waker);
    first.run_until_complete(sleep(SECOND));
    assert_eq!(counter.wakes(), 1);
    drop(first);
    assert_eq!(counter.wakes(), 2);

    let second = virtual_loop();
    let start = second.time();
    second.run_until_complete(over);
    assert_eq!(second.time() - start, Duration::ZERO);
    second.run_until_complete(polled);
    assert_eq!(second.time() - start, 3 * SECOND);
    second.run_until_complete(unpolled);
    assert_eq!(second.time() - start, 6 * SECOND);
}

/// RUST-10. The same for a sleep that a task of another loop waits for when its own loop ends: the task sleeps on.
#[test]
fn sleep_awaited_in_another_loop_survives_its_own() {
    let first = virtual_loop();
    let hour = in_loop(&first, || sleep(4 * SECOND));
    let second = virtual_loop();
    let start = second.time();
    let mut task = second.spawn(hour);
    settle(&second);
    assert!(!task.is_finished());
    drop(first);
    second.run_until_complete(&mut task).unwrap();
    assert_eq!(second.time() - start, 4 * SECOND);
}

/// RUST-10. Callback handles, a hold of the clock and the loop's time outlive their loop.
#[test]
fn callback_handles_and_clock_hold_outlive_their_loop() {
    let (event_loop, shared) = loop_with_leak_oracle();
    let handle = event_loop.handle();
    let ran = event_loop.call_soon(|| ()).unwrap();
    settle(&event_loop);
    let never = event_loop.call_soon(|| unreachable!()).unwrap();
    let timer = event_loop.call_later(SECOND, || unreachable!()).unwrap();
    let hold = handle.hold_clock();
    let time = event_loop.time();
    drop(event_loop);
    assert_eq!((ran.cancelled(), never.cancelled(), timer.cancelled()), (false, true, true));
    ran.cancel();
    never.cancel();
    timer.cancel();
    assert_eq!((ran.cancelled(), timer.when()), (false, Some(time + SECOND)));
    assert_eq!(handle.time(), time);
    drop(hold);
    drop((handle, ran, never, timer));
    assert_eq!(shared.count(), 1);
}

/// Case 86. The root future of a run that was stopped is dropped once, before the run returns, while its loop is the
/// current one; what it spawns from its destructor stays for the next run.
#[test]
fn root_of_a_stopped_run_is_dropped_before_the_run_returns() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    let log = trace.clone();
    let held = OnDrop(move || {
        let (log, inner) = (log.clone(), log.clone());
        log.add("root dropped");
        drop(spawn(async move { inner.add("spawned task ran") }));
    });
    event_loop.stop();
    assert!(event_loop.try_run_until_complete(hold(held)).is_err());
    assert_eq!(trace.take(), ["root dropped"]);
    assert!(LoopHandle::current().is_none());
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["spawned task ran"]);
}

/// RUST-09, RUST-10. A root whose destructor panics when its run was stopped: the panic is the caller's, and the loop
/// can run and close as ever.
#[test]
fn root_whose_destructor_panics_leaves_the_loop_whole() {
    let (event_loop, shared) = loop_with_leak_oracle();
    event_loop.stop();
    let result = catch_unwind(AssertUnwindSafe(|| {
        drop(event_loop.try_run_until_complete(hold(OnDrop(|| panic!("in the root's destructor")))));
    }));
    assert_eq!(common::panic_text(&*result.unwrap_err()), "in the root's destructor");
    assert!(LoopHandle::current().is_none() && !event_loop.is_running());
    assert_eq!(event_loop.run_until_complete(async { spawn(async { 7 }).await.unwrap() }), 7);
    drop(event_loop);
    assert_eq!(shared.count(), 1);
}
