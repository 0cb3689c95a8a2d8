//! Tasks run in the order in which they were spawned, tell their state and name, and belong to their loop.
// A task may leave the async block that spawned it.
#![allow(clippy::async_yields_async)]

mod common;

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use common::{Drops, Gate, OnDrop, Reports, Trace, panic_of, virtual_loop, watched};
use handloop::{
    EventLoop, Task, TaskInfo, TaskState, all_tasks, call_later, call_soon, current_task, gather, sleep, spawn,
    spawn_named, yield_now,
};

fn names(tasks: &[TaskInfo]) -> Vec<&str> {
    tasks.iter().map(|task| task.name.as_str()).collect()
}

/// How many turns pass between the first poll of a task and its last.
fn turns_after_the_first(future: impl Future<Output = ()> + 'static) -> usize {
    let event_loop = virtual_loop();
    let task = event_loop.spawn(future);
    let mut turns = 0;
    while !task.is_finished() {
        assert!(event_loop.run_once());
        turns += 1;
    }
    turns - 1
}

/// Several tasks may wait for it. It wakes them in the order in which they began to wait.
#[derive(Clone, Default)]
struct Event {
    is_set: Rc<Cell<bool>>,
    wakers: Rc<RefCell<Vec<Waker>>>,
}

impl Event {
    fn set(&self) {
        self.is_set.set(true);
        self.wakers.take().into_iter().for_each(Waker::wake);
    }

    async fn wait(&self) {
        poll_fn(|context| {
            if self.is_set.get() {
                return Poll::Ready(());
            }
            self.wakers.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// TASK-01. A spawn runs nothing; the bodies start in the next turn, in the order of the spawns.
#[test]
fn spawned_tasks_start_in_the_next_turn_in_order() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    let outer = {
        let trace = trace.clone();
        event_loop.spawn(async move {
            trace.add("outer begins");
            for name in ["a", "b", "c"] {
                let trace = trace.clone();
                drop(spawn(async move { trace.add(name) }));
            }
            trace.add("outer ends");
        })
    };
    assert_eq!(trace.take(), [""; 0]);
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["outer begins", "outer ends"]);
    assert!(outer.is_finished());
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["a", "b", "c"]);
    assert!(!event_loop.run_once());
}

/// TASK-01. The root future is a task like any other: what was spawned before the run starts before it.
#[test]
fn tasks_spawned_before_the_run_start_before_the_root() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    let before = trace.clone();
    drop(event_loop.spawn(async move { before.add("task") }));
    event_loop.run_until_complete(async { trace.add("root") });
    assert_eq!(trace.take(), ["task", "root"]);
}

/// TASK-02, TASK-19. The free functions panic outside a running loop, and the future that they were given is dropped.
#[test]
fn spawn_outside_a_running_loop_panics_and_drops_the_future() {
    let _event_loop = virtual_loop();
    let drops = Drops::new();
    let token = drops.token();
    assert_eq!(
        panic_of(|| drop(spawn(async move { drop(token) }))),
        "spawn needs a running loop: call it inside handloop::run or EventLoop::run_until_complete"
    );
    assert_eq!(drops.count(), 1);
    let token = drops.token();
    assert_eq!(
        panic_of(|| drop(spawn_named("fetch", async move { drop(token) }))),
        "spawn_named needs a running loop: call it inside handloop::run or EventLoop::run_until_complete"
    );
    assert_eq!(drops.count(), 2);
}

/// TASK-02. `EventLoop::spawn` works before the loop runs.
#[test]
fn spawn_on_a_loop_that_does_not_run_yet_works() {
    let event_loop = virtual_loop();
    let task = event_loop.spawn(async { 7 });
    assert_eq!(task.state(), TaskState::Ready);
    assert_eq!(event_loop.run_until_complete(task).unwrap(), 7);
}

/// TASK-19. A closed loop drops the future of a spawn at once, unpolled, and the task is cancelled.
#[test]
fn spawn_on_a_closed_loop_drops_the_future_unpolled() {
    let event_loop = virtual_loop();
    event_loop.close();
    let (drops, polls) = (Drops::new(), Rc::new(Cell::new(0)));
    let (token, count) = (drops.token(), polls.clone());
    let mut task = event_loop.spawn(async move {
        count.set(count.get() + 1);
        drop(token);
    });
    assert_eq!((drops.count(), polls.get(), task.state()), (1, 0, TaskState::Cancelled));
    assert_eq!(task.try_result().unwrap().unwrap_err().to_string(), "Task-1 was cancelled before it finished.");
}

