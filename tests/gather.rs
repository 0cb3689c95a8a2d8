//! `gather`, `gather_settled` and `try_gather`: order, failures, cancellation, and what a completion costs.
mod common;

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::{CountingWaker, Drops, Gate, OnDrop, Reports, Trace, panic_of, panic_text, virtual_loop};
use handloop::{
    EventLoop, JoinError, Task, TryGatherError, current_task, gather, gather_settled, sleep, spawn, spawn_named, time,
    timeout, try_gather, yield_now,
};

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Every order of three.
const ORDERS: [[u64; 3]; 6] = [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]];

type Local<T> = Pin<Box<dyn Future<Output = T>>>;

/// One gather of any of the three kinds, with what it returns as text.
type AnyGather = Local<Result<String, String>>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Which {
    Gather,
    Settled,
    Try,
}

const ALL: [Which; 3] = [Which::Gather, Which::Settled, Which::Try];

fn settled_text<T: ToString>(result: Result<T, JoinError>) -> String {
    match result {
        Ok(value) => value.to_string(),
        Err(error) => error.to_string(),
    }
}

/// The three functions over children that return a number, or an error where `Try` can see it.
fn gather_any(which: Which, children: Vec<Local<Result<u32, String>>>) -> AnyGather {
    let plain = |children: Vec<Local<Result<u32, String>>>| {
        children.into_iter().map(|child| spawn(async { child.await.unwrap() })).collect::<Vec<Task<u32>>>()
    };
    match which {
        Which::Gather => {
            let gathered = gather(plain(children));
            Box::pin(async { gathered.await.map(|all| format!("{all:?}")).map_err(|error| error.to_string()) })
        }
        Which::Settled => {
            let gathered = gather_settled(plain(children));
            Box::pin(async {
                let all: Vec<String> = gathered.await.into_iter().map(settled_text).collect();
                Ok(format!("[{}]", all.join(", ")))
            })
        }
        Which::Try => {
            let gathered = try_gather(children.into_iter().map(spawn).collect::<Vec<_>>());
            Box::pin(async { gathered.await.map(|all| format!("{all:?}")).map_err(|error| error.to_string()) })
        }
    }
}

/// GATH-01. Results come in the order of the arguments, in whatever order the children end.
#[test]
fn results_come_in_argument_order_for_every_order_of_ends() {
    for which in ALL {
        for order in ORDERS {
            let event_loop = virtual_loop();
            let start = event_loop.time();
            let trace = Trace::new();
            let text = event_loop.run_until_complete(async {
                let children = order.map(|delay| {
                    let trace = trace.clone();
                    Box::pin(async move {
                        sleep(seconds(delay)).await;
                        trace.add(delay.to_string());
                        Ok(delay as u32)
                    }) as Local<_>
                });
                gather_any(which, children.into()).await.unwrap()
            });
            assert_eq!(text, format!("[{}, {}, {}]", order[0], order[1], order[2]), "{which:?}");
            assert_eq!(trace.take(), ["1", "2", "3"], "{which:?} {order:?}");
            assert_eq!(event_loop.time() - start, seconds(3), "{which:?} {order:?}");
        }
    }
}

/// GATH-02. The first failure is returned at once; the other children are not cancelled and run to their end.
#[test]
fn first_failure_returns_at_once_and_siblings_run_on() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let trace = Trace::new();
    let child = |delay, fails: bool| {
        let trace = trace.clone();
        async move {
            sleep(seconds(delay)).await;
            trace.add(format!("{delay} at {}", (time() - start).as_secs()));
            assert!(!fails, "boom");
            delay
        }
    };
    event_loop.run_until_complete(async {
        let error = gather([spawn(child(1, false)), spawn(child(2, true)), spawn(child(3, false))]).await.unwrap_err();
        assert_eq!(time() - start, seconds(2));
        assert_eq!(error.to_string(), "Task-3 panicked: boom");
        assert_eq!((error.id(), error.name()), (3, "Task-3"));
        assert!(error.is_panic());
        assert_eq!(panic_text(&*error.into_panic()), "boom");
        assert_eq!(trace.take(), ["1 at 1", "2 at 2"]);
        sleep(seconds(10)).await;
        assert_eq!(trace.take(), ["3 at 3"]);
    });
}

