//! A panic of user code, wherever the loop calls it, ends what panicked and nothing else: it is joined or reported.

mod common;

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, panic_any, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use common::{CountingWaker, Drops, Gate, OnDrop, Reports, Token, Trace, panic_of, panic_text, virtual_loop, watched};
use handloop::{
    Builder, EventLoop, LoopHandle, Report, ResultError, Task, TaskState, create_future, gather, run_in_executor,
    sleep, spawn, yield_now,
};

const SECOND: Duration = Duration::from_secs(1);

fn settle(event_loop: &EventLoop) {
    while event_loop.run_once() {}
}

/// What `make` returns when it is called inside the running loop.
fn in_loop<T>(event_loop: &EventLoop, make: impl FnOnce() -> T) -> T {
    event_loop.run_until_complete(async { make() })
}

/// A virtual loop, and its reports as text.
fn reporting_loop() -> (EventLoop, Reports) {
    let reports = Reports::new();
    (reports.collect(EventLoop::builder().virtual_clock()).build(), reports)
}

fn unjoined(who: &str, at: &Location<'_>, message: &str) -> String {
    format!("{who} (from {at}) panicked, and nobody joined it: {message}")
}

/// RUST-09: after whatever panicked, the loop runs roots, tasks, callbacks, sleeps, gathers, jobs and submissions.
fn assert_works(event_loop: &EventLoop) {
    assert!(!event_loop.is_running() && !event_loop.is_closed());
    assert!(LoopHandle::current().is_none());
    let start = event_loop.time();
    let (called, calls) = channel();
    let sum = event_loop.run_until_complete(async {
        handloop::call_soon(move || called.send(1).unwrap()).unwrap();
        let tasks = [10, 20].map(|x| {
            spawn(async move {
                sleep(SECOND).await;
                x
            })
        });
        let job = run_in_executor(|| 100).await.unwrap();
        let submitted = LoopHandle::current().unwrap().submit(async { 1000 }).await.unwrap();
        gather(tasks).await.unwrap().iter().sum::<i32>() + job + submitted
    });
    assert_eq!(sum + calls.try_recv().unwrap(), 1131);
    assert_eq!(event_loop.time() - start, SECOND);
}

/// A future with a field, which panics at its first poll: the field outlives the panic.
struct Panics {
    _token: Token,
    polls: Rc<Cell<usize>>,
}

impl Future for Panics {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        self.polls.set(self.polls.get() + 1);
        panic!("in poll");
    }
}

/// Done at its first poll; its field is dropped with it, after the poll.
struct Done<T, D> {
    output: Option<T>,
    _held: D,
}

impl<T: Unpin, D: Unpin> Future for Done<T, D> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        Poll::Ready(self.output.take().unwrap())
    }
}

/// A panic payload that is not text and whose destructor panics.
struct Bomb(#[allow(dead_code, reason = "counts its drop")] Token);

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a payload's destructor");
    }
}

/// Panics when it is called, and counts the calls.
#[derive(Default)]
struct PanickingWaker {
    calls: AtomicUsize,
    payload: Mutex<Option<Bomb>>,
}

impl PanickingWaker {
    fn new() -> (Arc<Self>, Waker) {
        let this = Arc::new(PanickingWaker::default());
        (this.clone(), Waker::from(this))
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn wait_for_call(&self) {
        while self.calls() == 0 {
            thread::yield_now();
        }
    }
}

impl Wake for PanickingWaker {
    fn wake(self: Arc<Self>) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let bomb = self.payload.lock().unwrap().take();
        match bomb {
            Some(bomb) => panic_any(bomb),
            None => panic!("in a waker"),
        }
    }
}

// Poll.

/// Case 78. A task that panics in poll is dropped once, before its joiner learns of it; the loop goes on with the rest
/// of the turn.
#[test]
fn panic_in_poll_drops_the_future_once_and_tells_the_joiner() {
    let (event_loop, reports) = reporting_loop();
    let (drops, polls, trace) = (Drops::new(), Rc::new(Cell::new(0)), Trace::new());
    let mut task = event_loop.spawn(Panics { _token: drops.token(), polls: polls.clone() });
    let neighbour = trace.clone();
    drop(event_loop.spawn(async move { neighbour.add("the next task ran") }));
    assert!(event_loop.run_once());
    assert_eq!((polls.get(), drops.count()), (1, 1));
    assert_eq!(trace.take(), ["the next task ran"]);
    assert_eq!(task.state(), TaskState::Panicked);
    let error = task.try_result().unwrap().unwrap_err();
    assert!(error.is_panic());
    assert_eq!(error.to_string(), "Task-1 panicked: in poll");
    assert_eq!(panic_text(&*error.into_panic()), "in poll");
    drop(task);
    assert!(!event_loop.run_once());
    assert_works(&event_loop);
    drop(event_loop);
    assert_eq!((polls.get(), drops.count()), (1, 1));
    assert_eq!(reports.take(), [""; 0]);
}