/// TASK-04. Ids are counted for each loop from 1, in the order of the spawns; the name follows from the id.
#[test]
fn ids_and_default_names_are_counted_per_loop() {
    for _ in 0..2 {
        let event_loop = virtual_loop();
        let first = event_loop.spawn(async {});
        let named = event_loop.run_until_complete(async {
            call_soon(|| ()).unwrap();
            let own = current_task().unwrap();
            assert_eq!((own.id, own.name.as_str()), (2, "Task-2"));
            spawn_named("fetch", async { current_task().unwrap().name })
        });
        let last = event_loop.spawn(async {});
        assert_eq!((first.id(), first.name().as_str()), (1, "Task-1"));
        assert_eq!((named.id(), named.name().as_str()), (3, "fetch"));
        assert_eq!((last.id(), last.name().as_str()), (4, "Task-4"), "a callback takes no number");
        assert_eq!(event_loop.run_until_complete(named).unwrap(), "fetch");
        assert_eq!(event_loop.run_until_complete(async { current_task().unwrap().id }), 6);
    }
}

/// TASK-04. A submitted task is numbered when the loop takes it over.
#[test]
fn submitted_task_is_numbered_when_the_loop_takes_it_over() {
    watched(|| {
        let event_loop = virtual_loop();
        let handle = event_loop.handle();
        let ids = || async { current_task().map(|task| (task.id, task.name)).unwrap() };
        let sent = std::thread::spawn(move || handle.submit(ids())).join().unwrap();
        let task = event_loop.spawn(ids());
        assert_eq!(event_loop.run_until_complete(task).unwrap(), (1, "Task-1".to_owned()));
        assert_eq!(event_loop.run_until_complete(sent).unwrap(), (3, "Task-3".to_owned()), "2 was the first root");
    });
}

/// TASK-04, DBG-10. A task and its info name the line of the spawn.
#[test]
fn task_names_the_line_that_spawned_it() {
    let event_loop = virtual_loop();
    let (task, line) = (event_loop.spawn(std::future::pending::<()>()), line!());
    assert_eq!((task.spawned_at().file(), task.spawned_at().line()), (file!(), line));
    let info = event_loop.all_tasks().remove(0);
    assert_eq!(info.spawned_at, task.spawned_at());
    assert_eq!(info.to_string(), format!("Task-1 (from {})", task.spawned_at()));
    let (inner, line) = event_loop.run_until_complete(async { (spawn_named("inner", async {}), line!()) });
    assert_eq!(inner.spawned_at().line(), line);
    let (line, root) = (line!(), event_loop.run_until_complete(async { current_task().unwrap() }));
    assert_eq!(root.spawned_at.line(), line, "a root is spawned by the line that runs it");
}

/// TASK-05. A task is itself a future, and is taken wherever one is.
#[test]
fn task_is_taken_wherever_a_future_is() {
    let event_loop = virtual_loop();
    let task = event_loop.spawn(async { 3 });
    assert_eq!(event_loop.run_until_complete(task).unwrap(), 3);
    let mut task = event_loop.spawn(async { 4 });
    assert_eq!(event_loop.run_until_complete(&mut task).unwrap(), 4);
    let inner = event_loop.spawn(async { 5 });
    let outer = event_loop.spawn(inner);
    assert_eq!(event_loop.run_until_complete(outer).unwrap().unwrap(), 5);
}

/// TASK-06. Awaiting a future that is ready, or a task that is over, lets nothing else run in between.
#[test]
fn await_of_a_future_or_of_a_finished_task_does_not_go_through_the_loop() {
    let trace = Trace::new();
    virtual_loop().run_until_complete(async {
        let done = spawn(async {});
        yield_now().await;
        assert!(done.is_finished());
        let between = trace.clone();
        call_soon(move || between.add("between")).unwrap();
        async { trace.add("future") }.await;
        done.await.unwrap();
        trace.add("task");
        yield_now().await;
        trace.add("end");
    });
    assert_eq!(trace.take(), ["future", "task", "between", "end"]);
}

