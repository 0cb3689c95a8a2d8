//! What a loop says: the exact texts of its reports, errors and panics, and the lines that they name.

mod common;

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::future::{pending, poll_fn};
use std::panic::{Location, panic_any};
use std::process::Command;
use std::rc::Rc;
use std::sync::{Arc, Mutex, Once};
use std::task::Poll;
use std::thread::{self, ThreadId};
use std::time::Duration;

use common::{Drops, Gate, OnDrop, Reports, Trace, panic_of, virtual_loop, watched};
use handloop::{
    EventLoop, LoopHandle, Report, RunError, StallReport, TaskInfo, TaskState, WakerFate, call_at, call_later,
    call_soon, current_task, gather, run_in_executor, sleep, spawn, spawn_named, time, yield_now,
};

const NOTHING: [&str; 0] = [];

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A loop whose reports are collected as text.
fn reporting() -> (EventLoop, Reports) {
    let reports = Reports::new();
    (reports.collect(EventLoop::builder().virtual_clock()).build(), reports)
}

/// Where a panic of this thread said that it happened.
fn place_of(code: impl FnOnce()) -> (String, String) {
    thread_local! {
        static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
    }
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let place = info.location().map(|place| format!("{}:{}", place.file(), place.line()));
            PLACE.with(|last| *last.borrow_mut() = place.unwrap_or_default());
            before(info);
        }));
    });
    let text = panic_of(code);
    (text, PLACE.with(RefCell::take))
}

/// The code panics with this text, and the panic names this very line.
macro_rules! panics_here {
    ($code:expr, $text:expr) => {
        assert_eq!(place_of(|| _ = $code), (String::from($text), format!("{}:{}", file!(), line!())))
    };
}

/// What a process of its own writes to stderr while it runs `body`; `None` in that process.
fn stderr_of(test: &str, body: impl FnOnce() + Send + 'static) -> Option<String> {
    const CHILD: &str = "HANDLOOP_TEST_STDERR";
    if std::env::var(CHILD).is_ok_and(|child| child == test) {
        watched(body);
        return None;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, test)
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{}{text}", String::from_utf8_lossy(&output.stdout));
    Some(text)
}

/// The lines of stderr that are reports.
fn reports_in(stderr: &str) -> Vec<&str> {
    stderr.lines().filter(|line| line.starts_with("handloop: ")).collect()
}

fn stall_of<T: std::fmt::Debug>(result: Result<T, RunError>) -> StallReport {
    match result {
        Err(RunError::Stalled(report)) => report,
        other => panic!("this must stall: {other:?}"),
    }
}

// Panics of the one at fault, and the lines that they name.

/// LOOP-04, case 5. A loop run inside its own run names the line of the second run.
#[test]
fn run_inside_its_own_run_names_its_line() {
    const TEXT: &str = "this event loop is already running: await the future, or spawn it";
    let event_loop = EventLoop::new();
    event_loop.run_until_complete(async {
        panics_here!(event_loop.run_until_complete(async {}), TEXT);
        panics_here!(event_loop.try_run_until_complete(async {}), TEXT);
        panics_here!(event_loop.run_forever(), TEXT);
        panics_here!(event_loop.run_once(), TEXT);
    });
}

/// LOOP-04, RUN-02, case 5. A loop run inside the run of another names the line of the second run.
#[test]
fn run_inside_the_run_of_another_loop_names_its_line() {
    const TEXT: &str =
        "another event loop is running on this thread: await the future there, or run this loop in another thread";
    let other = EventLoop::new();
    EventLoop::new().run_until_complete(async {
        panics_here!(other.run_until_complete(async {}), TEXT);
        panics_here!(other.try_run_until_complete(async {}), TEXT);
        panics_here!(other.run_forever(), TEXT);
        panics_here!(other.run_once(), TEXT);
        panics_here!(handloop::run(async {}), TEXT);
    });
}

/// LOOP-09. A run of a closed loop names its line.
#[test]
fn run_of_a_closed_loop_names_its_line() {
    const TEXT: &str = "the event loop is closed: make a new one to run anything";
    let event_loop = EventLoop::new();
    event_loop.close();
    panics_here!(event_loop.run_until_complete(async {}), TEXT);
    panics_here!(event_loop.try_run_until_complete(async {}), TEXT);
    panics_here!(event_loop.run_forever(), TEXT);
    panics_here!(event_loop.run_once(), TEXT);
}

