//! A task gives its result once, to whoever asked last, and only when its future is gone.
// A task may leave the async block that spawned it.
#![allow(clippy::async_yields_async)]

mod common;

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use common::{CountingWaker, Drops, Gate, OnDrop, Reports, Token, Trace, panic_of, panic_text, virtual_loop, watched};
use handloop::{EventLoop, JoinError, Task, TaskState, gather, sleep, spawn, spawn_named, yield_now};

/// Turns until nothing is ready.
fn settle(event_loop: &EventLoop) {
    while event_loop.run_once() {}
}

fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

fn reporting_loop() -> (EventLoop, Reports) {
    let reports = Reports::new();
    (reports.collect(EventLoop::builder().virtual_clock()).build(), reports)
}

/// Case 52. Run, then join: the output is there, of no size, in the task, or on the heap.
#[test]
fn join_after_the_run_gives_the_output() {
    let event_loop = virtual_loop();
    let nothing = event_loop.spawn(async {});
    let large = event_loop.spawn(async { [7_u64; 100] });
    let text = event_loop.spawn(async { String::from("text") });
    let boxed = event_loop.spawn(async { Box::new(|x: u8| x + 1) as Box<dyn Fn(u8) -> u8> });
    let not_send = event_loop.spawn(async { Rc::new(5) });
    settle(&event_loop);
    event_loop.run_until_complete(async {
        nothing.await.unwrap();
        assert_eq!(large.await.unwrap(), [7; 100]);
        assert_eq!(text.await.unwrap(), "text");
        assert_eq!(boxed.await.unwrap()(1), 2);
        assert_eq!(*not_send.await.unwrap(), 5);
    });
}

/// Case 52. An output larger than its future, and one smaller, use the same place.
#[test]
fn output_may_be_larger_or_smaller_than_its_future() {
    virtual_loop().run_until_complete(async {
        assert_eq!(spawn(async { [3_u8; 4096] }).await.unwrap(), [3; 4096]);
        let large = [4_u8; 4096];
        let sum = spawn(async move {
            yield_now().await;
            large.iter().map(|byte| u32::from(*byte)).sum::<u32>()
        });
        assert_eq!(sum.await.unwrap(), 4 * 4096);
    });
}

/// Case 53. Join first, run later: the joiner is woken, once.
#[test]
fn joiner_that_came_first_is_woken_once() {
    let event_loop = virtual_loop();
    let (counter, waker) = CountingWaker::new();
    let mut task = event_loop.spawn(async { 1 });
    assert!(poll(&mut task, &waker).is_pending());
    assert_eq!(counter.wakes(), 0);
    settle(&event_loop);
    assert_eq!(counter.wakes(), 1);
    let Poll::Ready(result) = poll(&mut task, &waker) else { panic!("pending") };
    assert_eq!((result.unwrap(), counter.wakes()), (1, 1));
}

/// Case 53. The same between two tasks: the joiner resumes in the turn after the end, in its place in the queue.
#[test]
fn joiner_resumes_in_the_turn_after_the_end() {
    let (event_loop, trace, gate) = (virtual_loop(), Trace::new(), Gate::new());
    let (inner, seen) = (gate.clone(), trace.clone());
    let task = event_loop.spawn(async move {
        inner.await;
        seen.add("task ends");
    });
    let seen = trace.clone();
    let joiner = event_loop.spawn(async move {
        task.await.unwrap();
        seen.add("joiner resumes");
    });
    settle(&event_loop);
    gate.open();
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["task ends"]);
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["joiner resumes"]);
    assert!(joiner.is_finished() && !event_loop.run_once());
}

/// A waker that sends a message.
struct Tells(Sender<()>);

impl Wake for Tells {
    fn wake(self: Arc<Self>) {
        self.0.send(()).unwrap();
    }
}

