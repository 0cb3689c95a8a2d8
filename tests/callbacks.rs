//! Plain callbacks: their order, their turn, their times, and how they are cancelled.

mod common;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use common::{Drops, OnDrop, Reports, Trace, virtual_loop, watched};
use handloop::{
    EventLoop, Handle, RunError, StallReport, call_at, call_later, call_soon, create_future, current_task, sleep,
    spawn, time, yield_now,
};

const NOTHING: [&str; 0] = [];

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A callback that adds one event.
fn adds(trace: &Trace, event: &str) -> impl FnOnce() + use<> {
    let (trace, event) = (trace.clone(), event.to_owned());
    move || trace.add(event)
}

/// A callback that adds one event and the seconds since `start`.
fn adds_time(trace: &Trace, event: &str, start: Instant) -> impl FnOnce() + use<> {
    let (trace, event) = (trace.clone(), event.to_owned());
    move || trace.add(format!("{event} at {:?}", time() - start))
}

/// Runs a loop with a virtual clock until nothing is left that could happen.
fn run_to_the_end(event_loop: &EventLoop) -> StallReport {
    match event_loop.try_run_until_complete(std::future::pending::<()>()) {
        Err(RunError::Stalled(report)) => report,
        other => panic!("this must stall: {other:?}"),
    }
}

// call_soon.

/// SOON-01, SOON-07. Callbacks run in the order of the calls, each exactly once.
#[test]
fn callbacks_run_in_the_order_of_the_calls() {
    let event_loop = EventLoop::new();
    let trace = Trace::new();
    let expected: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
    for event in &expected {
        event_loop.call_soon(adds(&trace, event)).unwrap();
    }
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), expected);
    assert!(!event_loop.run_once());
    assert_eq!(trace.take(), NOTHING);
}

/// SOON-01. Callbacks and tasks stand in one queue.
#[test]
fn callbacks_and_tasks_stand_in_one_queue() {
    let event_loop = EventLoop::new();
    let trace = Trace::new();
    let task = |event: &'static str| {
        let trace = trace.clone();
        drop(event_loop.spawn(async move { trace.add(event) }));
    };
    event_loop.call_soon(adds(&trace, "callback 1")).unwrap();
    task("task 1");
    event_loop.call_soon(adds(&trace, "callback 2")).unwrap();
    task("task 2");
    event_loop.run_once();
    assert_eq!(trace.take(), ["callback 1", "task 1", "callback 2", "task 2"]);
}

/// SOON-02. A callback never runs inside the call, and one that a callback schedules runs in the next turn.
#[test]
fn callback_scheduled_by_a_callback_runs_in_the_next_turn() {
    let event_loop = EventLoop::new();
    let trace = Trace::new();
    let outer = trace.clone();
    event_loop
        .call_soon(move || {
            call_soon(adds(&outer, "inner")).unwrap();
            outer.add("outer");
        })
        .unwrap();
    event_loop.call_soon(adds(&trace, "beside")).unwrap();
    assert_eq!(trace.take(), NOTHING);
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["outer", "beside"]);
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["inner"]);
}

/// SOON-02. A callback that a task schedules runs before that task's next poll.
#[test]
fn callback_scheduled_by_a_task_runs_in_the_next_turn() {
    let trace = Trace::new();
    handloop::run(async {
        call_soon(adds(&trace, "callback")).unwrap();
        trace.add("before");
        yield_now().await;
        trace.add("after");
    });
    assert_eq!(trace.take(), ["before", "callback", "after"]);
}

/// SOON-03. A callback that was cancelled before its turn never runs; to cancel again changes nothing.
#[test]
fn cancelled_callback_never_runs() {
    let event_loop = EventLoop::new();
    let drops = Drops::new();
    let token = drops.token();
    let handle = event_loop.call_soon(move || unreachable!("never run: {token:?}")).unwrap();
    assert!(!handle.cancelled());
    handle.cancel();
    assert!(handle.cancelled());
    handle.cancel();
    assert_eq!(drops.count(), 0, "dropped at the next turn");
    event_loop.run_once();
    assert_eq!((drops.count(), handle.cancelled()), (1, true));
    handle.cancel();
    assert!(!event_loop.run_once());
}

