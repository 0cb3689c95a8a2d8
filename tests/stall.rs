//! The stall report: its exact texts, what keeps it away, what brings it, and that it never comes too early.
mod common;

use std::any::Any;
use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::panic::Location;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, TryRecvError, channel};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use common::{Gate, OnDrop, Reports, Trace, panic_of, virtual_loop, watched};
use handloop::{
    EventLoop, LoopHandle, RunError, StallReport, Task, TaskState, WakerFate, call_later, create_future, gather,
    gather_settled, run_in_executor, sleep, spawn, spawn_named, try_gather, yield_now,
};

fn stalled<T>(outcome: Result<T, RunError>) -> StallReport {
    match outcome {
        Err(RunError::Stalled(report)) => report,
        Err(error) => panic!("not stalled: {error}"),
        Ok(_) => panic!("not stalled: done"),
    }
}

const ONE: &str = "The loop is stalled: 1 task waits, and nothing is left that could wake it.";
const NEVER_TAKEN: &str = "it returned Pending, and nothing ever took its waker.";
const DROPPED: &str = "every clone of its waker was dropped.";

fn several(n: usize) -> String {
    format!("The loop is stalled: {n} tasks wait, and nothing is left that could wake them.")
}

/// The lines below the first, without the places: `Task-1, polled once: ...`.
fn lines(report: &StallReport) -> Vec<String> {
    let text = report.to_string();
    let (first, rest) = text.split_once('\n').unwrap();
    assert_eq!(first, if report.tasks.len() == 1 { ONE.to_owned() } else { several(report.tasks.len()) });
    let without_place = |(line, task): (&str, &handloop::StalledTask)| {
        let place = format!(" (from {})", task.task.spawned_at);
        assert!(line.contains(&place), "{line}");
        line.strip_prefix("  ").unwrap().replacen(&place, "", 1)
    };
    let lines: Vec<&str> = rest.split('\n').collect();
    assert_eq!(lines.len(), report.tasks.len());
    lines.into_iter().zip(&report.tasks).map(without_place).collect()
}

#[track_caller]
fn line() -> u32 {
    Location::caller().line()
}

/// A future that kept no waker at all. The whole text, with the place of the run as that of its future.
#[test]
fn report_of_a_waker_never_taken() {
    let event_loop = EventLoop::new();
    let (line, outcome) = (line(), event_loop.try_run_until_complete(pending::<()>()));
    let report = stalled(outcome);
    assert_eq!(report.tasks.len(), 1);
    let task = &report.tasks[0].task;
    assert_eq!((task.id, task.name.as_str(), task.polls, task.state), (1, "Task-1", 1, TaskState::Waiting));
    assert_eq!(report.tasks[0].waker, WakerFate::NeverTaken);
    let at = task.spawned_at;
    assert_eq!((at.file(), at.line()), (file!(), line));
    assert_eq!(
        report.to_string(),
        format!(
            "The loop is stalled: 1 task waits, and nothing is left that could wake it.\n  Task-1 (from {at}), polled \
             once: it returned Pending, and nothing ever took its waker."
        )
    );
}

/// `run_until_complete` panics with the report, and so does `run`.
#[test]
fn run_until_complete_panics_with_the_report() {
    let event_loop = EventLoop::new();
    let report = stalled(event_loop.try_run_until_complete(pending::<()>()));
    let text = panic_of(|| event_loop.run_until_complete(pending::<()>()));
    // The run is another, so its task is another, from another line.
    let at = text.split("(from ").nth(1).unwrap().split(')').next().unwrap();
    let expected = report.to_string().replace(&report.tasks[0].task.spawned_at.to_string(), at);
    assert_eq!(text, expected.replace("Task-1 ", "Task-2 "));
    assert_eq!(RunError::Stalled(report.clone()).to_string(), report.to_string());
    let text = panic_of(|| handloop::run(pending::<()>()));
    assert!(text.starts_with(ONE), "{text}");
}

/// Clones of the waker were made, and all of them dropped.
#[test]
fn report_of_a_waker_that_was_dropped() {
    let event_loop = EventLoop::new();
    let report = stalled(event_loop.try_run_until_complete(poll_fn(|context| -> Poll<()> {
        drop(context.waker().clone());
        Poll::Pending
    })));
    assert_eq!(report.tasks[0].waker, WakerFate::Dropped);
    assert_eq!(lines(&report), [format!("Task-1, polled once: {DROPPED}")]);
}