/// Case 53. + Join while the task is being polled on another thread: the joiner is woken once.
#[test]
fn joiner_that_comes_during_the_poll_is_woken_once() {
    watched(|| {
        let event_loop = virtual_loop();
        let (running, is_running) = channel();
        let (asked, was_asked) = channel();
        let mut task = event_loop.handle().submit(async move {
            running.send(()).unwrap();
            was_asked.recv().unwrap();
            "output"
        });
        let other = thread::spawn(move || {
            let (tell, told) = channel();
            let waker = Waker::from(Arc::new(Tells(tell)));
            is_running.recv().unwrap();
            assert!(poll(&mut task, &waker).is_pending());
            drop(waker);
            asked.send(()).unwrap();
            let wakes = told.iter().count();
            let Poll::Ready(result) = poll(&mut task, Waker::noop()) else { panic!("pending") };
            (wakes, result.unwrap())
        });
        settle(&event_loop);
        assert_eq!(other.join().unwrap(), (1, "output"));
    });
}

/// Case 54. Poll the handle once, then drop it, then run: the task runs, nobody is woken, the waker is released.
#[test]
fn handle_polled_and_dropped_before_the_run_wakes_nobody() {
    let event_loop = virtual_loop();
    let (drops, (counter, waker)) = (Drops::new(), CountingWaker::new());
    let token = drops.token();
    let mut task = event_loop.spawn(async { token });
    assert!(poll(&mut task, &waker).is_pending());
    assert_eq!(Arc::strong_count(&counter), 3);
    drop(task);
    assert_eq!((Arc::strong_count(&counter), drops.count()), (2, 0));
    settle(&event_loop);
    assert_eq!((counter.wakes(), drops.count()), (0, 1));
}

/// Case 55. Poll, run, join.
#[test]
fn handle_polled_before_the_run_is_joined_after_it() {
    let (event_loop, gate) = (virtual_loop(), Gate::new());
    let inner = gate.clone();
    let mut task = event_loop.spawn(async move {
        inner.await;
        String::from("late")
    });
    assert!(poll(&mut task, Waker::noop()).is_pending());
    settle(&event_loop);
    assert!(poll(&mut task, Waker::noop()).is_pending());
    gate.open();
    assert!(poll(&mut task, Waker::noop()).is_pending());
    settle(&event_loop);
    assert_eq!(event_loop.run_until_complete(task).unwrap(), "late");
}

/// Case 56. To join twice panics, and says what to do; so does each of the other ways to ask.
#[test]
fn join_twice_panics() {
    watched(|| {
        let text = "Task-1 has given its result already: keep it from the first time";
        let event_loop = virtual_loop();
        let mut task = event_loop.spawn(async { 1 });
        settle(&event_loop);
        assert!(matches!(task.try_result(), Some(Ok(1))));
        assert_eq!(panic_of(|| drop(task.try_result())), text);
        assert_eq!(panic_of(|| drop(poll(&mut task, Waker::noop()))), text);
        assert_eq!(panic_of(|| drop(event_loop.run_until_complete(&mut task))), text);
        assert_eq!((task.is_finished(), task.state(), task.cancel()), (true, TaskState::Finished, false));

        let mut named = event_loop.run_until_complete(async { spawn_named("fetch", std::future::pending::<()>()) });
        assert!(named.cancel());
        settle(&event_loop);
        assert!(poll(&mut named, Waker::noop()).is_ready());
        let text = "fetch has given its result already: keep it from the first time";
        assert_eq!(panic_of(|| drop(named.try_result())), text);

        let mut remote = event_loop.handle().submit(async { 1 });
        settle(&event_loop);
        assert_eq!(remote.result().unwrap(), 1);
        let text = "this task has given its result already: keep it from the first time";
        assert_eq!(panic_of(|| drop(remote.result())), text);
        assert_eq!(panic_of(|| drop(poll(&mut remote, Waker::noop()))), text);
    });
}

/// When the output of a task is there, and who takes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Taken {
    ByTryResult,
    ByAwait,
    Never,
}