/// GATH-02. An `Err` of a task's own ends a `try_gather` at once, and the siblings run on.
#[test]
fn first_error_ends_try_gather_at_once_and_siblings_run_on() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let trace = Trace::new();
    let child = |delay, fails| {
        let trace = trace.clone();
        async move {
            sleep(seconds(delay)).await;
            trace.add(format!("{delay} at {}", (time() - start).as_secs()));
            if fails { Err(format!("error of {delay}")) } else { Ok(delay) }
        }
    };
    event_loop.run_until_complete(async {
        let tasks = [spawn(child(3, false)), spawn(child(2, true)), spawn(child(1, false)), spawn(child(4, true))];
        let error = try_gather(tasks).await.unwrap_err();
        assert_eq!(time() - start, seconds(2));
        assert!(matches!(&error, TryGatherError::Failed(text) if text == "error of 2"));
        assert_eq!(error.to_string(), "error of 2");
        sleep(seconds(10)).await;
        assert_eq!(trace.take(), ["1 at 1", "2 at 2", "3 at 3", "4 at 4"]);
    });
}

/// GATH-03. `gather_settled` waits for all, and each failure stands at its place.
#[test]
fn settled_waits_for_all_and_keeps_each_failure_at_its_place() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    event_loop.run_until_complete(async {
        let tasks = [
            spawn(async {
                sleep(seconds(1)).await;
                panic!("early");
            }),
            spawn(async {
                sleep(seconds(3)).await;
                3
            }),
            spawn(pending()),
            spawn(async { 4 }),
        ];
        tasks[2].cancel();
        let all: Vec<String> = gather_settled(tasks).await.into_iter().map(settled_text).collect();
        assert_eq!(all, ["Task-2 panicked: early", "3", "Task-4 was cancelled before it finished.", "4"]);
        assert_eq!(time() - start, seconds(3));
    });
}

/// GATH-04. Dropped before its first poll, a gather cancels its children: those that have not begun are never polled,
/// and their futures are dropped in the order of the arguments.
#[test]
fn dropped_before_the_first_poll_cancels_children_that_have_not_begun() {
    for which in ALL {
        let event_loop = virtual_loop();
        let trace = Trace::new();
        event_loop.run_until_complete(async {
            let children = [1, 2, 3].map(|name: u32| {
                let (dropped, polled) = (trace.clone(), trace.clone());
                let guard = OnDrop(move || dropped.add(format!("drop {name}")));
                Box::pin(async move {
                    let _guard = guard;
                    polled.add(format!("poll {name}"));
                    Ok(name)
                }) as Local<_>
            });
            drop(gather_any(which, children.into()));
            assert_eq!(trace.take(), [""; 0], "{which:?}: the futures are dropped at the next turn");
            assert_eq!(handloop::all_tasks().len(), 4);
            yield_now().await;
            assert_eq!(trace.take(), ["drop 1", "drop 2", "drop 3"], "{which:?}");
            assert_eq!(handloop::all_tasks().len(), 1);
        });
    }
}

/// GATH-04. Dropped before its first poll, a gather cancels children that wait, also where no loop runs.
#[test]
fn dropped_before_the_first_poll_cancels_waiting_children_also_outside_a_run() {
    let event_loop = virtual_loop();
    let drops = Drops::new();
    let tasks = [drops.token(), drops.token()].map(|token| {
        event_loop.spawn(async move {
            let _token = token;
            pending::<()>().await;
        })
    });
    assert!(event_loop.run_once());
    drop(gather(tasks));
    assert_eq!(drops.count(), 0);
    assert!(event_loop.run_once());
    assert_eq!(drops.count(), 2);
    assert_eq!(event_loop.all_tasks(), []);
}

/// GATH-04. Dropped while pending it cancels the children that are not over, and leaves those that are.
#[test]
fn dropped_while_pending_cancels_the_unfinished_children() {
    for which in ALL {
        let event_loop = virtual_loop();
        let start = event_loop.time();
        let trace = Trace::new();
        event_loop.run_until_complete(async {
            let children = [1, 3, 2, 4].map(|delay| {
                let (dropped, trace) = (trace.clone(), trace.clone());
                Box::pin(async move {
                    let _guard = OnDrop(move || dropped.add(format!("drop {delay} at {}", (time() - start).as_secs())));
                    sleep(seconds(delay)).await;
                    trace.add(format!("end {delay}"));
                    Ok(delay as u32)
                }) as Local<_>
            });
            let gathered = gather_any(which, children.into());
            assert_eq!(timeout(seconds(2) + Duration::from_millis(500), gathered).await, Err(handloop::Elapsed));
            assert_eq!(trace.take(), ["end 1", "drop 1 at 1", "end 2", "drop 2 at 2"], "{which:?}");
            yield_now().await;
            assert_eq!(trace.take(), ["drop 3 at 2", "drop 4 at 2"], "{which:?}");
        });
        // The sleeps of the cancelled children are gone too: nothing moves the clock any more.
        assert_eq!(event_loop.time() - start, Duration::from_millis(2500), "{which:?}");
    }
}