/// SOON-03. To cancel a callback that has run does nothing, also after its loop is gone.
#[test]
fn cancel_after_the_run_of_a_callback_does_nothing() {
    let event_loop = EventLoop::new();
    let handle = event_loop.call_soon(|| ()).unwrap();
    event_loop.run_once();
    handle.cancel();
    assert!(!handle.cancelled());
    assert!(!event_loop.run_once());
    drop(event_loop);
    handle.cancel();
    assert!(!handle.cancelled());
}

/// SOON-03. A callback that cancels its own handle has run, and so was not cancelled before it ran.
#[test]
fn callback_that_cancels_itself_was_not_cancelled() {
    let event_loop = EventLoop::new();
    let handle = Rc::new(RefCell::new(None::<Handle>));
    let (own, ran) = (handle.clone(), Rc::new(Cell::new(false)));
    let done = ran.clone();
    let new = event_loop
        .call_soon(move || {
            own.borrow().as_ref().unwrap().cancel();
            done.set(true);
        })
        .unwrap();
    *handle.borrow_mut() = Some(new);
    event_loop.run_once();
    assert!(ran.get());
    assert!(!event_loop.run_once());
    assert!(!handle.borrow().as_ref().unwrap().cancelled());
}

/// SOON-03. Dropping the handle changes nothing.
#[test]
fn callback_runs_although_its_handle_is_dropped() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    drop(event_loop.call_soon(adds(&trace, "soon")).unwrap());
    drop(event_loop.call_later(seconds(1), adds(&trace, "later")).unwrap());
    run_to_the_end(&event_loop);
    assert_eq!(trace.take(), ["soon", "later"]);
}

/// SOON-03, LOOP-10. A callback that its loop's close dropped was cancelled.
#[test]
fn callback_dropped_by_close_was_cancelled() {
    let event_loop = EventLoop::new();
    let handle = event_loop.call_soon(|| ()).unwrap();
    event_loop.close();
    assert!(handle.cancelled());
}

/// LOOP-10, LOOP-12. A panic of a destructor while the loop closes is reported, and the others are dropped.
#[test]
fn panic_of_a_callbacks_destructor_at_close_is_reported() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder()).build();
    let drops = Drops::new();
    let (before, after) = (drops.token(), drops.token());
    let guard = OnDrop(|| panic!("destructor"));
    event_loop.call_soon(move || drop(before)).unwrap();
    let line = line!() + 1;
    event_loop.call_soon(move || drop(guard)).unwrap();
    event_loop.call_soon(move || drop(after)).unwrap();
    event_loop.close();
    let place = format!("{}:{line}:16", file!());
    assert_eq!(reports.take(), [format!("a callback (from {place}) panicked, and nobody joined it: destructor")]);
    assert_eq!(drops.count(), 2);
}

/// SOON-03, LOOP-10. A callback that its loop's close dropped was cancelled, also where its destructor panics.
#[test]
fn callback_whose_destructor_panics_at_close_was_cancelled() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder()).build();
    let guard = OnDrop(|| panic!("destructor"));
    let handle = event_loop.call_soon(move || drop(guard)).unwrap();
    event_loop.close();
    assert!(handle.cancelled());
}

/// SOON-03, LOOP-12. A cancelled callback whose destructor panics is reported, and the rest of the turn runs.
#[test]
fn panic_of_a_cancelled_callbacks_destructor_is_reported() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder()).build();
    let trace = Trace::new();
    let guard = OnDrop(|| panic!("destructor"));
    let line = line!() + 1;
    let handle = event_loop.call_soon(move || drop(guard)).unwrap();
    handle.cancel();
    event_loop.call_soon(adds(&trace, "after")).unwrap();
    event_loop.run_once();
    let place = format!("{}:{line}:29", file!());
    assert_eq!(reports.take(), [format!("a callback (from {place}) panicked, and nobody joined it: destructor")]);
    assert_eq!((trace.take(), handle.cancelled()), (vec!["after".to_owned()], true));
}