/// Case 52, Case 56. The output is taken once: it is moved to whoever asks first, and dropped by nobody else.
#[test]
fn output_is_taken_once() {
    for taken in [Taken::ByTryResult, Taken::ByAwait, Taken::Never] {
        for loop_first in [true, false] {
            let (event_loop, drops) = (virtual_loop(), Drops::new());
            let token = drops.token();
            let mut task = event_loop.spawn(async { token });
            settle(&event_loop);
            let output = match taken {
                Taken::ByTryResult => task.try_result().map(Result::unwrap),
                Taken::ByAwait => Some(event_loop.run_until_complete(&mut task).unwrap()),
                Taken::Never => None,
            };
            assert_eq!(drops.count(), 0);
            if output.is_some() {
                assert!(panic_of(|| drop(task.try_result())).ends_with("keep it from the first time"));
            }
            if loop_first {
                drop(event_loop);
                assert_eq!(drops.count(), 0, "{taken:?}");
                drop(task);
            } else {
                drop(task);
                drop(event_loop);
            }
            assert_eq!(drops.count(), usize::from(taken == Taken::Never), "{taken:?}");
            drop(output);
            assert_eq!(drops.count(), 1, "{taken:?}");
        }
    }
}

/// Case 52. The payload of a panic is taken once too, and is the very one.
#[test]
fn payload_is_taken_once() {
    for taken in [true, false] {
        let (event_loop, reports) = reporting_loop();
        let drops = Drops::new();
        let token = drops.token();
        let mut task: Task<()> = event_loop.spawn(async { std::panic::panic_any(token) });
        settle(&event_loop);
        let error = taken.then(|| task.try_result().unwrap().unwrap_err());
        let at = task.spawned_at();
        assert_eq!(drops.count(), 0);
        drop((task, event_loop));
        assert_eq!(drops.count(), usize::from(!taken));
        let report = format!("Task-1 (from {at}) panicked, and nobody joined it: (a payload that is not text)");
        assert_eq!(reports.take(), if taken { vec![] } else { vec![report] });
        if let Some(error) = error {
            let payload = error.into_panic().downcast::<Token>().unwrap();
            assert_eq!(drops.count(), 0);
            drop(payload);
            assert_eq!(drops.count(), 1);
        }
    }
}

/// Case 57. The output is dropped once in each order: the handle goes before the run, before the loop, or after it.
#[test]
fn output_of_a_detached_task_is_dropped_once() {
    for (handle_before_run, runs, loop_first) in [
        (true, true, false),
        (true, false, false),
        (false, true, false),
        (false, true, true),
        (false, false, false),
        (false, false, true),
    ] {
        let (event_loop, futures, outputs) = (virtual_loop(), Drops::new(), Drops::new());
        let (future, output) = (futures.token(), outputs.token());
        let mut task = Some(event_loop.spawn(async move {
            yield_now().await;
            drop(future);
            output
        }));
        assert!(event_loop.run_once());
        if handle_before_run {
            drop(task.take());
            assert_eq!((futures.count(), outputs.count()), (0, 0));
        }
        if runs {
            settle(&event_loop);
            assert_eq!((futures.count(), outputs.count()), (1, usize::from(handle_before_run)));
        }
        if loop_first {
            drop(event_loop);
            assert_eq!((futures.count(), outputs.count()), (1, usize::from(!runs)));
            drop(task);
        } else {
            drop(task);
            assert_eq!(outputs.count(), usize::from(runs));
            drop(event_loop);
        }
        assert_eq!((futures.count(), outputs.count()), (1, 1), "{handle_before_run} {runs} {loop_first}");
    }
}

/// Case 57. The same with a `RemoteTask`, whose handle goes on another thread.
#[test]
fn output_of_a_detached_remote_task_is_dropped_once() {
    watched(|| {
        for (handle_before_run, loop_first) in [(true, false), (false, false), (false, true)] {
            let (event_loop, outputs) = (virtual_loop(), Drops::new());
            let output = outputs.token();
            let mut task = Some(event_loop.handle().submit(async { output }));
            if handle_before_run {
                let task = task.take();
                thread::spawn(move || drop(task)).join().unwrap();
            }
            settle(&event_loop);
            assert_eq!(outputs.count(), usize::from(handle_before_run));
            let event_loop = if loop_first { None } else { Some(event_loop) };
            thread::spawn(move || drop(task)).join().unwrap();
            assert_eq!(outputs.count(), 1);
            drop(event_loop);
            assert_eq!(outputs.count(), 1);
        }
    });
}