/// Case 78. The locals of an async block that panics are dropped while it panics, in reverse order; a joiner that
/// waits is woken afterwards, and sees none of them alive.
#[test]
fn panic_in_poll_drops_locals_before_the_waiting_joiner_resumes() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    let on_drop = |name: &'static str| {
        let trace = trace.clone();
        OnDrop(move || trace.add(format!("{name} dropped, panicking: {}", thread::panicking())))
    };
    event_loop.run_until_complete(async {
        let (first, second, captured) = (on_drop("first"), on_drop("second"), on_drop("captured"));
        let task = spawn(async move {
            let _captured = captured;
            let (_first, _second) = (first, second);
            yield_now().await;
            panic!("in poll");
        });
        let error = task.await.unwrap_err();
        trace.add(format!("joined: {error}"));
    });
    assert_eq!(
        trace.take(),
        [
            "second dropped, panicking: true",
            "first dropped, panicking: true",
            "captured dropped, panicking: true",
            "joined: Task-2 panicked: in poll",
        ]
    );
}

/// Case 79. A task that is detached during the poll in which it panics: its panic is reported, and the future dropped
/// once.
#[test]
fn panic_of_a_task_detached_during_its_poll_is_reported() {
    let (event_loop, reports) = reporting_loop();
    let drops = Drops::new();
    let handle: Rc<RefCell<Option<Task<()>>>> = Rc::default();
    let (own, token) = (handle.clone(), drops.token());
    let task = event_loop.spawn(async move {
        let _token = token;
        drop(own.take());
        panic!("detached");
    });
    let at = task.spawned_at();
    *handle.borrow_mut() = Some(task);
    assert!(event_loop.run_once());
    assert_eq!(drops.count(), 1);
    assert_eq!(reports.take(), [unjoined("Task-1", at, "detached")]);
    assert_works(&event_loop);
}

/// Case 79. A task that is cancelled during the poll in which it panics has panicked.
#[test]
fn panic_of_a_task_cancelled_during_its_poll_is_its_end() {
    let (event_loop, reports) = reporting_loop();
    let drops = Drops::new();
    let handle: Rc<RefCell<Option<Task<()>>>> = Rc::default();
    let (own, token) = (handle.clone(), drops.token());
    *handle.borrow_mut() = Some(event_loop.spawn(async move {
        let _token = token;
        assert!(own.borrow().as_ref().unwrap().cancel());
        panic!("cancelled");
    }));
    assert!(event_loop.run_once());
    assert_eq!(drops.count(), 1);
    let mut task = handle.take().unwrap();
    assert_eq!(task.try_result().unwrap().unwrap_err().to_string(), "Task-1 panicked: cancelled");
    assert!(!event_loop.run_once());
    assert_eq!((drops.count(), reports.take()), (1, vec![]));
}

/// Case 79. The same two across threads, with the cancel and the detach made while the poll runs.
#[test]
fn panic_of_a_submitted_task_cancelled_or_detached_during_its_poll() {
    for is_detached in [false, true] {
        watched(move || {
            let reports = Reports::new();
            let event_loop = reports.collect(EventLoop::builder()).build();
            let ((entering, entered), (going, go), drops) = (channel(), channel(), Drops::new());
            let token = drops.token();
            let task = event_loop.handle().submit(async move {
                let _token = token;
                entering.send(()).unwrap();
                go.recv().unwrap();
                panic!("in the poll");
            });
            let other = thread::spawn(move || {
                entered.recv().unwrap();
                if is_detached {
                    drop(task);
                    going.send(()).unwrap();
                } else {
                    assert!(task.cancel());
                    going.send(()).unwrap();
                    match task.result() {
                        Err(ResultError::Failed(error)) => {
                            assert_eq!(error.to_string(), "Task-1 panicked: in the poll");
                        }
                        other => panic!("a panic was expected, not {:?}", other),
                    }
                }
            });
            assert!(event_loop.run_once());
            other.join().unwrap();
            assert_eq!((drops.count(), reports.take().len()), (1, usize::from(is_detached)));
            assert!(!event_loop.run_once());
        });
    }
}