/// The report says how often each task was polled, and names the line that spawned it.
#[test]
fn report_counts_the_polls_and_names_the_lines() {
    let event_loop = EventLoop::new();
    let mut spawn_lines = Vec::new();
    let report = stalled(event_loop.try_run_until_complete(async {
        let (first, task) = (line(), spawn(pending::<()>()));
        drop(task);
        let worker = async {
            for _ in 0..4 {
                yield_now().await;
            }
            pending::<()>().await;
        };
        let (second, task) = (line(), spawn_named("worker", worker));
        drop(task);
        spawn_lines.extend([first, second]);
        yield_now().await;
        pending::<()>().await;
    }));
    let places: Vec<u32> = report.tasks[1..].iter().map(|task| task.task.spawned_at.line()).collect();
    assert_eq!(places, spawn_lines);
    assert_eq!(
        lines(&report),
        [
            format!("Task-1, polled 2 times: {NEVER_TAKEN}"),
            format!("Task-2, polled once: {NEVER_TAKEN}"),
            format!("worker, polled 5 times: {NEVER_TAKEN}"),
        ]
    );
}

/// `run_forever` reports and returns; the report is the same. Spawned tasks stay, and are reported again.
#[test]
fn run_forever_reports_and_returns() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder()).build();
    let mut task = event_loop.spawn(pending::<()>());
    event_loop.run_forever();
    let text = format!("{ONE}\n  Task-1 (from {}), polled once: {NEVER_TAKEN}", task.spawned_at());
    assert_eq!(reports.take(), std::slice::from_ref(&text));
    assert_eq!(task.try_result().map(|_| ()), None);
    assert!(!event_loop.is_running());
    event_loop.run_forever();
    assert_eq!(reports.take(), [text]);
}

/// `run_forever` of a loop with nothing at all to do says that.
#[test]
fn run_forever_of_an_empty_loop_says_that_there_is_nothing() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder()).build();
    event_loop.run_forever();
    event_loop.spawn(async {}).cancel();
    event_loop.run_forever();
    let text = "The loop has nothing to wait for: no task, no timer, no callback, no handle.";
    assert_eq!(reports.take(), [text, text]);
}

/// `run_once` never reports: it has nothing to wait for.
#[test]
fn run_once_does_not_report() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder()).build();
    drop(event_loop.spawn(pending::<()>()));
    assert!(event_loop.run_once());
    assert!(!event_loop.run_once());
    assert_eq!(reports.take(), [""; 0]);
}

/// Cases 46 and 47. Tasks without handle and without waker are kept, and the report names them, oldest first, whatever
/// the order in which they became pending.
#[test]
fn detached_tasks_without_wakers_are_named_oldest_first() {
    let event_loop = EventLoop::new();
    let gate = Gate::new();
    let late = {
        let gate = gate.clone();
        event_loop.spawn(async move {
            yield_now().await;
            gate.await;
        })
    };
    drop(late);
    drop(event_loop.spawn(pending::<()>()));
    drop(event_loop.spawn(async {}));
    for _ in 0..3 {
        event_loop.run_once();
    }
    gate.lose_waker();
    let report = stalled(event_loop.try_run_until_complete(pending::<()>()));
    assert_eq!(
        lines(&report),
        [
            format!("Task-1, polled 2 times: {DROPPED}"),
            format!("Task-2, polled once: {NEVER_TAKEN}"),
            format!("Task-4, polled once: {NEVER_TAKEN}"),
        ]
    );
}

/// A chain of joins: each task is stuck behind the next, and the last one is the cause.
#[test]
fn chain_of_joins_names_each_link() {
    let event_loop = EventLoop::new();
    let report = stalled(event_loop.try_run_until_complete(async {
        let last = spawn_named("last", pending::<()>());
        let middle = spawn_named("middle", async { last.await.unwrap() });
        middle.await.unwrap();
    }));
    let WakerFate::HeldByStuck(others) = &report.tasks[0].waker else { panic!("{report}") };
    assert_eq!(others, std::slice::from_ref(&report.tasks[2].task));
    assert_eq!(
        lines(&report),
        [
            "Task-1, polled once: it waits for middle, which is stuck too.".to_owned(),
            format!("last, polled once: {NEVER_TAKEN}"),
            "middle, polled once: it waits for last, which is stuck too.".to_owned(),
        ]
    );
}

/// A cycle of joins is a stall too, and each task names the next.
#[test]
fn cycle_of_joins_is_reported() {
    let event_loop = EventLoop::new();
    type Slot = Rc<RefCell<Option<Task<()>>>>;
    let slots: [Slot; 3] = Default::default();
    let tasks = [1, 2, 0].map(|next| {
        let next: Slot = slots[next].clone();
        event_loop.spawn(async move {
            let task = next.take().unwrap();
            task.await.unwrap();
        })
    });
    for (slot, task) in slots.iter().zip(tasks) {
        slot.replace(Some(task));
    }
    let report = stalled(event_loop.try_run_until_complete(async {
        yield_now().await;
        pending::<()>().await
    }));
    assert_eq!(
        lines(&report),
        [
            "Task-1, polled once: it waits for Task-2, which is stuck too.".to_owned(),
            "Task-2, polled once: it waits for Task-3, which is stuck too.".to_owned(),
            "Task-3, polled once: it waits for Task-1, which is stuck too.".to_owned(),
            format!("Task-4, polled 2 times: {NEVER_TAKEN}"),
        ]
    );
}