/// Case 58. The output can still be taken after the loop is gone; an unfinished task is cancelled by then.
#[test]
fn output_can_be_taken_after_the_loop_is_gone() {
    let event_loop = virtual_loop();
    let mut done = event_loop.spawn(async { String::from("done") });
    let mut panicked: Task<()> = event_loop.spawn(async { panic!("late news") });
    let mut pending = event_loop.spawn(std::future::pending::<()>());
    let mut never_polled = {
        settle(&event_loop);
        event_loop.spawn(async {})
    };
    drop(event_loop);
    assert_eq!(handloop::run(&mut done).unwrap(), "done");
    assert_eq!(panicked.try_result().unwrap().unwrap_err().to_string(), "Task-2 panicked: late news");
    let Poll::Ready(error) = poll(&mut pending, Waker::noop()) else { panic!("pending for ever") };
    assert_eq!(error.unwrap_err().to_string(), "Task-3 was cancelled before it finished.");
    assert!(never_polled.try_result().unwrap().unwrap_err().is_cancelled());
    assert!(!never_polled.cancel());
}

/// A waker that notes its wake where a destructor notes its own.
struct NotesWake(Mutex<Vec<&'static str>>);

impl Wake for NotesWake {
    fn wake(self: Arc<Self>) {
        self.0.lock().unwrap().push("joiner is woken");
    }
}

/// A future that holds a value until it is dropped itself, also after it has returned.
struct Holds<T>(T, Gate);

impl<T: Unpin> Future for Holds<T> {
    type Output = &'static str;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<&'static str> {
        Pin::new(&mut self.1).poll(context).map(|()| "output")
    }
}

/// Case 60. The future is dropped, with all that it holds, before the joiner is woken and sees the output: whether it
/// returned, panicked or was cancelled.
#[test]
fn future_is_dropped_before_the_joiner_sees_the_output() {
    for end in ["returns", "panics", "is cancelled", "loses its loop"] {
        let event_loop = virtual_loop();
        let notes = Arc::new(NotesWake(Mutex::default()));
        let (gate, kept) = (Gate::new(), notes.clone());
        let mut holds = Holds(OnDrop(move || kept.0.lock().unwrap().push("future is dropped")), gate.clone());
        let mut task = event_loop.spawn(poll_fn(move |context| {
            let polled = Pin::new(&mut holds).poll(context);
            assert!(end != "panics" || polled.is_pending(), "on purpose");
            polled
        }));
        settle(&event_loop);
        assert!(poll(&mut task, &Waker::from(notes.clone())).is_pending());
        gate.open();
        if end == "is cancelled" {
            assert!(task.cancel());
        }
        assert_eq!(*notes.0.lock().unwrap(), [""; 0]);
        if end == "loses its loop" {
            event_loop.close();
        } else {
            assert!(event_loop.run_once());
        }
        assert_eq!(*notes.0.lock().unwrap(), ["future is dropped", "joiner is woken"], "{end}");
        assert_eq!(task.try_result().unwrap().is_ok(), end == "returns");
    }
}

/// Case 60. What a future still holds when it returns is dropped before the joiner sees the output, also across threads.
#[test]
fn what_a_returned_future_holds_is_dropped_before_the_joiner_sees_the_output() {
    watched(|| {
        let (event_loop, trace, gate) = (virtual_loop(), Trace::new(), Gate::new());
        let seen = trace.clone();
        let task = event_loop.spawn(Holds(OnDrop(move || seen.add("future is dropped")), gate.clone()));
        let seen = trace.clone();
        let joiner = event_loop.spawn(async move { seen.add(task.await.unwrap()) });
        settle(&event_loop);
        gate.open();
        event_loop.run_until_complete(joiner).unwrap();
        assert_eq!(trace.take(), ["future is dropped", "output"]);

        // A destructor asks the handle for the output: it is not there yet.
        let own: Rc<RefCell<Option<Task<&str>>>> = Rc::default();
        let (asks, seen, gate) = (own.clone(), trace.clone(), Gate::new());
        let on_drop = OnDrop(move || {
            let mut own = asks.borrow_mut();
            let task = own.as_mut().unwrap();
            seen.add(format!("{:?} {:?}", task.state(), task.try_result().is_some()));
        });
        gate.open();
        *own.borrow_mut() = Some(event_loop.spawn(Holds(on_drop, gate)));
        settle(&event_loop);
        assert_eq!(trace.take(), ["Running false"]);
        assert!(own.take().unwrap().try_result().is_some());

        for _ in 0..200 {
            let drops = Drops::new();
            let token = drops.token();
            let remote = event_loop.handle().submit(async move {
                yield_now().await;
                let _token = token;
            });
            let other = thread::spawn(move || {
                remote.result().unwrap();
                drops.count()
            });
            while !other.is_finished() {
                event_loop.run_once();
                thread::yield_now();
            }
            assert_eq!(other.join().unwrap(), 1);
        }
    });
}

/// Case 61. A handle that is polled with waker A, then with B, wakes B alone, and A is released at the second poll.
#[test]
fn handle_polled_with_two_wakers_wakes_the_second_and_releases_the_first() {
    let (event_loop, gate) = (virtual_loop(), Gate::new());
    let mut task = event_loop.spawn(gate.clone());
    let ((a, waker_a), (b, waker_b)) = (CountingWaker::new(), CountingWaker::new());
    for _ in 0..3 {
        assert!(poll(&mut task, &waker_a).is_pending());
        assert!(poll(&mut task, &waker_b).is_pending());
        assert_eq!((Arc::strong_count(&a), Arc::strong_count(&b)), (2, 3));
    }
    assert!(poll(&mut task, &waker_b).is_pending());
    assert_eq!((Arc::strong_count(&a), Arc::strong_count(&b)), (2, 3), "the same waker is not stored twice");
    settle(&event_loop);
    gate.open();
    settle(&event_loop);
    assert_eq!((a.wakes(), b.wakes()), (0, 1));
    assert_eq!((Arc::strong_count(&a), Arc::strong_count(&b)), (2, 2));
    assert!(poll(&mut task, &waker_a).is_ready());
    assert_eq!((a.wakes(), Arc::strong_count(&a)), (0, 2), "a handle that is ready keeps nobody");
}

/// Case 62. To drop the handle releases the waker that it stored, before and after the loop is gone.
#[test]
fn dropped_handle_releases_its_waker() {
    watched(|| {
        let event_loop = virtual_loop();
        let (counter, waker) = CountingWaker::new();
        let mut task = event_loop.spawn(Gate::new());
        assert!(poll(&mut task, &waker).is_pending());
        settle(&event_loop);
        assert_eq!(Arc::strong_count(&counter), 3);
        drop(task);
        assert_eq!(Arc::strong_count(&counter), 2);

        let mut children = gather([event_loop.spawn(Gate::new()), event_loop.spawn(Gate::new())]);
        assert!(poll(&mut children, &waker).is_pending());
        assert_eq!(Arc::strong_count(&counter), 3);
        drop(children);
        settle(&event_loop);
        assert_eq!(Arc::strong_count(&counter), 2);

        let mut remote = event_loop.handle().submit(std::future::pending::<()>());
        assert!(poll(&mut remote, &waker).is_pending());
        assert_eq!(Arc::strong_count(&counter), 3);
        drop(remote);
        assert_eq!(Arc::strong_count(&counter), 2);

        let mut task = event_loop.spawn(Gate::new());
        assert!(poll(&mut task, &waker).is_pending());
        drop(event_loop);
        assert_eq!((counter.wakes(), Arc::strong_count(&counter)), (1, 2), "the close wakes the joiner");
        drop(task);
        assert_eq!(Arc::strong_count(&counter), 2);
    });
}

/// Case 62. Two tasks that wait for each other are freed, memory and all, with their loop.
#[test]
fn two_tasks_that_wait_for_each_other_are_freed_with_their_loop() {
    let kept = Arc::new(());
    let (inside, drops) = (kept.clone(), Drops::new());
    let event_loop = EventLoop::builder().virtual_clock().on_report(move |_| drop(inside.clone())).build();
    let handles: [Rc<RefCell<Option<Task<()>>>>; 2] = Default::default();
    for own in 0..2 {
        let (handles_there, token) = (handles.clone(), drops.token());
        let task = event_loop.spawn(async move {
            let _token = token;
            let other = handles_there[1 - own].take().unwrap();
            drop(handles_there);
            other.await.unwrap();
        });
        *handles[own].borrow_mut() = Some(task);
    }
    settle(&event_loop);
    assert_eq!((drops.count(), Arc::strong_count(&kept)), (0, 2));
    drop(event_loop);
    assert_eq!((drops.count(), Arc::strong_count(&kept)), (2, 1));
}

/// Case 64. 128 handles of tasks that spawn tasks all complete.
#[test]
fn handles_of_128_tasks_that_spawn_tasks_all_complete() {
    let outputs = virtual_loop().run_until_complete(async {
        let tasks = (0..128).map(|x| {
            spawn(async move {
                let inner = spawn(async move {
                    yield_now().await;
                    x
                });
                inner.await.unwrap() + spawn(async { 1 }).await.unwrap()
            })
        });
        gather(tasks.collect::<Vec<_>>()).await.unwrap()
    });
    assert_eq!(outputs, (1..=128).collect::<Vec<_>>());
}

/// Case 65. To drop the handle detaches: the task runs to its end, however often it was polled by then.
#[test]
fn dropped_handle_detaches() {
    for turns_before in 0..3 {
        let (event_loop, trace) = (virtual_loop(), Trace::new());
        let seen = trace.clone();
        let task = event_loop.spawn(async move {
            seen.add("1");
            sleep(Duration::from_secs(1)).await;
            seen.add("2");
            yield_now().await;
            seen.add("3");
        });
        for _ in 0..turns_before {
            event_loop.run_once();
        }
        drop(task);
        event_loop.run_until_complete(sleep(Duration::from_secs(2)));
        assert_eq!(trace.take(), ["1", "2", "3"]);
    }
}

/// Who waits for a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Waits {
    Nobody,
    Detached,
    Waker,
    AnotherWaker,
    Group,
    DroppedGroup,
}