/// LOOP-08. A close of a running loop names its line.
#[test]
fn close_of_a_running_loop_names_its_line() {
    const TEXT: &str = "a running event loop cannot be closed: stop it, and close it after its run";
    let event_loop = EventLoop::new();
    event_loop.run_until_complete(async {
        panics_here!(event_loop.close(), TEXT);
    });
}

/// TASK-02. What needs a running loop, called outside, names itself, its line, and what to do instead.
#[test]
fn call_outside_a_running_loop_names_itself_and_its_line() {
    let text = |function: &str| {
        format!("{function} needs a running loop: call it inside handloop::run or EventLoop::run_until_complete")
    };
    let now = EventLoop::new().time();
    panics_here!(spawn(async {}), text("spawn"));
    panics_here!(spawn_named("name", async {}), text("spawn_named"));
    panics_here!(time(), text("time"));
    panics_here!(handloop::all_tasks(), text("all_tasks"));
    panics_here!(call_soon(|| ()), text("call_soon"));
    panics_here!(call_later(seconds(1), || ()), text("call_later"));
    panics_here!(call_at(now, || ()), text("call_at"));
    panics_here!(run_in_executor(|| ()), text("run_in_executor"));
    assert_eq!(current_task(), None);
}

/// TASK-02. Outside a running loop is also after one, and on another thread while one runs.
#[test]
fn spawn_after_a_run_and_on_another_thread_panics() {
    const TEXT: &str = "spawn needs a running loop: call it inside handloop::run or EventLoop::run_until_complete";
    let event_loop = EventLoop::new();
    event_loop.run_until_complete(async {
        let texts = thread::spawn(|| panic_of(|| drop(spawn(async {})))).join().unwrap();
        assert_eq!(texts, TEXT);
    });
    panics_here!(spawn(async {}), TEXT);
}

/// LOOP-05. `run_until_complete` of a stopped and of a stalled loop names its line, with the text of the error.
#[test]
fn run_without_an_output_names_its_line() {
    const STOPPED: &str = "The event loop was stopped before its future completed.";
    let event_loop = virtual_loop();
    event_loop.stop();
    panics_here!(event_loop.run_until_complete(pending::<()>()), STOPPED);
    let place = format!("{}:{}", file!(), line!() + 1);
    let (text, at) = place_of(|| event_loop.run_until_complete(pending::<()>()));
    assert_eq!(at, place);
    assert_eq!(
        text,
        format!(
            "The loop is stalled: 1 task waits, and nothing is left that could wake it.\n  Task-2 (from {place}:45), \
             polled once: it returned Pending, and nothing ever took its waker."
        )
    );
}

// Errors of a run.

/// LOOP-05. The errors of a run have the texts that `run_until_complete` panics with.
#[test]
fn errors_of_a_run_say_why() {
    let event_loop = virtual_loop();
    event_loop.stop();
    let stopped = event_loop.try_run_until_complete(pending::<()>()).unwrap_err();
    assert_eq!(stopped, RunError::Stopped);
    assert_eq!(stopped.to_string(), "The event loop was stopped before its future completed.");
    let stalled = event_loop.try_run_until_complete(pending::<()>()).unwrap_err();
    let RunError::Stalled(report) = &stalled else { panic!("this must stall: {stalled:?}") };
    assert_eq!(stalled.to_string(), report.to_string());
    assert_eq!(stalled.clone(), RunError::Stalled(report.clone()));
    let errors: [Box<dyn Error>; 3] = [Box::new(stopped), Box::new(stalled.clone()), Box::new(report.clone())];
    assert!(errors.iter().all(|error| error.source().is_none()));
}