/// A task that awaits itself is a cycle of one.
#[test]
fn task_that_awaits_itself_is_reported() {
    let event_loop = EventLoop::new();
    let own: Rc<RefCell<Option<Task<()>>>> = Rc::default();
    let taken = own.clone();
    own.replace(Some(event_loop.spawn(async move {
        let own = taken.take().unwrap();
        own.await.unwrap();
    })));
    let report = stalled(event_loop.try_run_until_complete(pending::<()>()));
    assert_eq!(lines(&report)[0], "Task-1, polled once: it waits for Task-1, which is stuck too.");
}

/// A gather of stuck tasks names them all, oldest first; those that are over are not among them. So do its sisters.
#[test]
fn gather_of_stuck_tasks_names_those_that_are_left() {
    let expected = [
        "Task-1, polled once: it waits for b, a, which are stuck too.".to_owned(),
        format!("b, polled once: {NEVER_TAKEN}"),
        format!("a, polled once: {NEVER_TAKEN}"),
    ];
    let stuck = || {
        let b = spawn_named("b", pending::<Result<(), ()>>());
        let a = spawn_named("a", pending::<Result<(), ()>>());
        [a, spawn(async { Ok(()) }), b]
    };
    let report = stalled(EventLoop::new().try_run_until_complete(async { gather(stuck()).await.is_ok() }));
    assert_eq!(lines(&report), expected);
    let report = stalled(EventLoop::new().try_run_until_complete(async { gather_settled(stuck()).await.len() }));
    assert_eq!(lines(&report), expected);
    let report = stalled(EventLoop::new().try_run_until_complete(async { try_gather(stuck()).await.is_ok() }));
    let twice = expected[0].replace("once", "2 times");
    assert_eq!(lines(&report), [twice, expected[1].clone(), expected[2].clone()]);
}

/// A gather of tasks that gather: every level is stuck, and a task that waits in two gathers names the children of both.
#[test]
fn gathers_of_gathers_are_stuck_at_every_level() {
    let event_loop = EventLoop::new();
    let report = stalled(event_loop.try_run_until_complete(async {
        let leaves = || [spawn(pending::<()>()), spawn(pending::<()>())];
        let first = gather(leaves());
        let inner = spawn(async move { first.await.is_ok() });
        let mut second = gather(leaves());
        let mut third = gather_settled([inner]);
        poll_fn(|context| -> Poll<()> {
            assert!(Pin::new(&mut second).poll(context).is_pending());
            assert!(Pin::new(&mut third).poll(context).is_pending());
            Poll::Pending
        })
        .await;
    }));
    assert_eq!(
        lines(&report),
        [
            "Task-1, polled once: it waits for Task-4, Task-5, Task-6, which are stuck too.".to_owned(),
            format!("Task-2, polled once: {NEVER_TAKEN}"),
            format!("Task-3, polled once: {NEVER_TAKEN}"),
            "Task-4, polled once: it waits for Task-2, Task-3, which are stuck too.".to_owned(),
            format!("Task-5, polled once: {NEVER_TAKEN}"),
            format!("Task-6, polled once: {NEVER_TAKEN}"),
        ]
    );
}

/// CANC-09. A promise that is dropped by another task breaks: whoever waits for it has a result, and there is no stall.
#[test]
fn dropped_promise_is_a_result_and_no_stall() {
    let event_loop = EventLoop::new();
    let outcome = event_loop.try_run_until_complete(async {
        let (promise, future) = create_future::<()>();
        drop(spawn(async move {
            yield_now().await;
            drop(promise);
        }));
        future.await
    });
    assert_eq!(outcome, Ok(Err(handloop::BrokenPromise)));
}

/// A submitted task that nobody holds any more is named like any other.
#[test]
fn detached_remote_task_is_named() {
    let event_loop = EventLoop::new();
    drop(event_loop.handle().submit(pending::<()>()));
    let report = stalled(event_loop.try_run_until_complete(pending::<()>()));
    assert_eq!(
        lines(&report),
        [format!("Task-1, polled once: {NEVER_TAKEN}"), format!("Task-2, polled once: {NEVER_TAKEN}")]
    );
}

/// A cancelled timer is out no longer: neither it nor its callback is in the report, and the clock stays.
#[test]
fn cancelled_callbacks_are_not_reported() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let report = stalled(event_loop.try_run_until_complete(async {
        call_later(Duration::from_secs(1), || unreachable!()).unwrap().cancel();
        call_later(Duration::MAX, || unreachable!()).unwrap().cancel();
        drop(Box::pin(sleep(Duration::from_secs(1))));
        pending::<()>().await;
    }));
    assert_eq!(lines(&report), [format!("Task-1, polled once: {NEVER_TAKEN}")]);
    assert_eq!(event_loop.time(), start);
}