/// GATH-05. Cancelling the task that awaits a gather cancels all children, with each of the three functions.
#[test]
fn cancelling_the_gathering_task_cancels_all_children() {
    for which in ALL {
        let event_loop = virtual_loop();
        let trace = Trace::new();
        event_loop.run_until_complete(async {
            let children = [1, 2, 3].map(|name| {
                let trace = trace.clone();
                Box::pin(async move {
                    let _guard = OnDrop(move || trace.add(format!("drop {name}")));
                    pending().await
                }) as Local<_>
            });
            let mut gatherer = spawn(async move { gather_any(which, children.into()).await });
            for _ in 0..3 {
                yield_now().await;
            }
            assert_eq!(trace.take(), [""; 0]);
            assert!(gatherer.cancel());
            assert!((&mut gatherer).await.unwrap_err().is_cancelled());
            yield_now().await;
            assert_eq!(trace.take(), ["drop 1", "drop 2", "drop 3"], "{which:?}");
        });
    }
}

/// GATH-06. A gather of nothing is ready at its first poll, and wakes nobody.
#[test]
fn gather_of_nothing_is_ready_at_once() {
    let (counter, waker) = CountingWaker::new();
    let mut context = Context::from_waker(&waker);
    let none = || Vec::<Task<u32>>::new();
    let Poll::Ready(Ok(all)) = Pin::new(&mut gather(none())).poll(&mut context) else { panic!("not ready") };
    assert_eq!(all, [0; 0]);
    let Poll::Ready(all) = Pin::new(&mut gather_settled(none())).poll(&mut context) else { panic!("not ready") };
    assert!(all.is_empty());
    let tasks = Vec::<Task<Result<u32, String>>>::new();
    let Poll::Ready(Ok(all)) = Pin::new(&mut try_gather(tasks)).poll(&mut context) else { panic!("not ready") };
    assert_eq!(all, [0; 0]);
    assert_eq!((counter.wakes(), Arc::strong_count(&counter)), (0, 2));
}

/// GATH-08. A cancelled child is a failure like any other: an error for `gather`, an element for `gather_settled`.
/// Siblings go on.
#[test]
fn cancelled_child_is_an_error_and_siblings_go_on() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    event_loop.run_until_complete(async {
        let children = || {
            let trace = trace.clone();
            let cancelled = spawn_named("lost", pending::<u32>());
            cancelled.cancel();
            let sibling = spawn(async move {
                sleep(seconds(1)).await;
                trace.add("sibling");
                1
            });
            [cancelled, sibling]
        };
        let error = gather(children()).await.unwrap_err();
        assert!(error.is_cancelled());
        assert_eq!(error.to_string(), "lost was cancelled before it finished.");
        assert_eq!(trace.take(), [""; 0]);
        sleep(seconds(2)).await;
        assert_eq!(trace.take(), ["sibling"]);
        let all: Vec<String> = gather_settled(children()).await.into_iter().map(settled_text).collect();
        assert_eq!(all, ["lost was cancelled before it finished.", "1"]);
        // The gathering task itself was not cancelled: it is here.
        assert_eq!(current_task().unwrap().name, "Task-1");
    });
}

/// GATH-09. A gather that has returned its failure cancels nothing when it is dropped.
#[test]
fn gather_that_failed_is_dropped_without_touching_the_siblings() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    event_loop.run_until_complete(async {
        let sibling = || {
            let trace = trace.clone();
            async move {
                sleep(seconds(1)).await;
                trace.add("end");
            }
        };
        let lost = spawn(pending::<()>());
        lost.cancel();
        let mut gathered = gather([lost, spawn(sibling())]);
        assert!((&mut gathered).await.is_err());
        drop(gathered);

        let sibling_of_try = sibling();
        let ok = spawn(async move {
            sibling_of_try.await;
            Ok(())
        });
        let mut gathered = try_gather([spawn(async { Err("no") }), ok]);
        assert!((&mut gathered).await.is_err());
        drop(gathered);

        sleep(seconds(2)).await;
        assert_eq!(trace.take(), ["end", "end"]);
    });
}

/// GATH-10. What fails after the first failure is not swallowed: a panic is reported, whether it comes before the
/// gatherer has looked or long after.
#[test]
fn panics_after_the_first_failure_are_reported() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder().virtual_clock()).build();
    event_loop.run_until_complete(async {
        let child = |delay| async move {
            sleep(seconds(delay)).await;
            panic!("after {delay}");
        };
        let tasks: [Task<()>; 3] = [spawn(child(1)), spawn(child(1)), spawn(child(2))];
        let at = [tasks[1].spawned_at(), tasks[2].spawned_at()];
        let error = gather(tasks).await.unwrap_err();
        assert_eq!(error.to_string(), "Task-2 panicked: after 1");
        let same_turn = format!("Task-3 (from {}) panicked, and nobody joined it: after 1", at[0]);
        assert_eq!(reports.take(), [same_turn]);
        sleep(seconds(2)).await;
        let later = format!("Task-4 (from {}) panicked, and nobody joined it: after 2", at[1]);
        assert_eq!(reports.take(), [later]);
    });
}