/// DBG-10. A stall names each pending task, its line, its polls, and what became of its waker.
#[test]
fn stall_names_each_task_and_what_became_of_its_waker() {
    watched(|| {
        let (event_loop, _) = reporting();
        let never = event_loop.spawn(pending::<()>());
        let dropped = event_loop.spawn(async {
            yield_now().await;
            sleep(seconds(1)).await;
            poll_fn::<(), _>(|context| {
                drop(context.waker().clone());
                Poll::Pending
            })
            .await;
        });
        let waits_for_one = event_loop.spawn(async move { dropped.await.unwrap() });
        let at = |task: &TaskInfo| task.spawned_at;
        let root = Cell::new(None);
        let report = stall_of(event_loop.try_run_until_complete(async {
            root.set(current_task().map(|task| task.spawned_at));
            let both = [spawn_named("left", pending::<()>()), spawn_named("right", waits_in(waits_for_one))];
            gather(both).await.unwrap();
        }));
        let [one, two, three, four, left, right] = &report.tasks[..] else { panic!("six tasks: {report}") };
        assert_eq!(one.task.spawned_at, never.spawned_at());
        assert_eq!(Some(at(&four.task)), root.get());
        assert_eq!(
            report.to_string(),
            [
                "The loop is stalled: 6 tasks wait, and nothing is left that could wake them.".to_owned(),
                format!(
                    "  Task-1 (from {}), polled once: it returned Pending, and nothing ever took its waker.",
                    at(&one.task)
                ),
                format!("  Task-2 (from {}), polled 3 times: every clone of its waker was dropped.", at(&two.task)),
                format!("  Task-3 (from {}), polled once: it waits for Task-2, which is stuck too.", at(&three.task)),
                format!(
                    "  Task-4 (from {}), polled once: it waits for left, right, which are stuck too.",
                    at(&four.task)
                ),
                format!(
                    "  left (from {}), polled once: it returned Pending, and nothing ever took its waker.",
                    at(&left.task)
                ),
                format!("  right (from {}), polled once: it waits for Task-3, which is stuck too.", at(&right.task)),
            ]
            .join("\n")
        );
        assert_eq!(report.tasks[0].waker, WakerFate::NeverTaken);
        assert_eq!(report.tasks[1].waker, WakerFate::Dropped);
        let WakerFate::HeldByStuck(held_by) = &report.tasks[3].waker else { panic!("{:?}", report.tasks[3]) };
        assert_eq!(held_by.iter().map(|task| task.id).collect::<Vec<_>>(), [5, 6]);
        assert_eq!(report.tasks.iter().map(|task| task.task.state).collect::<Vec<_>>(), [TaskState::Waiting; 6]);
    });
}

async fn waits_in(task: handloop::Task<()>) {
    task.await.unwrap();
}

/// LOOP-05. `run_forever` of a loop that stalls reports that and returns; the text of an empty loop says so.
#[test]
fn stall_of_run_forever_is_reported() {
    watched(|| {
        let (event_loop, reports) = reporting();
        event_loop.run_forever();
        assert_eq!(reports.take(), ["The loop has nothing to wait for: no task, no timer, no callback, no handle."]);
        let task = event_loop.spawn(pending::<()>());
        event_loop.run_forever();
        assert_eq!(
            reports.take(),
            [format!(
                "The loop is stalled: 1 task waits, and nothing is left that could wake it.\n  Task-1 (from {}), polled \
                 once: it returned Pending, and nothing ever took its waker.",
                task.spawned_at()
            )]
        );
    });
}

// Slow polls.

type SlowPolls = Arc<Mutex<Vec<(TaskInfo, Duration, String)>>>;

/// A loop with this threshold, and what it reports.
fn slow_polls(threshold: Option<Duration>, is_virtual: bool) -> (EventLoop, SlowPolls) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = seen.clone();
    let mut builder = EventLoop::builder();
    if is_virtual {
        builder = builder.virtual_clock();
    }
    if let Some(threshold) = threshold {
        builder = builder.slow_poll(threshold);
    }
    let event_loop = builder
        .on_report(move |report| match report {
            Report::SlowPoll { task, took } => {
                kept.lock().unwrap().push((task.clone(), *took, report.to_string()));
            }
            other => panic!("no other report is due: {other}"),
        })
        .build();
    (event_loop, seen)
}