/// Case 103. A sleep that never comes does not hold the report back.
#[test]
fn endless_sleep_is_a_stall() {
    for event_loop in [virtual_loop(), EventLoop::new()] {
        let report = stalled(event_loop.try_run_until_complete(sleep(Duration::MAX)));
        assert_eq!(lines(&report), [format!("Task-1, polled once: {NEVER_TAKEN}")]);
    }
}

/// A callback that never comes is no task, and is not listed among the pending tasks.
#[test]
fn endless_callback_is_not_reported_as_a_task() {
    let event_loop = virtual_loop();
    drop(event_loop.call_later(Duration::MAX, || unreachable!()).unwrap());
    let report = stalled(event_loop.try_run_until_complete(pending::<()>()));
    assert_eq!(lines(&report), [format!("Task-1, polled once: {NEVER_TAKEN}")]);
}

/// A waker that was used, and not taken again since: the text does not deny the wake.
#[test]
fn waker_that_was_woken_is_not_said_to_be_unwoken() {
    let event_loop = virtual_loop();
    let report = stalled(event_loop.try_run_until_complete(async {
        sleep(Duration::from_secs(1)).await;
        pending::<()>().await;
    }));
    assert!(!lines(&report)[0].contains("without a wake"), "{report}");
}

/// After a stall the loop is as it was: tasks go on when somebody wakes them, and a root given by reference can be run
/// again.
#[test]
fn loop_goes_on_after_a_stall() {
    let event_loop = virtual_loop();
    let gate = Gate::new();
    let mut task = event_loop.spawn({
        let gate = gate.clone();
        async move {
            gate.await;
            "done"
        }
    });
    let lose = gate.clone();
    let mut root = pin!(async {
        lose.lose_waker();
        (&mut task).await.unwrap()
    });
    event_loop.run_once();
    let report = stalled(event_loop.try_run_until_complete(root.as_mut()));
    assert_eq!(
        lines(&report),
        [
            format!("Task-1, polled once: {DROPPED}"),
            "Task-2, polled once: it waits for Task-1, which is stuck too.".to_owned(),
        ]
    );
    gate.open();
    assert!(!event_loop.run_once(), "the gate has no waker to call");
    let outcome = event_loop.try_run_until_complete(async {
        yield_now().await;
        1
    });
    assert_eq!(outcome, Ok(1));
}

/// A root given by value is dropped with the stall, while its loop is still the current one.
#[test]
fn root_by_value_is_dropped_with_the_stall() {
    let event_loop = EventLoop::new();
    let trace = Trace::new();
    let guard = {
        let trace = trace.clone();
        OnDrop(move || {
            trace.add(format!("drop, current {}", LoopHandle::current().is_some()));
            drop(spawn(async {}));
        })
    };
    let outcome = event_loop.try_run_until_complete(async move {
        let _guard = guard;
        pending::<()>().await;
    });
    assert_eq!(stalled(outcome).tasks.len(), 1);
    assert_eq!(trace.take(), ["drop, current true"]);
    assert!(event_loop.run_once());
}

/// A loop with a timer, a ready task or a result to come is not stalled, whatever else in it is.
#[test]
fn stuck_task_beside_a_timer_is_no_stall() {
    let event_loop = virtual_loop();
    drop(event_loop.spawn(pending::<()>()));
    let callbacks = Trace::new();
    let add = callbacks.clone();
    event_loop.call_later(Duration::from_secs(5), move || add.add("called")).unwrap();
    assert_eq!(event_loop.try_run_until_complete(sleep(Duration::from_secs(3))), Ok(()));
    assert_eq!(event_loop.try_run_until_complete(run_late()), Ok(()));
    assert_eq!(callbacks.take(), [""; 0]);
    let report = stalled(event_loop.try_run_until_complete(pending::<()>()));
    assert_eq!(callbacks.take(), ["called"]);
    assert_eq!(report.tasks.len(), 2);
}

async fn run_late() {
    for _ in 0..100 {
        yield_now().await;
    }
}

/// What another thread does with the thing that keeps a loop from its report: it takes it, calls `wait`, drops it.
type Keeper = Box<dyn FnOnce(&dyn Fn()) + Send>;
type Root = Pin<Box<dyn Future<Output = ()>>>;

/// Runs a stuck `root` while another thread keeps something: no report comes, and with the drop it does.
fn kept_and_dropped(
    is_virtual: bool,
    setup: impl FnOnce(&EventLoop) -> (Root, Keeper) + Send + 'static,
) -> StallReport {
    let (send, receive) = channel();
    watched(move || {
        let builder = EventLoop::builder();
        let event_loop = if is_virtual { builder.virtual_clock() } else { builder }.build();
        let (root, keeper) = setup(&event_loop);
        let (returned, has_returned) = channel::<()>();
        let thread = thread::spawn(move || {
            keeper(&|| {
                let early = has_returned.recv_timeout(Duration::from_millis(5));
                assert_eq!(early, Err(RecvTimeoutError::Timeout), "the loop did not wait");
            });
        });
        let outcome = event_loop.try_run_until_complete(root);
        drop(returned);
        thread.join().unwrap();
        send.send(stalled(outcome)).unwrap();
    });
    receive.recv().unwrap()
}