/// SOON-04. A callback can be cancelled by an earlier one of the same turn.
#[test]
fn callback_is_cancelled_by_an_earlier_one_of_the_same_turn() {
    let event_loop = EventLoop::new();
    let trace = Trace::new();
    let victim = Rc::new(RefCell::new(None::<Handle>));
    let (cancels, inner) = (victim.clone(), trace.clone());
    event_loop
        .call_soon(move || {
            inner.add("cancels");
            cancels.borrow().as_ref().unwrap().cancel();
        })
        .unwrap();
    *victim.borrow_mut() = Some(event_loop.call_soon(adds(&trace, "victim")).unwrap());
    event_loop.call_soon(adds(&trace, "last")).unwrap();
    event_loop.run_once();
    assert!(!event_loop.run_once());
    assert_eq!(trace.take(), ["cancels", "last"]);
}

/// Calls itself again in each turn, for ever.
fn again(count: Rc<Cell<usize>>) {
    count.set(count.get() + 1);
    call_soon(move || again(count)).unwrap();
}

/// SOON-05. A callback that schedules itself for ever does not keep a task from its turns.
#[test]
fn callback_that_schedules_itself_for_ever_does_not_starve_tasks() {
    watched(|| {
        let event_loop = EventLoop::new();
        let count = Rc::new(Cell::new(0));
        let inner = count.clone();
        event_loop.call_soon(move || again(inner)).unwrap();
        event_loop.run_until_complete(async {
            for _ in 0..5 {
                yield_now().await;
            }
        });
        assert_eq!(count.get(), 6);
    });
}

/// SOON-05, case 100. Timers of a real clock fire although a callback schedules itself for ever.
#[test]
fn callback_that_schedules_itself_for_ever_does_not_starve_timers_in_real_time() {
    watched(|| {
        let event_loop = EventLoop::new();
        let start = event_loop.time();
        event_loop.call_soon(|| again(Rc::default())).unwrap();
        let (promise, future) = create_future();
        event_loop.call_later(millis(2), move || promise.set_result(time())).unwrap();
        let fired = event_loop.run_until_complete(future).unwrap();
        assert!(fired - start >= millis(2));
    });
}

/// SOON-05. A timer that is due is served by a busy loop with a virtual clock too, in the next turn.
#[test]
fn due_timer_of_a_busy_loop_with_a_virtual_clock_runs_in_the_next_turn() {
    watched(|| {
        let event_loop = virtual_loop();
        let trace = Trace::new();
        let count = Rc::new(Cell::new(0));
        let inner = count.clone();
        event_loop.call_soon(move || again(inner)).unwrap();
        event_loop.run_once();
        event_loop.call_later(Duration::ZERO, adds(&trace, "zero")).unwrap();
        event_loop.call_at(event_loop.time(), adds(&trace, "now")).unwrap();
        event_loop.run_once();
        assert_eq!((trace.take(), count.get()), (vec!["zero".to_owned(), "now".to_owned()], 2));
    });
}

/// SOON-06, TIME-12, TSAFE-04. In one turn what was ready runs first, then what other threads sent, then the timers
/// that are due, whatever the order of the calls.
#[test]
fn turn_runs_the_ready_then_the_inbox_then_the_timers() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    let sent = Arc::new(std::sync::Mutex::new(false));
    event_loop.call_later(Duration::ZERO, adds(&trace, "timer")).unwrap();
    let flag = sent.clone();
    event_loop.handle().call_soon_threadsafe(move || *flag.lock().unwrap() = true).unwrap();
    let (flag, inner) = (sent.clone(), trace.clone());
    event_loop.call_soon(move || inner.add(format!("soon, and sent is {}", flag.lock().unwrap()))).unwrap();
    let inner = trace.clone();
    event_loop
        .call_later(Duration::ZERO, move || inner.add(format!("second timer, and sent is {}", sent.lock().unwrap())))
        .unwrap();
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["soon, and sent is false", "timer", "second timer, and sent is true"]);
}