/// GATH-10. The same for `try_gather` after an error; later errors of the tasks' own are outputs, and are dropped.
#[test]
fn panics_after_the_first_error_of_try_gather_are_reported() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder().virtual_clock()).build();
    let drops = Drops::new();
    event_loop.run_until_complete(async {
        let (first, second) = (drops.token(), drops.token());
        let fails = spawn(async { Err(first) });
        let panics = spawn(async { panic!("in the same turn") });
        let at = panics.spawned_at();
        let later = spawn(async {
            sleep(seconds(1)).await;
            Err(second)
        });
        let tasks: [Task<Result<(), _>>; 3] = [panics, fails, later];
        let error = try_gather(tasks).await.unwrap_err();
        assert!(matches!(error, TryGatherError::Failed(_)));
        assert_eq!(reports.take(), [format!("Task-3 (from {at}) panicked, and nobody joined it: in the same turn")]);
        sleep(seconds(2)).await;
        assert_eq!(drops.count(), 1);
        drop(error);
        assert_eq!(drops.count(), 2);
        assert_eq!(reports.take(), [""; 0]);
    });
}

/// GATH-11. Children of different loops may be gathered together: each wakes the gatherer through its loop's inbox.
#[test]
fn children_of_two_loops_are_gathered_together() {
    let (here, there) = (virtual_loop(), virtual_loop());
    let (gate_here, gate_there) = (Gate::new(), Gate::new());
    let child = |gate: &Gate, value| {
        let gate = gate.clone();
        async move {
            gate.await;
            value
        }
    };
    let tasks = [there.spawn(child(&gate_there, "there")), here.spawn(child(&gate_here, "here"))];
    let mut gatherer = here.spawn(gather(tasks));
    while here.run_once() {}
    while there.run_once() {}
    gate_here.open();
    while here.run_once() {}
    assert!(!gatherer.is_finished());
    gate_there.open();
    while there.run_once() {}
    assert!(!gatherer.is_finished());
    while here.run_once() {}
    assert_eq!(gatherer.try_result().unwrap().unwrap().unwrap(), ["there", "here"]);
}

/// GATH-13. 500 children of 20 ms take 20 ms together, and keep their order.
#[test]
fn five_hundred_equal_sleeps_take_the_time_of_one() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let all = event_loop.run_until_complete(async {
        let tasks: Vec<Task<usize>> = (0..500)
            .map(|n| {
                spawn(async move {
                    sleep(Duration::from_millis(20)).await;
                    n
                })
            })
            .collect();
        gather(tasks).await.unwrap()
    });
    assert_eq!(all, (0..500).collect::<Vec<_>>());
    assert_eq!(event_loop.time() - start, Duration::from_millis(20));
}

/// GATH-14. Where all children are over already, the first poll returns, and no waker is kept.
#[test]
fn gather_of_finished_children_is_ready_at_its_first_poll() {
    let event_loop = virtual_loop();
    let (counter, waker) = CountingWaker::new();
    let mut context = Context::from_waker(&waker);
    let done = || {
        let tasks = [event_loop.spawn(async { 1 }), event_loop.spawn(async { 2 })];
        event_loop.run_once();
        tasks
    };
    let Poll::Ready(all) = Pin::new(&mut gather(done())).poll(&mut context) else { panic!("not ready") };
    assert_eq!(all.unwrap(), [1, 2]);
    let Poll::Ready(all) = Pin::new(&mut gather_settled(done())).poll(&mut context) else { panic!("not ready") };
    assert_eq!(all.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [1, 2]);
    let tasks = [event_loop.spawn(async { Ok::<_, String>(1) }), event_loop.spawn(async { Ok(2) })];
    event_loop.run_once();
    let Poll::Ready(all) = Pin::new(&mut try_gather(tasks)).poll(&mut context) else { panic!("not ready") };
    assert_eq!(all.unwrap(), [1, 2]);
    assert_eq!((counter.wakes(), Arc::strong_count(&counter)), (0, 2));
}