/// TASK-07. A panic is kept in its task, and the loop goes on; an error of the user's is an output like any other.
#[test]
fn panic_of_a_task_is_kept_in_it_and_the_loop_goes_on() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder().virtual_clock()).build();
    let mut panics: Task<()> = event_loop.spawn(async { panic!("broken {}", 1) });
    let mut fails = event_loop.spawn(async { Err::<(), _>("user error") });
    let mut works = event_loop.spawn(async { 1 });
    assert!(event_loop.run_once());
    assert!(panics.is_finished() && fails.is_finished() && works.is_finished());
    assert_eq!(
        [panics.state(), fails.state(), works.state()],
        [TaskState::Panicked, TaskState::Finished, TaskState::Finished]
    );
    let error = panics.try_result().unwrap().unwrap_err();
    assert!(error.is_panic() && !error.is_cancelled());
    assert_eq!(common::panic_text(&*error.into_panic()), "broken 1");
    assert_eq!(fails.try_result().unwrap().unwrap(), Err("user error"));
    assert_eq!(works.try_result().unwrap().unwrap(), 1);
    drop((panics, fails, works));
    assert_eq!(reports.take(), [""; 0], "a panic that was joined is not reported");
}

/// TASK-10. A task of another loop of the same thread can be awaited: its end wakes the loop that waits.
#[test]
fn task_of_another_loop_is_awaited() {
    watched(|| {
        let (theirs, ours) = (virtual_loop(), virtual_loop());
        let task = theirs.spawn(async {
            sleep(Duration::from_secs(1)).await;
            "theirs"
        });
        let waiter = ours.spawn(async move { task.await.unwrap() });
        assert!(ours.run_once());
        assert!(!ours.run_once());
        assert_eq!(waiter.state(), TaskState::Waiting);
        theirs.run_until_complete(sleep(Duration::from_secs(2)));
        assert_eq!(waiter.state(), TaskState::Ready);
        assert_eq!(ours.run_until_complete(waiter).unwrap(), "theirs");
    });
}

/// TASK-10. The end of the other loop cancels its task, and wakes the loop that waits.
#[test]
fn end_of_another_loop_wakes_who_awaits_its_task() {
    watched(|| {
        let (theirs, ours) = (virtual_loop(), virtual_loop());
        let task = theirs.spawn(std::future::pending::<()>());
        let waiter = ours.spawn(task);
        assert!(ours.run_once());
        drop(theirs);
        let error = ours.run_until_complete(waiter).unwrap().unwrap_err();
        assert_eq!(error.to_string(), "Task-1 was cancelled before it finished.");
    });
}

/// TASK-10. + A task of a loop on another thread can be awaited too.
#[test]
fn task_of_a_loop_on_another_thread_is_awaited() {
    watched(|| {
        let (send, receive) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let theirs = virtual_loop();
            send.send(theirs.handle()).unwrap();
            theirs.run_forever();
        });
        let handle = receive.recv().unwrap();
        let task = handle.submit(async {
            yield_now().await;
            std::thread::current().id()
        });
        assert_eq!(virtual_loop().run_until_complete(task).unwrap(), thread.thread().id());
        handle.stop();
        thread.join().unwrap();
    });
}

/// TASK-11. `current_task` is the task in a task, and `None` in a callback, in a timer and outside.
#[test]
fn current_task_is_the_task_that_is_polled() {
    let trace = Trace::new();
    let here = {
        let trace = trace.clone();
        move |place: &str| trace.add(format!("{place}: {:?}", current_task().map(|task| task.name)))
    };
    let event_loop = virtual_loop();
    here("outside");
    event_loop.run_until_complete(async {
        here("root");
        let (in_callback, in_timer) = (here.clone(), here.clone());
        call_soon(move || in_callback("callback")).unwrap();
        call_later(Duration::from_secs(1), move || in_timer("timer")).unwrap();
        let in_tasks = ["a", "b"].map(|name| {
            let here = here.clone();
            spawn_named(name, async move {
                here("first poll");
                yield_now().await;
                here("second poll");
            })
        });
        gather(in_tasks).await.unwrap();
        sleep(Duration::from_secs(2)).await;
        here("root");
    });
    here("outside");
    assert_eq!(
        trace.take(),
        [
            "outside: None",
            "root: Some(\"Task-1\")",
            "callback: None",
            "first poll: Some(\"a\")",
            "first poll: Some(\"b\")",
            "second poll: Some(\"a\")",
            "second poll: Some(\"b\")",
            "timer: None",
            "root: Some(\"Task-1\")",
            "outside: None",
        ]
    );
}