/// Case 80. A task that is woken during the poll in which it then panics, by itself, by a clone, or from another
/// thread, is not polled again.
#[test]
fn wake_during_a_poll_that_then_panics_schedules_nothing() {
    let event_loop = virtual_loop();
    let (polls, kept) = (Rc::new(Cell::new(0)), Rc::new(RefCell::new(None)));
    let (counted, keep) = (polls.clone(), kept.clone());
    let mut task = event_loop.spawn(poll_fn(move |context| -> Poll<()> {
        counted.set(counted.get() + 1);
        let waker = context.waker().clone();
        context.waker().wake_by_ref();
        waker.wake_by_ref();
        let elsewhere = waker.clone();
        thread::spawn(move || elsewhere.wake()).join().unwrap();
        keep.replace(Some(waker));
        panic!("after the wake");
    }));
    assert!(event_loop.run_once());
    assert!(!event_loop.run_once());
    kept.take().unwrap().wake();
    assert!(!event_loop.run_once());
    assert_eq!(polls.get(), 1);
    assert_eq!(task.try_result().unwrap().unwrap_err().to_string(), "Task-1 panicked: after the wake");
}

/// Case 81. A handle that is polled after the panic errs at once, polled before or not; one that waited was woken
/// once.
#[test]
fn handle_polled_after_the_panic_errs() {
    for waits_before in [false, true] {
        let event_loop = virtual_loop();
        let mut task = event_loop.spawn(async { panic!("boom") });
        let (counter, waker) = CountingWaker::new();
        let mut context = Context::from_waker(&waker);
        if waits_before {
            assert!(pin!(&mut task).poll(&mut context).is_pending());
        }
        settle(&event_loop);
        assert_eq!(counter.wakes(), usize::from(waits_before));
        match pin!(&mut task).poll(&mut context) {
            Poll::Ready(Err(error)) => assert_eq!(error.to_string(), "Task-1 panicked: boom"),
            Poll::Ready(Ok(())) | Poll::Pending => panic!("a panic was expected"),
        }
    }
}

/// Case 81. The same for a handle on another thread, blocked or asking later.
#[test]
fn remote_handle_errs_after_the_panic() {
    watched(|| {
        let event_loop = EventLoop::new();
        let handle = event_loop.handle();
        let joiner = thread::spawn(move || {
            let blocked = handle.submit(async { panic!("boom") });
            let later = handle.submit(async { panic!("boom again") });
            for (n, task) in [blocked, later].into_iter().enumerate() {
                match task.result() {
                    Err(ResultError::Failed(error)) => {
                        let text = ["Task-1 panicked: boom", "Task-2 panicked: boom again"][n];
                        assert_eq!(error.to_string(), text);
                    }
                    other => panic!("a panic was expected, not {:?}", other),
                }
            }
            handle.stop();
        });
        event_loop.run_forever();
        joiner.join().unwrap();
    });
}

/// RUST-09, LOOP-13, case 7. A panic of the root future leaves the run, as it was thrown; what was queued behind it
/// stays for the next run, in its order, and the loop and its thread can run again.
#[test]
fn panic_of_the_root_leaves_the_run_and_keeps_the_rest_of_the_batch() {
    let (event_loop, reports) = reporting_loop();
    let trace = Trace::new();
    let note = |event: &'static str| {
        let trace = trace.clone();
        move || trace.add(event)
    };
    event_loop.call_soon(note("before")).unwrap();
    let payload = catch_unwind(AssertUnwindSafe(|| {
        event_loop.run_until_complete(async {
            handloop::call_soon(note("second")).unwrap();
            handloop::call_later(SECOND, note("third")).unwrap();
            yield_now().await;
            handloop::call_soon(note("fourth, before the timer")).unwrap();
            panic_any(42_u64);
        })
    }))
    .unwrap_err();
    assert_eq!(*payload.downcast::<u64>().unwrap(), 42);
    assert_eq!(trace.take(), ["before", "second"]);
    assert!(event_loop.all_tasks().is_empty());
    settle(&event_loop);
    assert_eq!(trace.take(), ["fourth, before the timer"]);
    event_loop.run_until_complete(sleep(SECOND));
    assert_eq!(trace.take(), ["third"]);
    assert_works(&event_loop);
    assert_eq!(reports.take(), [""; 0]);
}

// Callbacks.