/// Case 61, Case 62, Case 57. Whoever waits for a task, with a waker, in a gather, or not at all, is released once,
/// whatever becomes of the task; so is its output.
#[test]
fn joiner_of_each_kind_is_dropped_once() {
    let kinds = [Waits::Nobody, Waits::Detached, Waits::Waker, Waits::AnotherWaker, Waits::Group, Waits::DroppedGroup];
    for waits in kinds {
        for end in ["returns", "panics", "is cancelled", "loses its loop"] {
            for named in [false, true] {
                let (event_loop, reports) = reporting_loop();
                let ((counter, waker), (other, other_waker)) = (CountingWaker::new(), CountingWaker::new());
                let (outputs, gate) = (Drops::new(), Gate::new());
                let (token, inner) = (outputs.token(), gate.clone());
                let future = async move {
                    inner.await;
                    assert!(end != "panics", "on purpose");
                    token
                };
                let mut task = if named {
                    event_loop.run_until_complete(async { spawn_named("named", future) })
                } else {
                    event_loop.spawn(future)
                };
                settle(&event_loop);
                let cancelled = end == "is cancelled";
                assert!(!cancelled || task.cancel());
                let mut handle = None;
                let mut group = None;
                match waits {
                    Waits::Nobody => handle = Some(task),
                    Waits::Detached => drop(task),
                    Waits::Waker => {
                        assert!(poll(&mut task, &waker).is_pending());
                        handle = Some(task);
                    }
                    Waits::AnotherWaker => {
                        assert!(poll(&mut task, &other_waker).is_pending());
                        assert!(poll(&mut task, &waker).is_pending());
                        handle = Some(task);
                    }
                    Waits::Group | Waits::DroppedGroup => {
                        let mut children = gather([task]);
                        assert!(poll(&mut children, &other_waker).is_pending());
                        assert!(poll(&mut children, &waker).is_pending());
                        if waits == Waits::Group {
                            group = Some(children);
                        }
                    }
                }
                assert_eq!(Arc::strong_count(&other), 2, "{waits:?} {end}");
                if end == "loses its loop" {
                    event_loop.close();
                } else {
                    gate.open();
                    settle(&event_loop);
                }
                let woken = matches!(waits, Waits::Waker | Waits::AnotherWaker | Waits::Group);
                assert_eq!((counter.wakes(), other.wakes()), (usize::from(woken), 0), "{waits:?} {end}");
                assert_eq!((Arc::strong_count(&counter), Arc::strong_count(&other)), (2, 2), "{waits:?} {end}");
                drop((handle, group, event_loop));
                assert_eq!((Arc::strong_count(&counter), Arc::strong_count(&other)), (2, 2), "{waits:?} {end}");
                assert_eq!(outputs.count(), 1, "{waits:?} {end}");
                drop(reports.take());
            }
        }
    }
}