/// TASK-11. After a poll that panicked nothing is the current task.
#[test]
fn current_task_is_none_after_a_panic() {
    let event_loop = virtual_loop();
    assert_eq!(panic_of(|| event_loop.run_until_complete(async { panic!("root") })), "root");
    assert_eq!(current_task(), None);
    let task: Task<()> = event_loop.spawn(async { panic!("task") });
    let seen = Rc::new(Cell::new(false));
    let callback_saw = seen.clone();
    let callback = event_loop.call_soon(move || callback_saw.set(current_task().is_none())).unwrap();
    assert!(event_loop.run_once());
    assert!(seen.get() && !callback.cancelled());
    assert!(event_loop.run_until_complete(task).unwrap_err().is_panic());
}

/// TASK-11. `all_tasks` has the unfinished tasks in the order of their spawns, and no callbacks.
#[test]
fn all_tasks_has_the_unfinished_tasks_in_order() {
    let event_loop = virtual_loop();
    let gates = [Gate::new(), Gate::new(), Gate::new()];
    let tasks = gates.clone().map(|gate| event_loop.spawn(gate));
    assert_eq!(names(&event_loop.all_tasks()), ["Task-1", "Task-2", "Task-3"]);
    event_loop.run_until_complete(async {
        call_soon(|| ()).unwrap();
        let timer = call_later(Duration::from_secs(9), || ()).unwrap();
        drop(spawn_named("fifth", std::future::pending::<()>()));
        assert_eq!(names(&all_tasks()), ["Task-1", "Task-2", "Task-3", "Task-4", "fifth"]);
        gates[1].open();
        yield_now().await;
        assert_eq!(names(&all_tasks()), ["Task-1", "Task-3", "Task-4", "fifth"]);
        assert!(tasks[0].cancel());
        yield_now().await;
        assert_eq!(names(&all_tasks()), ["Task-3", "Task-4", "fifth"]);
        timer.cancel();
    });
    assert_eq!(names(&event_loop.all_tasks()), ["Task-3", "fifth"]);
    gates[2].open();
    assert!(event_loop.run_once());
    assert_eq!(names(&event_loop.all_tasks()), ["fifth"]);
    event_loop.close();
    assert_eq!(event_loop.all_tasks(), []);
}

/// TASK-11. `all_tasks` says of each what it does at this moment, and how often it was polled.
#[test]
fn all_tasks_says_what_each_does() {
    let event_loop = virtual_loop();
    let gate = Gate::new();
    drop(event_loop.spawn(gate.clone()));
    drop(event_loop.spawn(Gate::new()));
    event_loop.run_until_complete(async {
        yield_now().await;
        gate.open();
        drop(spawn(async {}));
        let seen: Vec<_> = all_tasks().into_iter().map(|task| (task.id, task.state, task.polls)).collect();
        let expected = [
            (1, TaskState::Ready, 1),
            (2, TaskState::Waiting, 1),
            (3, TaskState::Running, 2),
            (4, TaskState::Ready, 0),
        ];
        assert_eq!(seen, expected);
        assert_eq!(current_task().as_ref(), all_tasks().get(2));
    });
}

/// TASK-11. A submitted task is among all tasks from the next turn on.
#[test]
fn submitted_task_is_among_all_tasks_from_the_next_turn_on() {
    let event_loop = virtual_loop();
    let handle = event_loop.handle();
    event_loop.run_until_complete(async {
        drop(handle.submit(std::future::pending::<()>()));
        assert_eq!(names(&all_tasks()), ["Task-1"]);
        yield_now().await;
        assert_eq!(names(&all_tasks()), ["Task-1", "Task-2"]);
    });
}

/// TASK-11. `all_tasks` makes no sense outside a running loop, and says so.
#[test]
fn all_tasks_outside_a_running_loop_panics() {
    assert_eq!(
        panic_of(|| drop(all_tasks())),
        "all_tasks needs a running loop: call it inside handloop::run or EventLoop::run_until_complete"
    );
}