/// LOOP-12. A callback that panics is reported, and the later callbacks of the batch run; so for each way to schedule
/// one.
#[test]
fn panic_of_a_callback_is_reported_and_the_batch_goes_on() {
    type Schedule = (&'static str, fn(&EventLoop, Box<dyn FnOnce() + Send>));
    let ways: [Schedule; 4] = [
        ("call_soon", |event_loop, f| drop(event_loop.call_soon(f).unwrap())),
        ("call_later", |event_loop, f| drop(event_loop.call_later(SECOND, f).unwrap())),
        ("call_at", |event_loop, f| drop(event_loop.call_at(event_loop.time() + SECOND, f).unwrap())),
        ("call_soon_threadsafe", |event_loop, f| event_loop.handle().call_soon_threadsafe(f).unwrap()),
    ];
    for (name, schedule) in ways {
        let panics = Arc::new(Mutex::new(Vec::new()));
        let reported = panics.clone();
        let event_loop = EventLoop::builder()
            .virtual_clock()
            .on_report(move |report| match report {
                Report::Panic { task, message } => reported
                    .lock()
                    .unwrap()
                    .push(format!("{} {} {:?} {} {message}", task.name, task.id, task.state, task.polls)),
                other => panic!("not {other}"),
            })
            .build();
        let ran = Arc::new(Mutex::new(Vec::new()));
        for n in 1..=4 {
            let ran = ran.clone();
            let callback = move || {
                assert!(n % 2 == 0, "callback {n}");
                ran.lock().unwrap().push(n);
            };
            schedule(&event_loop, Box::new(callback));
        }
        event_loop.run_until_complete(sleep(SECOND));
        settle(&event_loop);
        assert_eq!(*ran.lock().unwrap(), [2, 4], "{name}");
        assert_eq!(
            *panics.lock().unwrap(),
            ["a callback 0 Panicked 1 callback 1", "a callback 0 Panicked 1 callback 3"],
            "{name}"
        );
        assert_works(&event_loop);
    }
}

/// LOOP-12. The report of a callback names the line that scheduled it.
#[test]
fn report_of_a_callback_names_its_line() {
    let (event_loop, reports) = reporting_loop();
    let line = line!() + 1;
    event_loop.call_soon(|| panic!("boom")).unwrap();
    settle(&event_loop);
    assert_eq!(
        reports.take(),
        [format!("a callback (from {}:{line}:16) panicked, and nobody joined it: boom", file!())]
    );
}

// Destructors of futures and outputs.

/// RUST-09, case 78. A future whose destructor panics after it was ready has finished: the joiner has its output, and
/// the panic is reported.
#[test]
fn panic_in_the_destructor_of_a_finished_future_is_reported_and_the_output_kept() {
    let (event_loop, reports) = reporting_loop();
    let held = OnDrop(|| panic!("in the destructor"));
    let mut task = event_loop.spawn(Done { output: Some(7), _held: held });
    let at = task.spawned_at();
    settle(&event_loop);
    assert_eq!(task.state(), TaskState::Finished);
    assert_eq!(task.try_result().unwrap().unwrap(), 7);
    assert_eq!(reports.take(), [unjoined("Task-1", at, "in the destructor")]);
    assert_works(&event_loop);
}

/// Case 78. Where poll panics and the destructor too, the joiner gets the first panic, and the second is reported.
#[test]
fn panic_in_poll_and_in_the_destructor_are_joined_and_reported() {
    struct Twice;
    impl Future for Twice {
        type Output = ();
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            panic!("in poll");
        }
    }
    impl Drop for Twice {
        fn drop(&mut self) {
            panic!("in the destructor");
        }
    }
    let (event_loop, reports) = reporting_loop();
    let mut task = event_loop.spawn(Twice);
    let detached = event_loop.spawn(Twice);
    let (at, detached_at) = (task.spawned_at(), detached.spawned_at());
    drop(detached);
    settle(&event_loop);
    assert_eq!(task.try_result().unwrap().unwrap_err().to_string(), "Task-1 panicked: in poll");
    assert_eq!(
        reports.take(),
        [
            unjoined("Task-1", at, "in the destructor"),
            unjoined("Task-2", detached_at, "in poll"),
            unjoined("Task-2", detached_at, "in the destructor"),
        ]
    );
    assert_works(&event_loop);
}

/// RUST-09. An output that nobody takes and whose destructor panics is reported, and the loop goes on with the turn.
#[test]
fn panic_in_the_destructor_of_a_detached_output_is_reported() {
    let (event_loop, reports) = reporting_loop();
    let trace = Trace::new();
    let task = event_loop.spawn(async { OnDrop(|| panic!("the output")) });
    let at = task.spawned_at();
    drop(task);
    let neighbour = trace.clone();
    drop(event_loop.spawn(async move { neighbour.add("the next task ran") }));
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["the next task ran"]);
    assert_eq!(reports.take(), [unjoined("Task-1", at, "the output")]);
    assert_works(&event_loop);
}