/// DBG-01, DBG-10. A poll that takes as long as the threshold is reported, with its name, its line and its time.
#[test]
fn slow_poll_is_reported_in_real_time() {
    watched(|| {
        let (event_loop, seen) = slow_polls(Some(millis(4)), true);
        let line = line!() + 1;
        let task = event_loop.spawn(async {
            yield_now().await;
            thread::sleep(millis(4)); // blocks the loop
        });
        event_loop.run_until_complete(task).unwrap();
        let seen: Vec<_> = seen.lock().unwrap().drain(..).filter(|(task, ..)| task.id == 1).collect();
        // A slow machine may be late in the first poll too.
        let (task, took, text) = seen.last().unwrap();
        assert!(*took >= millis(4));
        assert_eq!((task.name.as_str(), task.id, task.polls), ("Task-1", 1, 2));
        assert_eq!((task.spawned_at.file(), task.spawned_at.line()), (file!(), line));
        assert_eq!(
            *text,
            format!(
                "Task-1 (from {}) blocked its loop for {:.3} s: move the work into run_in_executor, or await more often.",
                task.spawned_at,
                took.as_secs_f64()
            )
        );
    });
}

/// DBG-07. A slow callback is reported as one, with its line.
#[test]
fn slow_callback_is_reported_in_real_time() {
    watched(|| {
        let (event_loop, seen) = slow_polls(Some(millis(4)), true);
        let line = line!() + 1;
        event_loop.call_soon(|| thread::sleep(millis(4))).unwrap(); // blocks the loop
        event_loop.run_once();
        let seen = seen.lock().unwrap();
        let [(task, took, text)] = &seen[..] else { panic!("one report: {seen:?}") };
        assert!(*took >= millis(4));
        assert_eq!((task.name.as_str(), task.id, task.polls), ("a callback", 0, 1));
        assert_eq!((task.spawned_at.file(), task.spawned_at.line()), (file!(), line));
        assert_eq!(
            *text,
            format!(
                "a callback (from {}) blocked its loop for {:.3} s: move the work into run_in_executor, or await more \
                 often.",
                task.spawned_at,
                took.as_secs_f64()
            )
        );
    });
}

/// DBG-01, DBG-07. With a threshold of no time every poll and callback is reported, each once and in order.
#[test]
fn every_poll_is_reported_where_the_threshold_is_no_time() {
    let (event_loop, seen) = slow_polls(Some(Duration::ZERO), true);
    event_loop.run_until_complete(async {
        call_soon(|| ()).unwrap();
        let task = spawn_named("named", yield_now());
        sleep(millis(1)).await;
        task.await.unwrap();
    });
    let seen: Vec<_> = seen.lock().unwrap().iter().map(|(task, ..)| format!("{} {}", task.name, task.polls)).collect();
    assert_eq!(seen, ["Task-1 1", "a callback 1", "named 1", "named 2", "Task-1 2"]);
}

/// DBG-08. With a threshold of no time a wait by the real clock adds no report: there are as many as polls.
#[test]
fn wait_is_no_slow_poll_in_real_time() {
    watched(|| {
        let (event_loop, seen) = slow_polls(Some(Duration::ZERO), false);
        let polls = event_loop.run_until_complete(async {
            sleep(millis(3)).await;
            current_task().unwrap().polls
        });
        let seen: Vec<u32> = seen.lock().unwrap().iter().map(|(task, ..)| task.polls).collect();
        assert_eq!(seen, (1..=polls).collect::<Vec<_>>());
    });
}

/// DBG-08. A poll that is quick is not reported, and time that is slept is not counted, however long.
#[test]
fn sleep_is_no_slow_poll() {
    let (event_loop, seen) = slow_polls(Some(seconds(600)), true);
    event_loop.run_until_complete(async {
        sleep(seconds(3600)).await;
        spawn(sleep(seconds(3600))).await.unwrap();
    });
    assert!(seen.lock().unwrap().is_empty());
}

/// DBG-01. Without a threshold nothing is slow.
#[test]
fn without_a_threshold_nothing_is_slow() {
    let (event_loop, seen) = slow_polls(None, true);
    event_loop.run_until_complete(async { thread::sleep(millis(3)) }); // blocks the loop
    assert!(seen.lock().unwrap().is_empty());
}

/// DBG-01. The poll of a task that panics is timed too, and both are reported.
#[test]
fn slow_poll_that_panics_is_reported_as_both() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder().slow_poll(Duration::ZERO)).build();
    drop(event_loop.spawn(async { panic!("slow and wrong") }));
    event_loop.run_once();
    let texts = reports.take();
    assert_eq!(texts.len(), 2);
    assert!(texts[0].contains(" blocked its loop for "), "{}", texts[0]);
    assert!(texts[1].ends_with(" panicked, and nobody joined it: slow and wrong"), "{}", texts[1]);
}