/// TASK-11. The destructor of a future that returned still belongs to its task.
#[test]
fn destructor_of_a_finished_future_sees_its_task() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    let seen = trace.clone();
    let task = event_loop.spawn(async move {
        let _last = OnDrop(move || seen.add(format!("{:?}", current_task().map(|task| (task.name, task.state)))));
    });
    event_loop.run_until_complete(task).unwrap();
    assert_eq!(trace.take(), ["Some((\"Task-1\", Running))"]);
}

/// TASK-12. Several tasks that wait for one event resume in the order in which they began to wait.
#[test]
fn awaiters_of_one_event_resume_in_the_order_in_which_they_awaited() {
    let event_loop = virtual_loop();
    let (event, trace) = (Event::default(), Trace::new());
    let gates = [Gate::new(), Gate::new(), Gate::new()];
    for (name, gate) in ["a", "b", "c"].into_iter().zip(gates.clone()) {
        let (event, trace) = (event.clone(), trace.clone());
        drop(event_loop.spawn(async move {
            gate.await;
            event.wait().await;
            trace.add(name);
        }));
    }
    assert!(event_loop.run_once());
    for index in [2, 0, 1] {
        gates[index].open();
        assert!(event_loop.run_once());
    }
    assert_eq!(trace.take(), [""; 0]);
    event.set();
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["c", "a", "b"]);
}

/// TASK-14. The loop owns its tasks: one whose handle is dropped runs on to its end.
#[test]
fn task_without_a_handle_runs_on() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    let task = {
        let trace = trace.clone();
        event_loop.spawn(async move {
            trace.add("begins");
            sleep(Duration::from_secs(1)).await;
            trace.add("ends");
        })
    };
    assert!(event_loop.run_once());
    drop(task);
    event_loop.run_until_complete(sleep(Duration::from_secs(2)));
    assert_eq!(trace.take(), ["begins", "ends"]);
}

/// TASK-14. A task that nobody holds and nobody can wake is kept until the loop closes, and then dropped.
#[test]
fn task_that_nobody_can_wake_is_kept_until_the_loop_closes() {
    let event_loop = virtual_loop();
    let drops = Drops::new();
    let token = drops.token();
    drop(event_loop.spawn(async move {
        std::future::pending::<()>().await;
        drop(token);
    }));
    event_loop.run_until_complete(sleep(Duration::from_secs(1)));
    assert_eq!((drops.count(), names(&event_loop.all_tasks())), (0, vec!["Task-1"]));
    event_loop.close();
    assert_eq!(drops.count(), 1);
}

/// TASK-16. Two tasks that yield alternate strictly.
#[test]
fn two_tasks_that_yield_alternate_strictly() {
    let trace = Trace::new();
    virtual_loop().run_until_complete(async {
        let tasks = ["a", "b"].map(|name| {
            let trace = trace.clone();
            spawn(async move {
                for step in 0..3 {
                    trace.add(format!("{name}{step}"));
                    yield_now().await;
                }
            })
        });
        gather(tasks).await.unwrap();
    });
    assert_eq!(trace.take(), ["a0", "b0", "a1", "b1", "a2", "b2"]);
}

/// TASK-16. The same program runs in the same order each time.
#[test]
fn order_is_the_same_each_time() {
    let run = || {
        let trace = Trace::new();
        virtual_loop().run_until_complete(async {
            let tasks: Vec<Task<()>> = (0..5)
                .map(|task| {
                    let trace = trace.clone();
                    spawn(async move {
                        for step in 0..task {
                            sleep(Duration::from_millis(10 * (5 - task))).await;
                            trace.add(format!("{task}.{step}"));
                            yield_now().await;
                        }
                    })
                })
                .collect();
            gather(tasks).await.unwrap();
        });
        trace.take()
    };
    let first = run();
    assert_eq!(first, ["4.0", "3.0", "4.1", "2.0", "4.2", "1.0", "3.1", "4.3", "2.1", "3.2"]);
    assert_eq!(first, run());
}

/// TASK-17. Turns that pass: none for an await of a future, one for a yield, two to spawn and await, whether one
/// task or a gather of two; the awaiter of a task resumes in the turn after its end.
#[test]
fn awaiter_resumes_in_the_turn_after_the_end() {
    assert_eq!(turns_after_the_first(async { assert_eq!(std::future::ready(1).await, 1) }), 0);
    assert_eq!(turns_after_the_first(async { yield_now().await }), 1);
    assert_eq!(turns_after_the_first(async { spawn(async {}).await.unwrap() }), 2);
    assert_eq!(turns_after_the_first(async { drop(gather([spawn(async {}), spawn(async {})]).await.unwrap()) }), 2);
}