/// RUST-09. The same for a submitted task, and for a job, whose handle was dropped before.
#[test]
fn panic_in_the_destructor_of_a_detached_remote_output_or_job_is_reported() {
    watched(|| {
        let (event_loop, reports) = reporting_loop();
        drop(event_loop.handle().submit(async { OnDrop(|| panic!("the output")) }));
        settle(&event_loop);
        let texts = reports.take();
        assert_eq!(texts.len(), 1);
        assert!(texts[0].starts_with("Task-1 (from ") && texts[0].ends_with("joined it: the output"), "{texts:?}");

        let (going, go) = channel::<()>();
        event_loop.run_until_complete(async {
            drop(run_in_executor(move || {
                go.recv().unwrap();
                OnDrop(|| panic!("the job's output"))
            }));
        });
        going.send(()).unwrap();
        event_loop.close();
        let texts = reports.take();
        assert_eq!(texts.len(), 1);
        assert!(
            texts[0].starts_with("Task-3 (from ") && texts[0].ends_with("joined it: the job's output"),
            "{texts:?}"
        );
    });
}

/// RUST-09. A finished output that is dropped with its handle belongs to whoever drops the handle: so does its panic.
#[test]
fn panic_in_the_destructor_of_an_unread_output_goes_to_whoever_drops_the_handle() {
    let (event_loop, reports) = reporting_loop();
    let task = event_loop.spawn(async { OnDrop(|| panic!("the output")) });
    let submitted = event_loop.handle().submit(async { OnDrop(|| panic!("the output")) });
    settle(&event_loop);
    assert_eq!(panic_of(|| drop(task)), "the output");
    assert_eq!(panic_of(|| drop(submitted)), "the output");
    assert_eq!(reports.take(), [""; 0]);
    assert_works(&event_loop);
}

// Payloads.

/// RUST-09. A payload that is not text is reported as that, and one whose own destructor panics does no harm, wherever
/// the loop drops it: at the end of a detached task or callback, with a dropped handle of a task, a submitted task or
/// a job, and at the loop's close.
#[test]
fn payload_whose_destructor_panics_is_contained() {
    watched(|| {
        let panics = Arc::new(Mutex::new(Vec::new()));
        let reported = panics.clone();
        let event_loop = EventLoop::builder()
            .virtual_clock()
            .on_report(move |report| match report {
                Report::Panic { task, message } => {
                    reported.lock().unwrap().push(format!("{}: {message}", task.name));
                }
                other => panic!("not {other}"),
            })
            .build();
        let drops = Drops::new();
        let bomb = || Bomb(drops.token());
        let assert_one = |who: &str, count: usize| {
            let texts = std::mem::take(&mut *panics.lock().unwrap());
            assert_eq!(texts, [format!("{who}: (a payload that is not text)")]);
            assert_eq!(drops.count(), count);
        };

        let payload = bomb();
        drop(event_loop.spawn(async move { panic_any(payload) }));
        settle(&event_loop);
        assert_one("Task-1", 1);

        let payload = bomb();
        event_loop.call_soon(move || panic_any(payload)).unwrap();
        settle(&event_loop);
        assert_one("a callback", 2);

        let payload = bomb();
        let task = event_loop.spawn(async move { panic_any(payload) });
        settle(&event_loop);
        assert_eq!(drops.count(), 2);
        drop(task);
        assert_one("Task-2", 3);

        let payload = bomb();
        let submitted = event_loop.handle().submit(async move { panic_any(payload) });
        settle(&event_loop);
        assert_eq!(drops.count(), 3);
        drop(submitted);
        assert_one("Task-3", 4);

        let payload = bomb();
        event_loop.run_until_complete(async {
            let (going, go) = channel::<()>();
            let job = run_in_executor(move || {
                go.recv().unwrap();
                panic_any(payload)
            });
            going.send(()).unwrap();
            while !job.is_finished() {
                handloop::yield_now().await;
            }
            drop(job);
        });
        assert_one("Task-5", 5);

        let payload = Cell::new(Some(bomb()));
        let dropped = OnDrop(move || panic_any(payload.take().unwrap()));
        drop(event_loop.spawn(async move {
            let _dropped = dropped;
            pending::<()>().await;
        }));
        settle(&event_loop);
        assert_works(&event_loop);
        event_loop.close();
        assert_one("Task-6", 6);
    });
}

// Wakers of the user's that the loop calls.