// Panics that nobody joined.

/// DBG-02, DBG-10. A panic of a detached task is reported at its end, with its name and its line.
#[test]
fn panic_of_a_detached_task_is_reported() {
    let (event_loop, reports) = reporting();
    let first = event_loop.spawn(async { panic!("boom {}", 1) });
    let place = first.spawned_at();
    assert_eq!((place.file(), place.line()), (file!(), line!() - 2));
    drop(first);
    event_loop.run_until_complete(async { drop(spawn_named("second", async { panic!("boom 2") })) });
    assert_eq!(reports.take(), [format!("Task-1 (from {place}) panicked, and nobody joined it: boom 1")]);
    event_loop.run_once();
    let second = reports.take();
    let at = format!("second (from {}:{}:", file!(), line!() - 4);
    assert!(second.len() == 1 && second[0].starts_with(&at), "{second:?} begins with {at}");
    assert!(second[0].ends_with(") panicked, and nobody joined it: boom 2"), "{second:?}");
}

/// DBG-02. A panic whose handle is there is reported when that is dropped unread, also after the loop's end.
#[test]
fn panic_is_reported_when_its_handle_is_dropped_unread() {
    for closes_first in [false, true] {
        let (event_loop, reports) = reporting();
        let task = event_loop.spawn(async { panic!("unread") });
        let text = format!("Task-1 (from {}) panicked, and nobody joined it: unread", task.spawned_at());
        event_loop.run_once();
        assert_eq!(reports.take(), NOTHING);
        if closes_first {
            drop(event_loop);
            assert_eq!(reports.take(), NOTHING);
        }
        drop(task);
        assert_eq!(reports.take(), [text]);
    }
}

/// DBG-02. What was joined, looked at, cancelled or finished is not reported.
#[test]
fn what_was_joined_or_did_not_panic_is_not_reported() {
    let (event_loop, reports) = reporting();
    event_loop.run_until_complete(async {
        assert!(spawn(async { panic!("joined") }).await.unwrap_err().is_panic());
        let mut looked_at = spawn(async { panic!("looked at") });
        yield_now().await;
        assert!(looked_at.try_result().unwrap().unwrap_err().is_panic());
        drop(looked_at);
        let cancelled = spawn(pending::<()>());
        cancelled.cancel();
        yield_now().await;
        drop(cancelled);
        drop(spawn(async { Err::<(), _>("an error is a value") }));
        drop(spawn(pending::<()>()));
        yield_now().await;
    });
    drop(event_loop);
    assert_eq!(reports.take(), NOTHING);
}

/// DBG-02. A payload that is not text is named as that.
#[test]
fn payload_that_is_not_text_is_named_as_that() {
    let (event_loop, reports) = reporting();
    let task = event_loop.spawn(async { panic_any(42) });
    let place = task.spawned_at();
    drop(task);
    event_loop.run_once();
    assert_eq!(
        reports.take(),
        [format!("Task-1 (from {place}) panicked, and nobody joined it: (a payload that is not text)")]
    );
}

/// DBG-02, LOOP-12. A callback that panics is reported with its line, whichever call scheduled it.
#[test]
fn panic_of_a_callback_names_the_line_that_scheduled_it() {
    let (event_loop, reports) = reporting();
    let lines = [line!() + 1, line!() + 2, line!() + 3, line!() + 4];
    event_loop.call_soon(|| panic!("soon")).unwrap();
    event_loop.handle().call_soon_threadsafe(|| panic!("threadsafe")).unwrap();
    event_loop.call_later(Duration::ZERO, || panic!("later")).unwrap();
    event_loop.call_at(event_loop.time(), || panic!("at")).unwrap();
    event_loop.run_once();
    let texts = reports.take();
    assert_eq!(texts.len(), 4);
    for ((text, line), name) in texts.iter().zip(lines).zip(["soon", "threadsafe", "later", "at"]) {
        let begin = format!("a callback (from {}:{line}:", file!());
        assert!(text.starts_with(&begin), "{text} begins with {begin}");
        assert!(text.ends_with(&format!(") panicked, and nobody joined it: {name}")), "{text}");
    }
}