/// TASK-07, CANC-13. `TaskState` in each state, as the handle sees it.
#[test]
fn handle_sees_each_state() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder().virtual_clock()).build();
    let (gate, own, trace) = (Gate::new(), Rc::new(RefCell::new(None::<Task<u8>>)), Trace::new());
    let (inner_gate, inner_own, inner_trace) = (gate.clone(), own.clone(), trace.clone());
    *own.borrow_mut() = Some(event_loop.spawn(async move {
        let state = || inner_trace.add(format!("{:?}", inner_own.borrow().as_ref().unwrap().state()));
        state();
        inner_gate.await;
        state();
        9
    }));
    let state = || own.borrow().as_ref().unwrap().state();
    assert_eq!(state(), TaskState::Ready, "spawned");
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["Running"]);
    assert_eq!(state(), TaskState::Waiting);
    gate.open();
    assert_eq!(state(), TaskState::Ready, "woken");
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["Running"]);
    let mut task = own.take().unwrap();
    assert_eq!(task.state(), TaskState::Finished);
    assert_eq!(task.try_result().unwrap().unwrap(), 9);
    assert_eq!(task.state(), TaskState::Finished, "taken");

    let mut panics: Task<()> = event_loop.spawn(async { panic!("x") });
    let mut cancelled = event_loop.spawn(std::future::pending::<()>());
    assert!(cancelled.cancel());
    assert_eq!((panics.state(), cancelled.state()), (TaskState::Ready, TaskState::Ready));
    assert!(event_loop.run_once());
    let states = (TaskState::Panicked, TaskState::Cancelled);
    assert_eq!((panics.state(), cancelled.state()), states);
    assert!(panics.is_finished() && cancelled.is_finished());
    assert!(panics.try_result().unwrap().unwrap_err().is_panic());
    assert!(cancelled.try_result().unwrap().unwrap_err().is_cancelled());
    assert_eq!((panics.state(), cancelled.state()), states, "taken");
    let left = event_loop.spawn(std::future::pending::<()>());
    assert!(event_loop.run_once());
    event_loop.close();
    assert_eq!(left.state(), TaskState::Cancelled);
    assert!(!left.cancel());
}

/// TASK-07, CANC-13. The texts of a handle say name and state; those of an info are pinned elsewhere.
#[test]
fn debug_text_of_a_handle_says_name_and_state() {
    let event_loop = virtual_loop();
    let task = event_loop.spawn(std::future::pending::<()>());
    assert_eq!(format!("{task:?}"), "Task { name: \"Task-1\", state: Ready, .. }");
    assert!(event_loop.run_once());
    assert_eq!(format!("{task:?}"), "Task { name: \"Task-1\", state: Waiting, .. }");
}

/// TASK-11. A task that another thread woke is ready although its loop has not looked yet.
#[test]
fn task_woken_by_another_thread_is_ready() {
    watched(|| {
        let event_loop = virtual_loop();
        let gate = Gate::new();
        let task = event_loop.spawn(gate.clone());
        assert!(event_loop.run_once());
        assert_eq!(task.state(), TaskState::Waiting);
        let waker = gate.waker().unwrap();
        std::thread::spawn(move || waker.wake()).join().unwrap();
        assert_eq!(task.state(), TaskState::Ready);
        assert!(event_loop.run_once());
        assert_eq!((task.state(), gate.polls()), (TaskState::Waiting, 2));
    });
}

/// TASK-11. The polls of a task are counted up to 65,535; its id is not touched when the count is full.
#[test]
fn polls_are_counted_up_to_65535() {
    let event_loop = virtual_loop();
    let task = event_loop.spawn(async {
        let first = current_task().unwrap().polls;
        for _ in 0..65_533 {
            yield_now().await;
        }
        let before = current_task().unwrap().polls;
        let mut after = Vec::new();
        for _ in 0..3 {
            yield_now().await;
            after.push(current_task().unwrap().polls);
        }
        (first, before, after)
    });
    let id = task.id();
    let (first, before, after) = event_loop.run_until_complete(task).unwrap();
    assert_eq!((first, before, after), (1, 65_534, vec![65_535; 3]));
    assert_eq!((id, event_loop.spawn(async {}).id()), (1, 3));
}