/// TASK-15. `try_result` is `None` while the task is pending, gives the result once it is over, and panics then.
#[test]
fn try_result_is_none_while_the_task_is_pending() {
    let (event_loop, gate) = (virtual_loop(), Gate::new());
    let inner = gate.clone();
    let mut task = event_loop.spawn(async move {
        inner.await;
        "there"
    });
    assert!(task.try_result().is_none() && !task.is_finished());
    settle(&event_loop);
    assert!(task.try_result().is_none() && !task.is_finished());
    gate.open();
    assert!(task.try_result().is_none() && !task.is_finished());
    settle(&event_loop);
    assert!(task.is_finished());
    assert_eq!(task.try_result().unwrap().unwrap(), "there");
    assert!(task.is_finished());
    assert!(panic_of(|| drop(task.try_result())).ends_with("keep it from the first time"));
}

/// TASK-15. `try_result` that finds nothing does not take the joiner's place.
#[test]
fn try_result_leaves_the_joiner_where_it_is() {
    let (event_loop, (counter, waker)) = (virtual_loop(), CountingWaker::new());
    let mut task = event_loop.spawn(async {});
    assert!(poll(&mut task, &waker).is_pending());
    assert!(task.try_result().is_none());
    settle(&event_loop);
    assert_eq!(counter.wakes(), 1);
}