/// GATH-14. A child that failed before the gather is known at the first poll, though others still run; of several it
/// is the first by argument.
#[test]
fn failures_before_the_gather_are_known_at_its_first_poll() {
    let event_loop = virtual_loop();
    let mut context = Context::from_waker(Waker::noop());
    let tasks: [Task<()>; 4] = [
        event_loop.spawn(async {}),
        event_loop.spawn(pending()),
        event_loop.spawn(pending()),
        event_loop.spawn(pending()),
    ];
    tasks[2].cancel();
    tasks[1].cancel();
    event_loop.run_once();
    let Poll::Ready(Err(error)) = Pin::new(&mut gather(tasks)).poll(&mut context) else { panic!("not ready") };
    assert_eq!(error.to_string(), "Task-2 was cancelled before it finished.");
    assert_eq!(event_loop.all_tasks().len(), 1);
    while event_loop.run_once() {}
    assert_eq!(event_loop.all_tasks().len(), 1, "the sibling was not cancelled");
}

/// GATH-15. When all children are over, but the gather was not polled since, its drop cancels nothing: the outputs are
/// dropped, and a panic among them is reported.
#[test]
fn gather_dropped_after_the_last_end_drops_the_outputs_only() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder().virtual_clock()).build();
    let drops = Drops::new();
    let output = drops.token();
    let tasks = [event_loop.spawn(async { output }), event_loop.spawn(async { panic!("unread") })];
    let at = tasks[1].spawned_at();
    let mut gathered = gather_settled(tasks);
    assert!(Pin::new(&mut gathered).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(event_loop.run_once());
    assert_eq!((drops.count(), reports.take()), (0, vec![]));
    drop(gathered);
    assert_eq!(drops.count(), 1);
    assert_eq!(reports.take(), [format!("Task-2 (from {at}) panicked, and nobody joined it: unread")]);
    assert!(!event_loop.run_once(), "nothing was woken");
}

/// A fixed permutation of 0..n.
fn shuffled(n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    let mut seed = 12_345_u64;
    for last in (1..n).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(last, (seed >> 33) as usize % (last + 1));
    }
    order
}

fn orders(n: usize) -> [Vec<usize>; 3] {
    [(0..n).collect(), (0..n).rev().collect(), shuffled(n)]
}

/// `n` children, each behind a gate of its own.
fn gated(event_loop: &EventLoop, n: usize) -> (Vec<Gate>, Vec<Task<Result<usize, String>>>) {
    let gates: Vec<Gate> = (0..n).map(|_| Gate::new()).collect();
    let tasks = gates.iter().cloned().enumerate().map(|(index, gate)| {
        event_loop.spawn(async move {
            gate.await;
            Ok(index)
        })
    });
    let tasks = tasks.collect();
    event_loop.run_once();
    (gates, tasks)
}

/// A gather without failure wakes whoever waits exactly once, with the last of its children, in whatever order these
/// end.
#[test]
fn gather_without_failure_wakes_once_with_the_last_child() {
    const N: usize = 60;
    for order in orders(N) {
        let event_loop = virtual_loop();
        let (gates, tasks) = gated(&event_loop, N);
        let (gates_settled, tasks_settled) = gated(&event_loop, N);
        let ((one, waker), (settled_one, settled_waker)) = (CountingWaker::new(), CountingWaker::new());
        let (mut context, mut settled_context) = (Context::from_waker(&waker), Context::from_waker(&settled_waker));
        let (mut gathered, mut settled) = (gather(tasks), gather_settled(tasks_settled));
        assert!(Pin::new(&mut gathered).poll(&mut context).is_pending());
        assert!(Pin::new(&mut settled).poll(&mut settled_context).is_pending());
        for &next in &order {
            assert_eq!((one.wakes(), settled_one.wakes()), (0, 0));
            gates[next].open();
            gates_settled[next].open();
            assert!(event_loop.run_once());
        }
        assert_eq!((one.wakes(), settled_one.wakes()), (1, 1));
        let Poll::Ready(Ok(all)) = Pin::new(&mut gathered).poll(&mut context) else { panic!("not ready") };
        assert_eq!(all.into_iter().map(Result::unwrap).collect::<Vec<_>>(), (0..N).collect::<Vec<_>>());
        let Poll::Ready(all) = Pin::new(&mut settled).poll(&mut settled_context) else { panic!("not ready") };
        assert_eq!(all.into_iter().map(|one| one.unwrap().unwrap()).collect::<Vec<_>>(), (0..N).collect::<Vec<_>>());
        assert_eq!((one.wakes(), settled_one.wakes()), (1, 1));
    }
}