/// SOON-06. A timer that became due while the loop was blocked runs after what was ready by then.
#[test]
fn ready_callbacks_run_before_a_timer_that_became_due_in_real_time() {
    watched(|| {
        let event_loop = EventLoop::new();
        let trace = Trace::new();
        let (promise, future) = create_future();
        let inner = trace.clone();
        event_loop
            .call_soon(move || {
                let timer = adds(&inner, "timer");
                call_later(millis(1), || {
                    timer();
                    promise.set_result(());
                })
                .unwrap();
                thread::sleep(millis(3)); // blocks the loop past the deadline
                call_soon(adds(&inner, "ready")).unwrap();
            })
            .unwrap();
        event_loop.run_until_complete(future).unwrap();
        assert_eq!(trace.take(), ["ready", "timer"]);
    });
}

/// TASK-11. In a plain callback there is no current task.
#[test]
fn callback_has_no_current_task() {
    let event_loop = EventLoop::new();
    let seen = Rc::new(Cell::new(true));
    let inner = seen.clone();
    event_loop.call_soon(move || inner.set(current_task().is_some())).unwrap();
    event_loop.run_once();
    assert!(!seen.get());
    assert_eq!(event_loop.all_tasks(), []);
}

/// SOON-02. A callback may spawn, and the task runs in the next turn.
#[test]
fn task_spawned_by_a_callback_runs_in_the_next_turn() {
    let event_loop = EventLoop::new();
    let trace = Trace::new();
    let inner = trace.clone();
    event_loop.call_soon(move || drop(spawn(async move { inner.add("task") }))).unwrap();
    event_loop.call_soon(adds(&trace, "callback")).unwrap();
    event_loop.run_once();
    assert_eq!(trace.take(), ["callback"]);
    event_loop.run_once();
    assert_eq!(trace.take(), ["task"]);
}

/// SOON-03. A handle says in words whether it was cancelled.
#[test]
fn handle_says_whether_it_was_cancelled() {
    let event_loop = virtual_loop();
    let handle = event_loop.call_soon(|| ()).unwrap();
    assert_eq!(format!("{handle:?}"), "Handle { cancelled: false, when: None, .. }");
    handle.cancel();
    assert_eq!(format!("{handle:?}"), "Handle { cancelled: true, when: None, .. }");
    let timer = event_loop.call_later(Duration::MAX, || ()).unwrap();
    assert_eq!(format!("{timer:?}"), "Handle { cancelled: false, when: None, .. }");
}

// call_later and call_at.

/// TIME-01. A timer runs at exactly its time on a virtual clock.
#[test]
fn timers_run_at_exactly_their_times() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let trace = Trace::new();
    event_loop.call_later(millis(1500), adds_time(&trace, "later", start)).unwrap();
    event_loop.call_at(start + seconds(4), adds_time(&trace, "at", start)).unwrap();
    let nested = trace.clone();
    event_loop
        .call_later(seconds(1), move || {
            nested.add("outer");
            call_later(seconds(1), adds_time(&nested, "nested later", start)).unwrap();
            call_at(start + seconds(3), adds_time(&nested, "nested at", start)).unwrap();
        })
        .unwrap();
    run_to_the_end(&event_loop);
    assert_eq!(trace.take(), ["outer", "later at 1.5s", "nested later at 2s", "nested at at 3s", "at at 4s"]);
    assert_eq!(event_loop.time() - start, seconds(4));
}

/// TIME-01. A timer never runs before its deadline on a real clock.
#[test]
fn timers_are_never_early_in_real_time() {
    watched(|| {
        let event_loop = EventLoop::new();
        for n in 0..20 {
            let when = event_loop.time() + Duration::from_micros(300 * n);
            let (promise, future) = create_future();
            event_loop.call_at(when, move || promise.set_result(Instant::now())).unwrap();
            assert!(event_loop.run_until_complete(future).unwrap() >= when);
        }
    });
}