/// TASK-15, CANC-13. What a `JoinError` says of a task that panicked.
#[test]
fn join_error_of_a_panic_says_so() {
    let event_loop = virtual_loop();
    let mut errors: Vec<JoinError> = event_loop.run_until_complete(async {
        let tasks: [Task<()>; 3] = [
            spawn(async { panic!("a literal") }),
            spawn_named("fetch", async { panic!("{} of {}", 1, 2) }),
            spawn(async { std::panic::panic_any(42_u8) }),
        ];
        yield_now().await;
        tasks.into_iter().map(|mut task| task.try_result().unwrap().unwrap_err()).collect()
    });
    let seen: Vec<_> = errors.iter().map(|error| (error.id(), error.name(), error.to_string())).collect();
    let expected = [
        (2, "Task-2", "Task-2 panicked: a literal".to_owned()),
        (3, "fetch", "fetch panicked: 1 of 2".to_owned()),
        (4, "Task-4", "Task-4 panicked: (a payload that is not text)".to_owned()),
    ];
    assert_eq!(seen, expected);
    assert_eq!(format!("{:?}", errors[0]), "JoinError(Task-2 panicked: a literal)");
    assert!(errors.iter().all(|error| error.is_panic() && !error.is_cancelled()));
    assert!(std::error::Error::source(&errors[0]).is_none());
    assert_eq!(*errors.pop().unwrap().into_panic().downcast::<u8>().unwrap(), 42);
    assert_eq!(panic_text(&*errors.pop().unwrap().into_panic()), "1 of 2");
    let error = errors.pop().unwrap();
    let again = catch_unwind(AssertUnwindSafe(|| resume_unwind(error.into_panic()))).unwrap_err();
    assert_eq!(panic_text(&*again), "a literal");
}