/// Polls `future` once with `waker`, and it must pend.
fn poll_pending<F: Future + Unpin>(future: &mut F, waker: &Waker) {
    assert!(Pin::new(future).poll(&mut Context::from_waker(waker)).is_pending());
}

/// RUST-09. A joiner's waker that panics, even with a payload that panics, is called once, and takes neither the loop
/// nor the rest of the turn with it; the result is there.
#[test]
fn panic_of_a_joiners_waker_is_contained() {
    for with_bomb in [false, true] {
        let (event_loop, reports) = reporting_loop();
        let (trace, drops) = (Trace::new(), Drops::new());
        let mut task = event_loop.spawn(async { 7 });
        let mut submitted = event_loop.handle().submit(async { 8 });
        let neighbour = trace.clone();
        drop(event_loop.spawn(async move { neighbour.add("the next task ran") }));
        let (calls, waker) = PanickingWaker::new();
        if with_bomb {
            *calls.payload.lock().unwrap() = Some(Bomb(drops.token()));
        }
        poll_pending(&mut task, &waker);
        poll_pending(&mut submitted, &waker);
        assert!(event_loop.run_once());
        assert_eq!(calls.calls(), 2);
        assert_eq!(drops.count(), usize::from(with_bomb));
        assert_eq!(trace.take(), ["the next task ran"]);
        assert_eq!(task.try_result().unwrap().unwrap(), 7);
        assert_eq!(submitted.result().unwrap(), 8);
        assert_eq!(reports.take(), [""; 0]);
        assert_works(&event_loop);
    }
}

/// RUST-09. A gather's waker that panics is called once, and the results are there.
#[test]
fn panic_of_a_gathers_waker_is_contained() {
    let (event_loop, _) = reporting_loop();
    let mut gathered = gather([1, 2].map(|x| event_loop.spawn(async move { x })));
    let (calls, waker) = PanickingWaker::new();
    poll_pending(&mut gathered, &waker);
    settle(&event_loop);
    assert_eq!(calls.calls(), 1);
    assert_eq!(event_loop.run_until_complete(gathered).unwrap(), [1, 2]);
    assert_works(&event_loop);
}

/// RUST-09. A sleep's waker that panics leaves the sleeps that are due at the same time alone.
#[test]
fn panic_of_a_sleeps_waker_leaves_the_other_sleeps_alone() {
    let (event_loop, _) = reporting_loop();
    let (panics, waker) = PanickingWaker::new();
    let (counter, counting) = CountingWaker::new();
    event_loop.run_until_complete(async {
        let mut sleeps = [(); 3].map(|()| sleep(SECOND));
        poll_pending(&mut sleeps[0], &counting);
        poll_pending(&mut sleeps[1], &waker);
        poll_pending(&mut sleeps[2], &counting);
        sleep(SECOND).await;
        assert_eq!((panics.calls(), counter.wakes()), (1, 2));
        for sleep in sleeps {
            sleep.await;
        }
    });
    assert_works(&event_loop);
}