/// TIME-02. Timers run by their deadlines, whatever the order of the calls.
#[test]
fn timers_run_by_deadline() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let trace = Trace::new();
    for n in [5, 1, 4, 7, 2, 6, 3] {
        event_loop.call_later(seconds(n), adds_time(&trace, "timer", start)).unwrap();
    }
    run_to_the_end(&event_loop);
    let expected: Vec<String> = (1..=7).map(|n| format!("timer at {n}s")).collect();
    assert_eq!(trace.take(), expected);
}

/// TIME-03. Timers with equal deadlines run in the order of the calls, whichever call it was and whatever was
/// cancelled among them.
#[test]
fn timers_with_equal_deadlines_run_in_the_order_of_the_calls() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    let when = event_loop.time() + seconds(1);
    let mut expected = Vec::new();
    for n in 0..64 {
        let event = format!("timer {n}");
        let handle = if n % 2 == 0 {
            event_loop.call_at(when, adds(&trace, &event)).unwrap()
        } else {
            event_loop.call_later(seconds(1), adds(&trace, &event)).unwrap()
        };
        if n % 5 == 0 { handle.cancel() } else { expected.push(event) }
    }
    run_to_the_end(&event_loop);
    assert_eq!(trace.take(), expected);
}

/// TIME-04, TIME-05. Times that have passed run in the next turn, in the order of the deadlines.
#[test]
fn times_that_have_passed_run_in_the_next_turn_by_deadline() {
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async { sleep(seconds(10)).await });
    let now = event_loop.time();
    let trace = Trace::new();
    for n in [1, 2, 5, 3] {
        let timer = event_loop.call_at(now - seconds(n), adds(&trace, &format!("{n} ago"))).unwrap();
        assert_eq!(timer.when(), Some(now - seconds(n)));
    }
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["5 ago", "3 ago", "2 ago", "1 ago"]);
    assert_eq!(event_loop.time(), now);
}

/// TIME-05, TIME-11. After the loop was blocked past several deadlines, all of them run in one turn, by deadline.
#[test]
fn overdue_timers_run_in_one_turn_by_deadline_in_real_time() {
    watched(|| {
        let event_loop = EventLoop::new();
        let trace = Trace::new();
        let (promise, future) = create_future();
        let mut promise = Some(promise);
        let inner = trace.clone();
        event_loop
            .call_soon(move || {
                let start = time();
                for n in [4, 2, 1, 3] {
                    let trace = inner.clone();
                    let promise = if n == 4 { promise.take() } else { None };
                    let timer = move || {
                        trace.add(format!("timer {n}"));
                        let next = trace.clone();
                        call_soon(move || {
                            next.add(format!("after timer {n}"));
                            if let Some(promise) = promise {
                                promise.set_result(());
                            }
                        })
                        .unwrap();
                    };
                    call_at(start + millis(n), timer).unwrap();
                }
                thread::sleep(millis(6)); // blocks the loop past all four
            })
            .unwrap();
        event_loop.run_until_complete(future).unwrap();
        let expected: Vec<String> =
            (1..=4).map(|n| format!("timer {n}")).chain((1..=4).map(|n| format!("after timer {n}"))).collect();
        assert_eq!(trace.take(), expected);
    });
}

/// TIME-06. `when` is the absolute time on the loop's clock.
#[test]
fn when_is_the_deadline_on_the_loops_clock() {
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async {
        sleep(seconds(3)).await;
        let now = time();
        assert_eq!(call_later(seconds(2), || ()).unwrap().when(), Some(now + seconds(2)));
        assert_eq!(call_later(Duration::ZERO, || ()).unwrap().when(), Some(now));
        assert_eq!(call_at(now + seconds(9), || ()).unwrap().when(), Some(now + seconds(9)));
    });
}

/// TIME-06, TIME-07. A timer that was cancelled before its deadline never runs, is dropped at the next turn, and no
/// virtual clock jumps to it.
#[test]
fn cancelled_timer_never_runs_and_takes_no_time() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let drops = Drops::new();
    let token = drops.token();
    let timer = event_loop.call_later(seconds(5), move || unreachable!("never run: {token:?}")).unwrap();
    event_loop.run_once();
    assert!(!timer.cancelled());
    timer.cancel();
    timer.cancel();
    assert!(timer.cancelled());
    assert_eq!(drops.count(), 0);
    event_loop.run_once();
    assert_eq!(drops.count(), 1);
    run_to_the_end(&event_loop);
    assert_eq!(event_loop.time(), start);
    assert!(timer.cancelled());
}