/// TASK-15, CANC-13. What a `JoinError` says of a task that was cancelled.
#[test]
fn join_error_of_a_cancel_says_so() {
    let event_loop = virtual_loop();
    let mut task = event_loop.run_until_complete(async { spawn_named("fetch", std::future::pending::<()>()) });
    assert!(task.cancel() && event_loop.run_once());
    let error = task.try_result().unwrap().unwrap_err();
    assert_eq!((error.id(), error.name()), (2, "fetch"));
    assert_eq!((error.is_cancelled(), error.is_panic()), (true, false));
    assert_eq!(error.to_string(), "fetch was cancelled before it finished.");
    assert_eq!(format!("{error:?}"), "JoinError(fetch was cancelled before it finished.)");
    assert_eq!(panic_of(|| drop(error.into_panic())), "fetch did not panic, it was cancelled: ask is_panic() first");
}

/// TASK-15. A `JoinError` goes to other threads, and is an error like any other.
#[test]
fn join_error_is_an_error_for_any_thread() {
    let event_loop = virtual_loop();
    let mut task: Task<()> = event_loop.spawn(async { panic!("far away") });
    settle(&event_loop);
    let error = task.try_result().unwrap().unwrap_err();
    let error: Box<dyn std::error::Error + Send + Sync> = error.into();
    let text = thread::scope(|scope| scope.spawn(|| error.to_string()).join().unwrap());
    assert_eq!(text, "Task-1 panicked: far away");
    let inside = event_loop.run_until_complete(async {
        let outer = async { spawn(std::future::ready(1)).await };
        outer.await
    });
    assert_eq!(inside.unwrap(), 1);
}

/// TASK-15. The panics of the two misuses name the line of the caller.
#[test]
fn misuse_names_the_line_of_the_caller() {
    thread_local!(static LINE: Cell<u32> = const { Cell::new(0) });
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        LINE.set(info.location().unwrap().line());
        before(info);
    }));
    let event_loop = virtual_loop();
    let mut task = event_loop.spawn(async {});
    settle(&event_loop);
    drop(task.try_result());
    panic_of(|| drop(task.try_result()));
    let try_result = (LINE.get(), line!() - 1);
    let cancelled = event_loop.spawn(std::future::pending::<()>());
    event_loop.close();
    let mut cancelled = cancelled;
    let error = cancelled.try_result().unwrap().unwrap_err();
    panic_of(|| drop(error.into_panic()));
    let into_panic = (LINE.get(), line!() - 1);
    assert_eq!(try_result.0, try_result.1);
    assert_eq!(into_panic.0, into_panic.1);
}

/// Case 81. A handle that is polled after the panic errs at once, and its joiner was woken.
#[test]
fn joiner_of_a_task_that_panics_is_woken() {
    let (event_loop, (counter, waker)) = (virtual_loop(), CountingWaker::new());
    let mut task: Task<()> = event_loop.spawn(async { panic!("on purpose") });
    assert!(poll(&mut task, &waker).is_pending());
    settle(&event_loop);
    assert_eq!(counter.wakes(), 1);
    let Poll::Ready(Err(error)) = poll(&mut task, &waker) else { panic!("not ready") };
    assert!(error.is_panic());
}