/// DBG-02, EXEC-02. A panic of a job that nobody awaits is reported with its line.
#[test]
fn panic_of_a_job_that_nobody_awaits_is_reported() {
    watched(|| {
        let (event_loop, reports) = reporting();
        let line = line!() + 1;
        event_loop.run_until_complete(async { drop(run_in_executor(|| panic!("job"))) });
        event_loop.close();
        let text = reports.take().join("\n");
        assert!(text.starts_with(&format!("Task-2 (from {}:{line}:", file!())), "{text}");
        assert!(text.ends_with(") panicked, and nobody joined it: job"), "{text}");
    });
}

/// DBG-02. A panic of a destructor is reported: of a future that is cancelled, of an output that nobody takes.
#[test]
fn panic_of_a_destructor_is_reported() {
    let (event_loop, reports) = reporting();
    let cancelled = event_loop.spawn(async {
        let _guard = OnDrop(|| panic!("of the future"));
        pending::<()>().await;
    });
    let output = event_loop.spawn(async { OnDrop(|| panic!("of the output")) });
    let places = (cancelled.spawned_at(), output.spawned_at());
    drop(output);
    event_loop.run_once();
    assert_eq!(reports.take(), [format!("Task-2 (from {}) panicked, and nobody joined it: of the output", places.1)]);
    cancelled.cancel();
    drop(cancelled);
    event_loop.run_once();
    assert_eq!(reports.take(), [format!("Task-1 (from {}) panicked, and nobody joined it: of the future", places.0)]);
}

/// DBG-02. The parts of a report are those of its text.
#[test]
fn parts_of_a_panic_report_are_those_of_its_text() {
    let seen = Arc::new(Mutex::new(None));
    let kept = seen.clone();
    let event_loop = EventLoop::builder()
        .on_report(move |report| {
            let Report::Panic { task, message } = report else { panic!("a panic is due: {report}") };
            *kept.lock().unwrap() = Some((task.clone(), message.clone()));
        })
        .build();
    drop(event_loop.spawn(async {
        yield_now().await;
        panic!("parts");
    }));
    while event_loop.run_once() {}
    let (task, message) = seen.lock().unwrap().take().unwrap();
    assert_eq!((task.id, task.name.as_str(), task.state, task.polls), (1, "Task-1", TaskState::Panicked, 2));
    assert_eq!(message, "parts");
    assert_eq!(task.to_string(), format!("Task-1 (from {})", task.spawned_at));
}

/// DBG-10. Every way to make a task keeps the line of its caller.
#[test]
fn every_task_knows_the_line_that_made_it() {
    watched(|| {
        fn check(place: &Location<'_>, line: u32) {
            assert_eq!((place.file(), place.line()), (file!(), line));
        }
        let here = || current_task().unwrap().spawned_at;
        let event_loop = virtual_loop();
        check(event_loop.run_until_complete(async { here() }), line!());
        check(event_loop.try_run_until_complete(async { here() }).unwrap(), line!());
        check(handloop::run(async { here() }), line!());
        check(event_loop.spawn(async {}).spawned_at(), line!());
        let handle = event_loop.handle();
        let mut submitted = handle.submit(async { current_task().unwrap().spawned_at });
        check(event_loop.run_until_complete(&mut submitted).unwrap(), line!() - 1);
        let mut submitted = handle.submit_with(move || async move { here() });
        check(event_loop.run_until_complete(&mut submitted).unwrap(), line!() - 1);
        event_loop.run_until_complete(async {
            check(spawn(async {}).spawned_at(), line!());
            check(spawn_named("name", async {}).spawned_at(), line!());
        });
    });
}

// Where reports go.