fn sends_its_waker(to: Sender<Waker>) -> Root {
    let mut to = Some(to);
    Box::pin(poll_fn(move |context| {
        if let Some(to) = to.take() {
            to.send(context.waker().clone()).unwrap();
        }
        Poll::Pending
    }))
}

/// With real threads: a waker on another thread holds the report back, and its drop brings it.
#[test]
fn waker_elsewhere_holds_the_report_back_in_real_time() {
    let report = kept_and_dropped(false, |_| {
        let (send, receive) = channel();
        let keeper: Keeper = Box::new(move |wait| {
            let waker: Waker = receive.recv().unwrap();
            let clone = waker.clone();
            drop(waker);
            wait();
            drop(clone);
        });
        (sends_its_waker(send), keeper)
    });
    assert_eq!(lines(&report), [format!("Task-1, polled once: {DROPPED}")]);
}

/// With real threads: the same where the waker is that of the last task of a chain: while it could come, all can.
#[test]
fn waker_of_the_last_of_a_chain_holds_the_report_back_in_real_time() {
    let report = kept_and_dropped(false, |event_loop| {
        let (send, receive) = channel::<Waker>();
        let last = event_loop.spawn(sends_its_waker(send));
        let middle = event_loop.spawn(async { gather([last]).await.is_ok() });
        let keeper: Keeper = Box::new(move |wait| {
            let waker = receive.recv().unwrap();
            wait();
            drop(waker);
        });
        let root = Box::pin(async {
            middle.await.unwrap();
        });
        (root, keeper)
    });
    assert_eq!(
        lines(&report),
        [
            format!("Task-1, polled once: {DROPPED}"),
            "Task-2, polled once: it waits for Task-1, which is stuck too.".to_owned(),
            "Task-3, polled once: it waits for Task-2, which is stuck too.".to_owned(),
        ]
    );
}

/// With real threads: the one waker that a gather keeps for all its children counts once; another clone of it on another
/// thread holds the report back.
#[test]
fn second_waker_of_a_gatherer_holds_the_report_back_in_real_time() {
    let report = kept_and_dropped(false, |_| {
        let (send, receive) = channel::<Waker>();
        let keeper: Keeper = Box::new(move |wait| {
            let waker = receive.recv().unwrap();
            wait();
            drop(waker);
        });
        let root = Box::pin(async move {
            let stuck = [(); 3].map(|()| spawn(pending::<()>()));
            let mut gathered = gather_settled(stuck);
            let mut sends = sends_its_waker(send);
            poll_fn(|context| {
                assert!(Pin::new(&mut gathered).poll(context).is_pending());
                sends.as_mut().poll(context)
            })
            .await;
        });
        (root, keeper)
    });
    assert_eq!(lines(&report)[0], "Task-1, polled once: it waits for Task-2, Task-3, Task-4, which are stuck too.");
}

/// With real threads: a task that joins a stuck one may have given its waker to another thread too; that holds the
/// report back.
#[test]
fn waker_beside_a_join_holds_the_report_back_in_real_time() {
    let report = kept_and_dropped(false, |_| {
        let (send, receive) = channel::<Waker>();
        let keeper: Keeper = Box::new(move |wait| {
            let waker = receive.recv().unwrap();
            wait();
            drop(waker);
        });
        let root = Box::pin(async move {
            let mut stuck = spawn(pending::<()>());
            let mut sends = sends_its_waker(send);
            poll_fn(|context| {
                assert!(Pin::new(&mut stuck).poll(context).is_pending());
                sends.as_mut().poll(context)
            })
            .await;
        });
        (root, keeper)
    });
    assert_eq!(lines(&report)[0], "Task-1, polled once: it waits for Task-2, which is stuck too.");
}

/// With real threads: a `LoopHandle` anywhere holds the report back.
#[test]
fn handle_elsewhere_holds_the_report_back_in_real_time() {
    let report = kept_and_dropped(false, |event_loop| {
        let handle = event_loop.handle();
        let keeper: Keeper = Box::new(move |wait| {
            let clone = handle.clone();
            drop(handle);
            wait();
            drop(clone);
        });
        (Box::pin(pending()), keeper)
    });
    assert_eq!(lines(&report), [format!("Task-1, polled once: {NEVER_TAKEN}")]);
}

/// With real threads: a pending `RemoteTask` anywhere holds the report back, since it may yet cancel.
#[test]
fn remote_task_elsewhere_holds_the_report_back_in_real_time() {
    let report = kept_and_dropped(false, |event_loop| {
        let task = event_loop.handle().submit(pending::<()>());
        let keeper: Keeper = Box::new(move |wait| {
            wait();
            drop(task);
        });
        (Box::pin(pending()), keeper)
    });
    assert_eq!(report.tasks.len(), 2);
}