/// TIME-06. A timer that is due can be cancelled by an earlier one of the same turn.
#[test]
fn due_timer_is_cancelled_by_an_earlier_one_of_the_same_turn() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    let victim = Rc::new(RefCell::new(None::<Handle>));
    let (cancels, inner) = (victim.clone(), trace.clone());
    event_loop
        .call_later(seconds(1), move || {
            inner.add("cancels");
            cancels.borrow().as_ref().unwrap().cancel();
        })
        .unwrap();
    *victim.borrow_mut() = Some(event_loop.call_later(seconds(1), adds(&trace, "victim")).unwrap());
    run_to_the_end(&event_loop);
    assert_eq!(trace.take(), ["cancels"]);
    assert!(victim.borrow().as_ref().unwrap().cancelled());
}

/// TIME-06. To cancel a timer that has run does nothing, also to a newer timer.
#[test]
fn cancel_of_a_timer_that_has_run_does_nothing_to_a_newer_one() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    let old = event_loop.call_later(seconds(1), adds(&trace, "old")).unwrap();
    run_to_the_end(&event_loop);
    let new = event_loop.call_later(seconds(1), adds(&trace, "new")).unwrap();
    old.cancel();
    assert_eq!((old.cancelled(), new.cancelled()), (false, false));
    run_to_the_end(&event_loop);
    assert_eq!(trace.take(), ["old", "new"]);
}

/// TIME-06. To cancel a timer after its loop is gone does nothing.
#[test]
fn cancel_of_a_timer_after_its_loop_does_nothing() {
    let event_loop = EventLoop::new();
    let timer = event_loop.call_later(seconds(3600), || ()).unwrap();
    drop(event_loop);
    assert!(timer.cancelled());
    timer.cancel();
    assert!(timer.cancelled());
}

/// TIME-07. Many cancelled timers leave nothing behind, and those between them run in their order.
#[test]
fn timers_among_many_cancelled_ones_run_in_their_order() {
    watched(|| {
        let event_loop = virtual_loop();
        let start = event_loop.time();
        let trace = Trace::new();
        let drops = Drops::new();
        for n in (0..10_000_u64).rev() {
            if n % 1000 == 0 {
                event_loop.call_later(seconds(n + 1), adds_time(&trace, "timer", start)).unwrap();
            } else {
                let token = drops.token();
                event_loop.call_later(seconds(n + 1), move || unreachable!("{token:?}")).unwrap().cancel();
            }
        }
        run_to_the_end(&event_loop);
        assert_eq!(drops.count(), 9_990);
        let expected: Vec<String> = (0..10).map(|n| format!("timer at {}s", n * 1000 + 1)).collect();
        assert_eq!(trace.take(), expected);
        assert_eq!(event_loop.time() - start, seconds(9001));
    });
}

/// TIME-10, case 103. A delay too long to express never ends and overflows nothing; its callback is dropped at close.
#[test]
fn endless_delay_never_ends() {
    watched(|| {
        for event_loop in [virtual_loop(), EventLoop::new()] {
            let drops = Drops::new();
            let token = drops.token();
            let timer = event_loop.call_later(Duration::MAX, move || unreachable!("never run: {token:?}")).unwrap();
            assert_eq!(timer.when(), None);
            event_loop.run_until_complete(async { sleep(millis(1)).await });
            assert_eq!((timer.cancelled(), drops.count()), (false, 0));
            event_loop.close();
            assert_eq!((timer.cancelled(), drops.count()), (true, 1));
        }
    });
}