/// DBG-02. A report is delivered under no lock: its receiver may use the loop it is about.
#[test]
fn receiver_of_a_report_may_use_the_loop() {
    watched(|| {
        let handle = Arc::new(Mutex::new(None::<LoopHandle>));
        let ran = Arc::new(Mutex::new(Vec::new()));
        let (inside, log) = (handle.clone(), ran.clone());
        let event_loop = EventLoop::builder()
            .virtual_clock()
            .on_report(move |report| {
                assert!(matches!(report, Report::Panic { .. }));
                let handle = inside.lock().unwrap().clone().unwrap();
                let (soon, task, here) = (log.clone(), log.clone(), log.clone());
                handle.call_soon_threadsafe(move || soon.lock().unwrap().push("callback")).unwrap();
                drop(handle.submit(async move { task.lock().unwrap().push("submitted") }));
                drop(spawn(async move { here.lock().unwrap().push("spawned") }));
                assert_eq!(handle.time(), time());
            })
            .build();
        *handle.lock().unwrap() = Some(event_loop.handle());
        event_loop.call_soon(|| panic!("callback")).unwrap();
        while event_loop.run_once() {}
        assert_eq!(*ran.lock().unwrap(), ["spawned", "callback", "submitted"]);
        // The receiver kept a handle of its own loop: that circle is undone here.
        *handle.lock().unwrap() = None;
    });
}

/// DBG-02. A report is delivered on the thread that drops the last handle.
#[test]
fn report_comes_on_the_thread_that_drops_the_handle() {
    watched(|| {
        let on = Arc::new(Mutex::new(Vec::<(ThreadId, String)>::new()));
        let kept = on.clone();
        let event_loop = EventLoop::builder()
            .on_report(move |report| kept.lock().unwrap().push((thread::current().id(), report.to_string())))
            .build();
        let line = line!() + 1;
        let remote = event_loop.handle().submit(async { panic!("remote") });
        event_loop.run_once();
        assert!(on.lock().unwrap().is_empty());
        let dropper = thread::spawn(move || {
            drop(remote);
            thread::current().id()
        });
        let dropper = dropper.join().unwrap();
        let on = on.lock().unwrap();
        let [(thread, text)] = &on[..] else { panic!("one report: {on:?}") };
        assert_eq!(*thread, dropper);
        assert!(text.starts_with(&format!("Task-1 (from {}:{line}:", file!())), "{text}");
        assert!(text.ends_with(") panicked, and nobody joined it: remote"), "{text}");
    });
}

/// DBG-02. Without a receiver reports go to stderr, one line each.
#[test]
fn reports_go_to_stderr_unless_somebody_receives_them() {
    let line = line!() + 3;
    let stderr = stderr_of("reports_go_to_stderr_unless_somebody_receives_them", || {
        let event_loop = EventLoop::new();
        event_loop.call_soon(|| panic!("first")).unwrap();
        event_loop.run_once();
        event_loop.run_forever();
    });
    let Some(stderr) = stderr else { return };
    assert_eq!(
        reports_in(&stderr),
        [
            format!("handloop: a callback (from {}:{line}:20) panicked, and nobody joined it: first", file!()),
            "handloop: The loop has nothing to wait for: no task, no timer, no callback, no handle.".to_owned(),
        ]
    );
}

/// DBG-02. A report whose receiver panics goes to stderr, and the loop lives.
#[test]
fn report_whose_receiver_panics_goes_to_stderr() {
    let line = line!() + 3;
    let stderr = stderr_of("report_whose_receiver_panics_goes_to_stderr", || {
        let event_loop = EventLoop::builder().on_report(|_| panic!("the receiver")).build();
        event_loop.call_soon(|| panic!("reported")).unwrap();
        let ran = Rc::new(Cell::new(false));
        let inner = ran.clone();
        event_loop.call_soon(move || inner.set(true)).unwrap();
        event_loop.run_once();
        assert!(ran.get());
    });
    let Some(stderr) = stderr else { return };
    assert_eq!(
        reports_in(&stderr),
        [format!("handloop: a callback (from {}:{line}:20) panicked, and nobody joined it: reported", file!())]
    );
}

/// DBG-02. The last receiver that was given counts.
#[test]
fn last_receiver_of_a_builder_counts() {
    let (first, second) = (Reports::new(), Reports::new());
    let event_loop = second.collect(first.collect(EventLoop::builder())).build();
    event_loop.run_forever();
    assert_eq!((first.take().len(), second.take().len()), (0, 1));
}

// asyncio.run.