/// With real threads: a promise that a task waits for holds the report back. Dropped, it wakes that task; then the
/// report comes.
#[test]
fn promise_elsewhere_holds_the_report_back_in_real_time() {
    let report = kept_and_dropped(false, |_| {
        let (promise, mut future) = create_future::<()>();
        let keeper: Keeper = Box::new(move |wait| {
            wait();
            drop(promise);
        });
        let root = Box::pin(async move {
            assert_eq!((&mut future).await, Err(handloop::BrokenPromise));
            pending::<()>().await;
        });
        (root, keeper)
    });
    assert_eq!(report.tasks[0].task.polls, 2);
    assert_eq!(report.tasks[0].waker, WakerFate::Dropped);
}

/// With real threads: a `ClockHold` holds the report back, since its thread may yet submit.
#[test]
fn clock_hold_elsewhere_holds_the_report_back_in_real_time() {
    for is_virtual in [false, true] {
        let report = kept_and_dropped(is_virtual, |event_loop| {
            let handle = event_loop.handle();
            let keeper: Keeper = Box::new(move |wait| {
                let hold = handle.hold_clock();
                drop(handle);
                wait();
                drop(hold);
            });
            (Box::pin(pending()), keeper)
        });
        assert_eq!(lines(&report), [format!("Task-1, polled once: {NEVER_TAKEN}")]);
    }
}

/// With real threads: a job that runs holds the report back, also when nobody waits for it.
#[test]
fn job_elsewhere_holds_the_report_back_in_real_time() {
    for is_virtual in [false, true] {
        let report = kept_and_dropped(is_virtual, |_| {
            let ((start, is_started), (end, is_over)) = (channel::<()>(), channel::<()>());
            let keeper: Keeper = Box::new(move |wait| {
                is_started.recv().unwrap();
                wait();
                end.send(()).unwrap();
            });
            let root = Box::pin(async move {
                drop(run_in_executor(move || {
                    start.send(()).unwrap();
                    is_over.recv().unwrap();
                }));
                pending::<()>().await;
            });
            (root, keeper)
        });
        assert_eq!(lines(&report), [format!("Task-1, polled once: {NEVER_TAKEN}")]);
    }
}

/// With real threads: a sleep of this loop that another executor polls is a timer that is out. Dropped there, it brings
/// the report.
#[test]
fn timer_dropped_elsewhere_brings_the_report_in_real_time() {
    let report = kept_and_dropped(false, |_| {
        let (send, receive) = channel();
        let keeper: Keeper = Box::new(move |wait| {
            let mut sleep: Pin<Box<handloop::Sleep>> = receive.recv().unwrap();
            assert!(sleep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            wait();
            drop(sleep);
        });
        let root = Box::pin(async move {
            let mut sleep = Box::pin(sleep(Duration::from_secs(3600)));
            // Registered here, so that the loop is not stalled before the other thread has it.
            let polled = sleep.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending());
            send.send(sleep).unwrap();
            pending::<()>().await;
        });
        (root, keeper)
    });
    assert_eq!(lines(&report), [format!("Task-1, polled once: {NEVER_TAKEN}")]);
}

type Errand = (u32, Box<dyn FnOnce() + Send>);

/// A thread that runs what it is sent after a moment of spinning, without going to sleep between.
struct Elsewhere {
    send: Sender<Errand>,
    thread: thread::JoinHandle<()>,
}

impl Elsewhere {
    fn new() -> Self {
        let (send, receive) = channel::<Errand>();
        let thread = thread::spawn(move || {
            loop {
                match receive.try_recv() {
                    Ok((spins, code)) => {
                        (0..spins).for_each(|_| std::hint::spin_loop());
                        code();
                    }
                    Err(TryRecvError::Empty) => thread::yield_now(),
                    Err(TryRecvError::Disconnected) => return,
                }
            }
        });
        Elsewhere { send, thread }
    }

    fn after(&self, spins: u32, code: impl FnOnce() + Send + 'static) {
        self.send.send((spins, Box::new(code))).unwrap();
    }

    fn drop_after(&self, spins: u32, value: impl Any + Send) {
        self.after(spins, move || drop(value));
    }

    fn join(self) {
        drop(self.send);
        self.thread.join().unwrap();
    }
}

const ROUNDS: u32 = 3000;

fn spins(round: u32) -> u32 {
    round.wrapping_mul(37) % 1000
}