/// RUST-09. The same for sleeps on the clock of the process, which its timer thread wakes: that thread lives on.
#[test]
fn panic_of_a_wakers_sleep_outside_any_loop_is_contained_in_real_time() {
    watched(|| {
        struct Unpark(thread::Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let (panics, waker) = PanickingWaker::new();
        let mut first = sleep(Duration::from_millis(2));
        poll_pending(&mut first, &waker);
        panics.wait_for_call();
        let unpark = Waker::from(Arc::new(Unpark(thread::current())));
        let mut second = sleep(Duration::from_millis(2));
        while Pin::new(&mut second).poll(&mut Context::from_waker(&unpark)).is_pending() {
            thread::park();
        }
        assert_eq!(panics.calls(), 1);
    });
}

/// RUST-09. A waker that panics when the loop's close calls it keeps nobody else from hearing of the end.
#[test]
fn panic_of_a_waker_during_close_leaves_the_others_told() {
    let (event_loop, reports) = reporting_loop();
    let (panics, waker) = PanickingWaker::new();
    let (counter, counting) = CountingWaker::new();
    let mut tasks = [(); 4].map(|()| event_loop.spawn(pending::<()>()));
    let mut submitted = [(); 2].map(|()| event_loop.handle().submit(pending::<()>()));
    let mut sleeps = event_loop.run_until_complete(async { [(); 2].map(|()| sleep(SECOND)) });
    for (n, task) in tasks.iter_mut().enumerate() {
        poll_pending(task, [&waker, &counting][n % 2]);
    }
    for (n, task) in submitted.iter_mut().enumerate() {
        poll_pending(task, [&waker, &counting][n % 2]);
    }
    for (n, sleep) in sleeps.iter_mut().enumerate() {
        poll_pending(sleep, [&waker, &counting][n % 2]);
    }
    event_loop.close();
    assert_eq!((panics.calls(), counter.wakes()), (4, 4));
    for task in &mut tasks {
        assert!(task.try_result().unwrap().unwrap_err().is_cancelled());
    }
    for task in submitted {
        match task.result() {
            Err(ResultError::Failed(error)) => assert!(error.is_cancelled()),
            other => panic!("cancelled was expected, not {other:?}"),
        }
    }
    assert_eq!(reports.take(), [""; 0]);
}

/// RUST-09. A waker that panics when a promise is kept, in the loop, ends nothing but the task that kept it; the result
/// is there.
#[test]
fn panic_of_a_promises_waker_keeps_the_result() {
    let (event_loop, _) = reporting_loop();
    let (promise, mut future) = create_future();
    let (panics, waker) = PanickingWaker::new();
    poll_pending(&mut future, &waker);
    drop(event_loop.spawn(async move { promise.set_result(7) }));
    settle(&event_loop);
    assert_eq!(panics.calls(), 1);
    assert_eq!(future.try_result(), Some(Ok(7)));
    assert_works(&event_loop);
}

/// RUST-09. A waker that panics when a job's result is there leaves the loop as it was: the clock jumps again.
#[test]
fn panic_of_a_jobs_waker_leaves_no_job_counted() {
    watched(|| {
        let (event_loop, _) = reporting_loop();
        let (panics, waker) = PanickingWaker::new();
        let (going, go) = channel::<()>();
        let mut job = in_loop(&event_loop, || {
            run_in_executor(move || {
                go.recv().unwrap();
                7
            })
        });
        poll_pending(&mut job, &waker);
        going.send(()).unwrap();
        while !event_loop.run_until_complete(async {
            handloop::yield_now().await;
            job.is_finished()
        }) {}
        assert_eq!(event_loop.run_until_complete(job).unwrap(), 7);
        // A clock that stands still for ever would hang here. The limit is met only by that defect.
        let handle = event_loop.handle();
        let (finished, finishes) = channel::<()>();
        let limit = thread::spawn(move || {
            if finishes.recv_timeout(Duration::from_secs(10)).is_err() {
                handle.stop();
            }
        });
        let result = event_loop.try_run_until_complete(sleep(SECOND));
        let _ = finished.send(());
        limit.join().unwrap();
        assert_eq!(panics.calls(), 1);
        assert!(result.is_ok(), "the clock did not jump: {result:?}");
    });
}

// Jobs.

/// RUST-09. A job that panics is the panic of its joiner, or is reported if it has none, and the loop goes on.
#[test]
fn panic_of_a_job_is_joined_or_reported() {
    watched(|| {
        let (event_loop, reports) = reporting_loop();
        let error = event_loop.run_until_complete(async { run_in_executor(|| panic!("boom")).await.unwrap_err() });
        assert_eq!(error.to_string(), "Task-2 panicked: boom");
        assert_eq!(reports.take(), [""; 0]);
        let (going, go) = channel::<()>();
        event_loop.run_until_complete(async {
            drop(run_in_executor(move || {
                go.recv().unwrap();
                panic!("unjoined");
            }));
        });
        going.send(()).unwrap();
        assert_works(&event_loop);
        event_loop.close();
        let texts = reports.take();
        assert_eq!(texts.len(), 1);
        assert!(texts[0].starts_with("Task-4 (from ") && texts[0].ends_with("joined it: unjoined"), "{texts:?}");
    });
}

// on_report.

/// A loop whose receiver of reports counts them, then does `then`.
fn loop_with_receiver(then: impl Fn(usize) + Send + Sync + 'static) -> (EventLoop, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let builder: Builder = EventLoop::builder().virtual_clock();
    let event_loop = builder.on_report(move |_| then(counted.fetch_add(1, Ordering::SeqCst))).build();
    (event_loop, count)
}

/// RUST-09. A receiver of reports that panics, even with a payload that panics, takes nothing with it: the rest of
/// the turn runs, and later reports are delivered.
#[test]
fn panic_of_the_report_receiver_is_contained() {
    for with_bomb in [false, true] {
        let drops = Drops::new();
        let bombs = drops.clone();
        let (event_loop, count) = loop_with_receiver(move |_| {
            if with_bomb {
                panic_any(Bomb(bombs.token()));
            }
            panic!("in on_report");
        });
        let trace = Trace::new();
        for n in 1..=2 {
            event_loop.call_soon(|| panic!("boom")).unwrap();
            let ran = trace.clone();
            drop(event_loop.spawn(async move { ran.add(format!("task {n} ran")) }));
        }
        assert!(event_loop.run_once());
        assert_eq!(trace.take(), ["task 1 ran", "task 2 ran"]);
        assert_eq!(count.load(Ordering::SeqCst), 2);

        let task = event_loop.spawn(async { panic!("boom") });
        let submitted = event_loop.handle().submit(async { panic!("boom") });
        settle(&event_loop);
        drop(task);
        thread::spawn(move || drop(submitted)).join().unwrap();
        assert_eq!(count.load(Ordering::SeqCst), 4);
        assert_works(&event_loop);

        drop(event_loop.spawn(async {
            let _bomb = OnDrop(|| panic!("at close"));
            pending::<()>().await;
        }));
        settle(&event_loop);
        event_loop.close();
        assert_eq!(count.load(Ordering::SeqCst), 5);
        assert_eq!(drops.count(), if with_bomb { 5 } else { 0 });
    }
}

/// RUST-08. A receiver of reports may use the loop that it hears of: it is called under no lock and no borrow.
#[test]
fn report_receiver_may_use_its_loop() {
    watched(|| {
        let (event_loop, count) = loop_with_receiver(|nth| {
            let handle = LoopHandle::current().unwrap();
            let _ = (handle.time(), handloop::all_tasks(), handloop::current_task());
            drop(handle.submit(async {}));
            drop(spawn(async {}));
            drop(handloop::call_later(SECOND, || {}));
            if nth == 0 {
                drop(spawn(async { panic!("from within a report") }));
            }
        });
        event_loop.call_soon(|| panic!("boom")).unwrap();
        settle(&event_loop);
        assert_eq!(count.load(Ordering::SeqCst), 2);
        assert_works(&event_loop);
    });
}

// All at once.

/// RUST-09. One turn in which everything panics that can: each is dealt with by itself, in order, and what does not
/// panic runs.
#[test]
fn turn_in_which_everything_panics_runs_to_its_end() {
    let panics = Arc::new(Mutex::new(Vec::new()));
    let reported = panics.clone();
    let event_loop = EventLoop::builder()
        .virtual_clock()
        .on_report(move |report| {
            if let Report::Panic { task, message } = report {
                reported.lock().unwrap().push(format!("{}: {message}", task.name));
            }
            panic!("in on_report");
        })
        .build();
    let (gate, trace) = (Gate::new(), Trace::new());
    let (calls, waker) = PanickingWaker::new();
    let waiting = gate.clone();
    let cancelled = event_loop.spawn(async move {
        let _bomb = OnDrop(|| panic!("cancelled future"));
        waiting.await;
    });
    settle(&event_loop);
    cancelled.cancel();
    drop(cancelled);
    drop(event_loop.spawn(async { panic!("poll") }));
    drop(event_loop.spawn(Done { output: Some(()), _held: OnDrop(|| panic!("finished future")) }));
    drop(event_loop.spawn(async { OnDrop(|| panic!("output")) }));
    event_loop.call_soon(|| panic!("callback")).unwrap();
    let mut joined = event_loop.spawn(async { 7 });
    poll_pending(&mut joined, &waker);
    let payload = Bomb(Drops::new().token());
    drop(event_loop.spawn(async move { panic_any(payload) }));
    let last = trace.clone();
    drop(event_loop.spawn(async move { last.add("the last task ran") }));

    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["the last task ran"]);
    assert_eq!(
        *panics.lock().unwrap(),
        [
            "Task-2: poll",
            "Task-3: finished future",
            "Task-4: output",
            "a callback: callback",
            "Task-6: (a payload that is not text)",
            "Task-1: cancelled future",
        ]
    );
    assert_eq!(calls.calls(), 1);
    assert_eq!(joined.try_result().unwrap().unwrap(), 7);
    assert_works(&event_loop);
}

/// A panic that crosses a join goes on as it was thrown.
#[test]
fn payload_crosses_the_join_unchanged() {
    let event_loop = virtual_loop();
    let payload = catch_unwind(AssertUnwindSafe(|| {
        event_loop.run_until_complete(async {
            let task = spawn(async { panic_any(42_u64) });
            resume_unwind(task.await.unwrap_err().into_panic())
        })
    }))
    .unwrap_err();
    assert_eq!(*payload.downcast::<u64>().unwrap(), 42);
    assert_works(&event_loop);
}