/// TIME-10. A delay of a billion years is a deadline like another.
#[test]
fn delay_of_a_billion_years_is_a_deadline_like_another() {
    watched(|| {
        let far = seconds(1 << 55);
        let event_loop = virtual_loop();
        let start = event_loop.time();
        let trace = Trace::new();
        event_loop.call_later(far, adds(&trace, "far")).unwrap();
        event_loop.call_later(seconds(1), adds(&trace, "near")).unwrap();
        run_to_the_end(&event_loop);
        assert_eq!(trace.take(), ["near", "far"]);
        assert_eq!(event_loop.time() - start, far);
        let event_loop = EventLoop::new();
        let timer = event_loop.call_later(far, || unreachable!("never run")).unwrap();
        event_loop.run_until_complete(sleep(millis(1)));
        assert!(!timer.cancelled());
    });
}

/// TIME-12. A zero delay is no `call_soon`: it runs after all that is ready.
#[test]
fn zero_delay_runs_after_what_is_ready() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    event_loop.call_later(Duration::ZERO, adds(&trace, "zero delay")).unwrap();
    event_loop.call_soon(adds(&trace, "soon")).unwrap();
    assert!(event_loop.run_once());
    assert_eq!(trace.take(), ["soon", "zero delay"]);
}

/// TIME-13, case 106. A new earlier deadline shortens the wait for the current one.
#[test]
fn earlier_deadline_shortens_the_wait_in_real_time() {
    watched(|| {
        let event_loop = EventLoop::new();
        let far = event_loop.call_later(seconds(100_000), || unreachable!("the watchdog comes first")).unwrap();
        for n in [3, 2, 1] {
            let start = event_loop.time();
            let (promise, future) = create_future();
            event_loop.call_later(millis(n), move || promise.set_result(time())).unwrap();
            assert!(event_loop.run_until_complete(future).unwrap() - start >= millis(n));
        }
        assert!(!far.cancelled());
    });
}

/// TIME-14. A virtual clock stands still while anything can run, and between runs.
#[test]
fn virtual_clock_stands_still_while_anything_can_run() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    event_loop.call_later(seconds(1), || ()).unwrap();
    event_loop.run_until_complete(async {
        for _ in 0..100 {
            yield_now().await;
        }
    });
    assert_eq!(event_loop.time(), start);
    assert!(!event_loop.run_once());
    assert_eq!(event_loop.time(), start);
    run_to_the_end(&event_loop);
    assert_eq!(event_loop.time() - start, seconds(1));
}

/// TIME-14. The clock of a loop is monotonic, and the same from the loop, its handle and inside.
#[test]
fn clock_is_the_same_from_everywhere() {
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async {
        sleep(seconds(2)).await;
        assert_eq!(time(), event_loop.time());
        assert_eq!(time(), event_loop.handle().time());
    });
    let real = EventLoop::new();
    let before = Instant::now();
    let inside = real.run_until_complete(async { time() });
    assert!(before <= inside && inside <= real.handle().time());
}

/// LOOP-12. A timer's callback that panics is reported, and those of the same time run.
#[test]
fn panic_of_a_timer_is_reported_and_the_others_run() {
    let reports = Reports::new();
    let event_loop = reports.collect(EventLoop::builder().virtual_clock()).build();
    let trace = Trace::new();
    let line = line!() + 1;
    event_loop.call_later(seconds(1), || panic!("timer")).unwrap();
    event_loop.call_later(seconds(1), adds(&trace, "after")).unwrap();
    run_to_the_end(&event_loop);
    let place = format!("{}:{line}:16", file!());
    assert_eq!(reports.take(), [format!("a callback (from {place}) panicked, and nobody joined it: timer")]);
    assert_eq!(trace.take(), ["after"]);
}

/// LOOP-09. While the loop closes, a destructor gets its callbacks back.
#[test]
fn destructor_gets_its_callbacks_back_while_the_loop_closes() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    let inner = trace.clone();
    let guard = OnDrop(move || {
        (call_soon(adds(&inner, "soon")).unwrap_err().0)();
        (call_later(seconds(1), adds(&inner, "later")).unwrap_err().0)();
        (call_at(time(), adds(&inner, "at")).unwrap_err().0)();
    });
    event_loop.call_soon(move || drop(guard)).unwrap();
    event_loop.close();
    assert_eq!(trace.take(), ["soon", "later", "at"]);
}