/// With a real thread, many times: the drop of the last `LoopHandle`, at whatever moment, brings the report.
#[test]
fn drop_of_the_last_handle_always_brings_the_report() {
    watched(|| {
        let elsewhere = Elsewhere::new();
        let event_loop = EventLoop::new();
        for round in 0..ROUNDS {
            elsewhere.drop_after(spins(round), event_loop.handle());
            assert_eq!(stalled(event_loop.try_run_until_complete(pending::<()>())).tasks.len(), 1);
        }
        elsewhere.join();
    });
}

/// With a real thread, many times: the drop of the last waker does, also while the loop counts the wakers of many tasks.
#[test]
fn drop_of_the_last_waker_always_brings_the_report() {
    watched(|| {
        for (bystanders, rounds) in [(0, ROUNDS), (2000, 100)] {
            let elsewhere = Elsewhere::new();
            let event_loop = EventLoop::new();
            (0..bystanders).for_each(|_| drop(event_loop.spawn(pending::<()>())));
            event_loop.run_once();
            for round in 0..rounds {
                let mut is_first = true;
                let root = poll_fn(|context| -> Poll<()> {
                    if std::mem::take(&mut is_first) {
                        elsewhere.drop_after(spins(round) * (1 + bystanders / 20), context.waker().clone());
                    }
                    Poll::Pending
                });
                let report = stalled(event_loop.try_run_until_complete(root));
                assert_eq!(report.tasks.len(), 1 + bystanders as usize);
                let root = report.tasks.last().unwrap();
                assert_eq!((&root.waker, root.task.polls), (&WakerFate::Dropped, 1));
            }
            elsewhere.join();
        }
    });
}

/// With a real thread, many times: the drop of the last `RemoteTask` does.
#[test]
fn drop_of_the_last_remote_task_always_brings_the_report() {
    watched(|| {
        let elsewhere = Elsewhere::new();
        for round in 0..ROUNDS {
            let event_loop = EventLoop::new();
            let task = event_loop.handle().submit(pending::<()>());
            elsewhere.drop_after(spins(round), task);
            assert_eq!(stalled(event_loop.try_run_until_complete(pending::<()>())).tasks.len(), 2);
        }
        elsewhere.join();
    });
}

/// With a real thread, many times: the end of the last `ClockHold` does.
#[test]
fn end_of_the_last_clock_hold_always_brings_the_report() {
    watched(|| {
        let elsewhere = Elsewhere::new();
        let event_loop = virtual_loop();
        for round in 0..ROUNDS {
            let handle = event_loop.handle();
            elsewhere.after(0, move || {
                let hold = handle.hold_clock();
                drop(handle);
                (0..spins(round)).for_each(|_| std::hint::spin_loop());
                drop(hold);
            });
            assert_eq!(stalled(event_loop.try_run_until_complete(pending::<()>())).tasks.len(), 1);
        }
        elsewhere.join();
    });
}

/// With real threads, many times: the end of a job for which nobody waits does.
#[test]
fn end_of_a_job_nobody_waits_for_always_brings_the_report() {
    watched(|| {
        let event_loop = EventLoop::new();
        for round in 0..500 {
            let report = stalled(event_loop.try_run_until_complete(async {
                let (start, is_started) = channel::<()>();
                drop(run_in_executor(move || {
                    is_started.recv().unwrap();
                    (0..spins(round)).for_each(|_| std::hint::spin_loop());
                }));
                start.send(()).unwrap();
                pending::<()>().await;
            }));
            assert_eq!(report.tasks.len(), 1);
        }
    });
}

/// With real threads, many times: on a virtual clock the end of such a job lets the clock jump.
#[test]
fn end_of_a_job_nobody_waits_for_always_lets_the_clock_jump() {
    watched(|| {
        let event_loop = virtual_loop();
        for round in 0..500 {
            let start = event_loop.time();
            event_loop.run_until_complete(async {
                let (start, is_started) = channel::<()>();
                drop(run_in_executor(move || {
                    is_started.recv().unwrap();
                    (0..spins(round)).for_each(|_| std::hint::spin_loop());
                }));
                start.send(()).unwrap();
                sleep(Duration::from_secs(1)).await;
            });
            assert_eq!(event_loop.time() - start, Duration::from_secs(1));
        }
    });
}

/// With a real thread, many times: a wake that comes just as the loop looks, with the waker dropped right after it,
/// is a wake and no stall; also while the loop counts the wakers of many tasks.
#[test]
fn wake_at_any_moment_is_no_stall() {
    watched(|| {
        for (bystanders, rounds) in [(0, ROUNDS), (2000, 100)] {
            let elsewhere = Elsewhere::new();
            let event_loop = EventLoop::new();
            (0..bystanders).for_each(|_| drop(event_loop.spawn(pending::<()>())));
            event_loop.run_once();
            for round in 0..rounds {
                let is_set = Arc::new(AtomicBool::new(false));
                let mut is_first = true;
                let root = poll_fn(|context| {
                    if std::mem::take(&mut is_first) {
                        let (is_set, waker) = (is_set.clone(), context.waker().clone());
                        elsewhere.after(spins(round) * (1 + bystanders / 20), move || {
                            is_set.store(true, Ordering::Relaxed);
                            if round % 2 == 0 {
                                waker.wake_by_ref();
                                drop(waker);
                            } else {
                                waker.wake();
                            }
                        });
                    }
                    if is_set.load(Ordering::Relaxed) { Poll::Ready(round) } else { Poll::Pending }
                });
                assert_eq!(event_loop.try_run_until_complete(root), Ok(round));
            }
            elsewhere.join();
        }
    });
}