/// A gather with a failure wakes once with the first, and not again for what ends later in the same turn.
#[test]
fn gather_with_failures_wakes_once_with_the_first() {
    let event_loop = virtual_loop();
    let tasks: Vec<Task<()>> = (0..4).map(|_| event_loop.spawn(pending())).collect();
    event_loop.run_once();
    tasks[2].cancel();
    tasks[1].cancel();
    tasks[0].cancel();
    let (counter, waker) = CountingWaker::new();
    let mut gathered = gather(tasks);
    assert!(Pin::new(&mut gathered).poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(event_loop.run_once());
    assert_eq!(counter.wakes(), 1);
    let Poll::Ready(Err(error)) = Pin::new(&mut gathered).poll(&mut Context::from_waker(&waker)) else { panic!() };
    assert_eq!(error.to_string(), "Task-3 was cancelled before it finished.", "the first in time, not by argument");
}

/// `try_gather` looks at each output: a wake for each turn in which children ended and it was polled before, and no
/// more than n in all.
#[test]
fn try_gather_wakes_once_for_each_turn_with_ends() {
    const N: usize = 40;
    for order in orders(N) {
        let event_loop = virtual_loop();
        let (gates, tasks) = gated(&event_loop, N);
        let (counter, waker) = CountingWaker::new();
        let mut context = Context::from_waker(&waker);
        let mut gathered = try_gather(tasks);
        assert!(Pin::new(&mut gathered).poll(&mut context).is_pending());
        for (turn, two) in order.chunks(2).enumerate() {
            assert_eq!(counter.wakes(), turn);
            two.iter().for_each(|&next| gates[next].open());
            assert!(event_loop.run_once());
            let polled = Pin::new(&mut gathered).poll(&mut context);
            match polled {
                Poll::Pending => assert!(turn + 1 < N / 2),
                Poll::Ready(all) => {
                    assert_eq!(turn + 1, N / 2);
                    assert_eq!(all.unwrap(), (0..N).collect::<Vec<_>>());
                }
            }
        }
        assert_eq!(counter.wakes(), N / 2);
    }
}

/// n children that end in any order, each in a turn of its own, cost n polls of children beyond their first, and of the
/// gatherer two, or with `try_gather` n + 1.
#[test]
fn polls_grow_with_the_number_of_children() {
    for n in [1, 10, 100, 1000] {
        for order in orders(n) {
            for which in ALL {
                let event_loop = virtual_loop();
                let polls_of_children = Rc::new(Cell::new(0));
                let ranks = {
                    let mut ranks = vec![0; n];
                    order.iter().enumerate().for_each(|(rank, &index)| ranks[index] = rank);
                    ranks
                };
                let polls = event_loop.run_until_complete(async {
                    let children = ranks.iter().map(|&rank| {
                        let polls = polls_of_children.clone();
                        let mut wait = Box::pin(sleep(seconds(1 + rank as u64)));
                        Box::pin(poll_fn(move |context| {
                            polls.set(polls.get() + 1);
                            wait.as_mut().poll(context).map(|()| Ok(0_u32))
                        })) as Local<_>
                    });
                    gather_any(which, children.collect()).await.unwrap();
                    current_task().unwrap().polls as usize
                });
                assert_eq!(polls_of_children.get(), 2 * n, "{which:?} {n}");
                assert_eq!(polls, if which == Which::Try { n + 1 } else { 2 }, "{which:?} {n}");
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Failure {
    Error,
    Panic,
    Cancel,
}

/// GATH-02, GATH-03, GATH-08. Each kind of failure, of each child, as the first, second or last to end: `gather` and
/// `try_gather` return it with that end and not before, `gather_settled` with the last end, and siblings are untouched.
#[test]
fn failure_matrix() {
    for which in ALL {
        for failure in [Failure::Error, Failure::Panic, Failure::Cancel] {
            if failure == Failure::Error && which != Which::Try {
                continue;
            }
            for failing in 0..3 {
                for rank in 0..3 {
                    check_failure(which, failure, failing, rank);
                }
            }
        }
    }
}

/// Child `failing` is the one that ends as number `rank`; the siblings end in the order of their arguments.
fn check_failure(which: Which, failure: Failure, failing: usize, rank: usize) {
    let what = format!("{which:?} {failure:?} of child {failing} as number {rank}");
    let event_loop = virtual_loop();
    let reports = Trace::new();
    let mut order: Vec<usize> = (0..3).filter(|&index| index != failing).collect();
    order.insert(rank, failing);
    let gates = [Gate::new(), Gate::new(), Gate::new()];
    let child = |index: usize| {
        let (gate, ended) = (gates[index].clone(), reports.clone());
        async move {
            gate.await;
            ended.add(format!("end {index}"));
            match failure {
                _ if index != failing => Ok(index),
                Failure::Error => Err("error"),
                Failure::Panic => panic!("panic"),
                Failure::Cancel => unreachable!("it is cancelled before its gate opens"),
            }
        }
    };
    let tasks = [0, 1, 2].map(|index| event_loop.spawn(child(index)));
    while event_loop.run_once() {}
    // A child is cancelled through its handle, so before the gather has it: then its siblings before it end earlier.
    let mut after = order.as_slice();
    if failure == Failure::Cancel {
        for &before in &order[..rank] {
            gates[before].open();
            while event_loop.run_once() {}
        }
        tasks[failing].cancel();
        after = &order[rank..];
    }
    let (counter, waker) = CountingWaker::new();
    let mut context = Context::from_waker(&waker);
    let mut gathered: AnyGather = match which {
        Which::Gather => {
            let gathered = gather(tasks);
            Box::pin(async { gathered.await.map(|_| String::new()).map_err(|error| error.to_string()) })
        }
        Which::Settled => {
            let gathered = gather_settled(tasks);
            Box::pin(async {
                let text = |one: Result<Result<usize, &str>, JoinError>| match one {
                    Ok(one) => one.unwrap().to_string(),
                    Err(error) => error.to_string(),
                };
                Ok(gathered.await.into_iter().map(text).collect::<Vec<_>>().join("; "))
            })
        }
        Which::Try => {
            let gathered = try_gather(tasks);
            Box::pin(async { gathered.await.map(|_| String::new()).map_err(|error| error.to_string()) })
        }
    };
    let text = match failure {
        Failure::Error => "error".to_owned(),
        Failure::Panic => format!("Task-{} panicked: panic", failing + 1),
        Failure::Cancel => format!("Task-{} was cancelled before it finished.", failing + 1),
    };
    assert!(gathered.as_mut().poll(&mut context).is_pending(), "{what}");
    let mut outcome = None;
    for &next in after {
        if !(failure == Failure::Cancel && next == failing) {
            gates[next].open();
        }
        while event_loop.run_once() {}
        if outcome.is_some() {
            continue;
        }
        let returns = next == failing && which != Which::Settled || Some(&next) == after.last();
        if which != Which::Try {
            assert_eq!(counter.wakes(), usize::from(returns), "{what}, at {next}");
        }
        match gathered.as_mut().poll(&mut context) {
            Poll::Ready(result) => {
                assert!(returns, "{what}, at {next}");
                outcome = Some(result);
            }
            Poll::Pending => assert!(!returns, "{what}, at {next}"),
        }
    }
    match which {
        Which::Settled => {
            let all = [0, 1, 2].map(|index| if index == failing { text.clone() } else { index.to_string() });
            assert_eq!(outcome, Some(Ok(all.join("; "))), "{what}");
        }
        _ => assert_eq!(outcome, Some(Err(text)), "{what}"),
    }
    let ends = order.iter().filter(|&&index| failure != Failure::Cancel || index != failing);
    assert_eq!(reports.take(), ends.map(|index| format!("end {index}")).collect::<Vec<_>>(), "{what}");
}

/// Case 61. Polled with one waker and then with another, only the second is woken, and the first is let go.
#[test]
fn latest_waker_of_a_gather_counts() {
    let event_loop = virtual_loop();
    let (gates, tasks) = gated(&event_loop, 2);
    let ((first, first_waker), (second, second_waker)) = (CountingWaker::new(), CountingWaker::new());
    let mut gathered = gather_settled(tasks);
    for _ in 0..3 {
        assert!(Pin::new(&mut gathered).poll(&mut Context::from_waker(&first_waker)).is_pending());
        assert_eq!(Arc::strong_count(&first), 3, "one waker for two children and three polls");
    }
    assert!(Pin::new(&mut gathered).poll(&mut Context::from_waker(&second_waker)).is_pending());
    assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (2, 3));
    gates.iter().for_each(Gate::open);
    event_loop.run_once();
    assert_eq!((first.wakes(), second.wakes()), (0, 1));
    assert_eq!(Arc::strong_count(&second), 2);
}

/// Case 62. A gather that is dropped lets its waker go at once, also while its children still run.
#[test]
fn dropped_gather_lets_its_waker_go() {
    let event_loop = virtual_loop();
    let (_gates, tasks) = gated(&event_loop, 2);
    let (counter, waker) = CountingWaker::new();
    let mut gathered = gather(tasks);
    assert!(Pin::new(&mut gathered).poll(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!(Arc::strong_count(&counter), 3);
    drop(gathered);
    assert_eq!(Arc::strong_count(&counter), 2);
    event_loop.run_once();
    assert_eq!(counter.wakes(), 0);
}

/// A gather that has returned is not polled again, whatever it returned.
#[test]
fn polling_a_gather_that_has_returned_panics() {
    let event_loop = virtual_loop();
    let mut context = Context::from_waker(Waker::noop());
    let text = "a gather that has returned is not polled again";
    let done = || {
        let tasks = [event_loop.spawn(async { Ok::<_, String>(1) })];
        event_loop.run_once();
        tasks
    };
    let mut gathered = gather(done());
    assert!(Pin::new(&mut gathered).poll(&mut context).is_ready());
    assert_eq!(panic_of(|| drop(Pin::new(&mut gathered).poll(&mut context))), text);
    let mut gathered = gather_settled(done());
    assert!(Pin::new(&mut gathered).poll(&mut context).is_ready());
    assert_eq!(panic_of(|| drop(Pin::new(&mut gathered).poll(&mut context))), text);
    let mut gathered = try_gather(done());
    assert!(Pin::new(&mut gathered).poll(&mut context).is_ready());
    assert_eq!(panic_of(|| drop(Pin::new(&mut gathered).poll(&mut context))), text);
    // After a failure, also when a second child has failed since.
    let tasks: [Task<()>; 2] = [event_loop.spawn(pending()), event_loop.spawn(pending())];
    tasks[0].cancel();
    event_loop.run_once();
    let mut gathered = gather(tasks);
    assert!(Pin::new(&mut gathered).poll(&mut context).is_ready());
    event_loop.close();
    assert_eq!(panic_of(|| drop(Pin::new(&mut gathered).poll(&mut context))), text);
}

/// Each output is dropped exactly once: returned, after a failure, and when the gather is dropped between the ends.
#[test]
fn outputs_are_dropped_once_on_every_way_out() {
    let event_loop = virtual_loop();
    let drops = Drops::new();
    let child = |delay, fails| {
        let token = drops.token();
        async move {
            sleep(seconds(delay)).await;
            if fails { Err(token) } else { Ok(token) }
        }
    };
    event_loop.run_until_complete(async {
        let all = try_gather([spawn(child(1, false)), spawn(child(2, false))]).await.unwrap();
        assert_eq!(drops.count(), 0);
        drop(all);
        assert_eq!(drops.count(), 2);
        let error = try_gather([spawn(child(1, false)), spawn(child(2, true)), spawn(child(3, false))]).await;
        assert_eq!(drops.count(), 3, "the output that was there went with the failure");
        drop(error);
        assert_eq!(drops.count(), 4);
        sleep(seconds(2)).await;
        assert_eq!(drops.count(), 5);
        let gathered = try_gather([spawn(child(1, false)), spawn(child(3, false))]);
        assert!(timeout(seconds(2), gathered).await.is_err());
        assert_eq!(drops.count(), 6);
        yield_now().await;
        assert_eq!(drops.count(), 7);
    });
}

/// Awaited as `&mut`, a gather can be awaited again after a deadline: nothing is cancelled or lost meanwhile.
#[test]
fn gather_awaited_by_reference_goes_on_after_a_deadline() {
    for which in ALL {
        let event_loop = virtual_loop();
        let start = event_loop.time();
        let text = event_loop.run_until_complete(async {
            let children = [3, 1].map(|delay| {
                Box::pin(async move {
                    sleep(seconds(delay)).await;
                    Ok(delay as u32)
                }) as Local<_>
            });
            let mut gathered = gather_any(which, children.into());
            assert_eq!(timeout(seconds(2), &mut gathered).await, Err(handloop::Elapsed));
            gathered.await.unwrap()
        });
        assert_eq!(text, "[3, 1]", "{which:?}");
        assert_eq!(event_loop.time() - start, seconds(3), "{which:?}");
    }
}

/// The end of the last child makes the gatherer ready for the next turn, behind what is ready.
#[test]
fn last_child_makes_the_gatherer_ready_behind_what_is_ready() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    let gates = [Gate::new(), Gate::new()];
    let tasks = gates.clone().map(|gate| {
        let trace = trace.clone();
        event_loop.spawn(async move {
            gate.await;
            trace.add("child");
        })
    });
    let gatherer = {
        let trace = trace.clone();
        event_loop.spawn(async move {
            gather(tasks).await.unwrap();
            trace.add("gathered");
        })
    };
    event_loop.run_once();
    gates.iter().for_each(Gate::open);
    let from_callback = trace.clone();
    event_loop.call_soon(move || from_callback.add("callback")).unwrap();
    assert!(event_loop.run_once());
    // What was in the loop's own queue comes before the inbox, into which the gates' wakes went.
    assert_eq!(trace.take(), ["callback", "child", "child"]);
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["gathered"]);
    assert!(gatherer.is_finished());
}