/// RUN-01. `run` cancels the leftover tasks in the order in which they were spawned, before it returns.
#[test]
fn run_cancels_the_leftover_tasks_in_spawn_order() {
    let trace = Trace::new();
    let result = handloop::run(async {
        for n in 1..=5 {
            let trace = trace.clone();
            let wakes = n % 2 == 0;
            drop(spawn(async move {
                let _leftover = OnDrop(|| trace.add(format!("task {n} dropped")));
                if wakes {
                    yield_now().await; // ready again when the root is done
                }
                pending::<()>().await;
            }));
        }
        yield_now().await;
        trace.add("root done");
        42
    });
    trace.add(format!("run returned {result}"));
    let expected: Vec<String> = ["root done".to_owned()]
        .into_iter()
        .chain((1..=5).map(|n| format!("task {n} dropped")))
        .chain(["run returned 42".to_owned()])
        .collect();
    assert_eq!(trace.take(), expected);
}

/// RUN-01. `run` cancels a leftover task that was never polled, tells who still holds its handle, and closes its loop.
#[test]
fn run_closes_its_loop_and_tells_who_holds_a_handle() {
    let drops = Drops::new();
    let token = drops.token();
    let (mut task, handle) = handloop::run(async {
        let task = spawn(async move {
            let _token = token;
            unreachable!("never polled");
        });
        (task, LoopHandle::current().unwrap())
    });
    assert_eq!((drops.count(), task.state()), (1, TaskState::Cancelled));
    assert_eq!(task.try_result().unwrap().unwrap_err().to_string(), "Task-2 was cancelled before it finished.");
    assert!(handle.call_soon_threadsafe(|| ()).is_err());
}

/// RUN-01. `run` closes its loop where its future panics too, and the panic is the caller's.
#[test]
fn run_cancels_the_leftover_tasks_where_its_future_panics() {
    let drops = Drops::new();
    let token = drops.token();
    let panic = panic_of(|| {
        handloop::run(async {
            drop(spawn(async move {
                let _token = token;
                pending::<()>().await;
            }));
            yield_now().await;
            panic!("root");
        })
    });
    assert_eq!((panic.as_str(), drops.count()), ("root", 1));
}

/// RUN-01. A task that a destructor spawns while the loop closes is cancelled at once.
#[test]
fn task_spawned_by_a_leftover_destructor_is_cancelled() {
    let drops = Drops::new();
    let token = RefCell::new(Some(drops.token()));
    let gate = Gate::new();
    let polls = gate.clone();
    handloop::run(async move {
        drop(spawn(async move {
            let _spawns = OnDrop(move || {
                let (token, gate) = (token.take(), gate.clone());
                drop(spawn(async move {
                    let _token = token;
                    gate.await;
                }));
            });
            pending::<()>().await;
        }));
        yield_now().await;
    });
    assert_eq!((drops.count(), polls.polls()), (1, 0));
}

/// RUN-03. A leftover whose destructor panics is reported, the other leftovers are cancelled, and the result returned.
#[test]
fn leftover_that_panics_while_it_is_cancelled_is_reported() {
    let line = line!() + 5;
    let stderr = stderr_of("leftover_that_panics_while_it_is_cancelled_is_reported", || {
        let drops = Drops::new();
        let token = drops.token();
        let result = handloop::run(async {
            drop(spawn(async {
                let _guard = OnDrop(|| panic!("leftover"));
                pending::<()>().await;
            }));
            drop(spawn(async move {
                let _token = token;
                pending::<()>().await;
            }));
            yield_now().await;
            "the result"
        });
        assert_eq!((result, drops.count()), ("the result", 1));
    });
    let Some(stderr) = stderr else { return };
    assert_eq!(
        reports_in(&stderr),
        [format!("handloop: Task-2 (from {}:{line}:18) panicked, and nobody joined it: leftover", file!())]
    );
}

/// RUN-02. `run` inside a run panics and harms neither; on another thread it is allowed.
#[test]
fn run_inside_a_run_is_refused_and_beside_it_allowed() {
    watched(|| {
        let answer = handloop::run(async {
            let panic = panic_of(|| handloop::run(async {}));
            assert!(panic.starts_with("another event loop is running on this thread: "), "{panic}");
            let beside = thread::spawn(|| handloop::run(async { spawn(async { 1 }).await.unwrap() })).join().unwrap();
            spawn(async move { beside + 1 }).await.unwrap()
        });
        assert_eq!(answer, 2);
    });
}