/// With a real thread, many times: a result, and a promise that breaks, wake a task at the end of a chain, and no stall
/// is reported meanwhile.
#[test]
fn promise_kept_at_any_moment_is_no_stall() {
    watched(|| {
        let elsewhere = Elsewhere::new();
        let event_loop = EventLoop::new();
        for round in 0..ROUNDS {
            let outcome = event_loop.try_run_until_complete(async {
                let (promise, future) = create_future();
                let inner = spawn(future);
                let middle = spawn(async { gather([inner]).await.unwrap() });
                elsewhere.after(spins(round), move || promise.set_result(round));
                middle.await.unwrap().remove(0).unwrap()
            });
            assert_eq!(outcome, Ok(round));
        }
        elsewhere.join();
    });
}

/// With a real thread, many times: what a `LoopHandle` does before it goes away is not overlooked.
#[test]
fn last_act_of_a_handle_is_no_stall() {
    watched(|| {
        let elsewhere = Elsewhere::new();
        let event_loop = EventLoop::new();
        let stop = || LoopHandle::current().unwrap().stop();
        for round in 0..ROUNDS {
            let handle = event_loop.handle();
            elsewhere.after(spins(round), move || match round % 4 {
                0 => handle.stop(),
                1 => handle.call_soon_threadsafe(stop).unwrap(),
                2 => drop(handle.submit(async move { stop() })),
                _ => drop(handle.submit_with(move || async move { stop() })),
            });
            assert_eq!(event_loop.try_run_until_complete(pending::<()>()), Err(RunError::Stopped), "{round}");
        }
        elsewhere.join();
    });
}

/// With a real thread, many times: a cancel by a `RemoteTask` that goes away with it is not overlooked.
#[test]
fn last_cancel_of_a_remote_task_is_no_stall() {
    watched(|| {
        let elsewhere = Elsewhere::new();
        for round in 0..ROUNDS {
            let event_loop = EventLoop::new();
            let task = event_loop.handle().submit(async {
                let _guard = OnDrop(|| LoopHandle::current().unwrap().stop());
                pending::<()>().await;
            });
            // Begun, so that there is a guard to drop.
            event_loop.run_once();
            elsewhere.after(spins(round), move || assert!(task.cancel()));
            assert_eq!(event_loop.try_run_until_complete(pending::<()>()), Err(RunError::Stopped), "{round}");
        }
        elsewhere.join();
    });
}

/// With real threads, many times: the result of a job that is awaited is not overlooked.
#[test]
fn end_of_a_job_that_is_awaited_is_no_stall() {
    watched(|| {
        for event_loop in [EventLoop::new(), virtual_loop()] {
            for round in 0..300 {
                let outcome = event_loop.try_run_until_complete(async {
                    let (start, is_started) = channel::<()>();
                    let job = run_in_executor(move || {
                        is_started.recv().unwrap();
                        (0..spins(round)).for_each(|_| std::hint::spin_loop());
                        round
                    });
                    start.send(()).unwrap();
                    job.await.unwrap()
                });
                assert_eq!(outcome, Ok(round));
            }
        }
    });
}

/// With a real thread, many times: wakers that wander, clone by clone, from one to the next task of a loop never look as
/// if all were gone.
#[test]
fn waker_handed_on_from_task_to_task_is_no_stall() {
    watched(|| {
        const TASKS: u32 = 20;
        let elsewhere = Elsewhere::new();
        for round in 0..200 {
            let event_loop = EventLoop::new();
            // Each task ends when it is woken; the other thread keeps one waker at a time beside the next.
            let (send, receive) = channel::<Waker>();
            elsewhere.after(0, move || {
                for waker in receive.iter().take(TASKS as usize) {
                    (0..spins(round)).for_each(|_| std::hint::spin_loop());
                    waker.wake();
                }
            });
            let outcome = event_loop.try_run_until_complete(async {
                let mut count = 0;
                for _ in 0..TASKS {
                    let send = send.clone();
                    let mut is_sent = false;
                    let task = spawn(poll_fn(move |context| {
                        if std::mem::replace(&mut is_sent, true) {
                            return Poll::Ready(1);
                        }
                        send.send(context.waker().clone()).unwrap();
                        Poll::Pending
                    }));
                    count += task.await.unwrap();
                }
                count
            });
            assert_eq!(outcome, Ok(TASKS));
        }
        elsewhere.join();
    });
}
