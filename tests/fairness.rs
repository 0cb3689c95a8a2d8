//! Whatever never stops asking for another poll, a task or a callback, holds up neither tasks nor timers.

mod common;

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use common::{Gate, Trace, virtual_loop, watched};
use handloop::{EventLoop, call_later, call_soon, create_future, sleep, spawn, yield_now};

const SHORT: Duration = Duration::from_millis(3);

/// Wakes itself in each poll, for ever, and counts its polls.
async fn spin(polls: Rc<Cell<u64>>) {
    poll_fn(|context| {
        polls.set(polls.get() + 1);
        context.waker().wake_by_ref();
        Poll::<()>::Pending
    })
    .await;
}

/// Schedules itself for ever, and counts its calls.
fn call_again(calls: Rc<Cell<u64>>) {
    calls.set(calls.get() + 1);
    // Refused by a loop that closes.
    let _ = call_soon(move || call_again(calls));
}

/// Case 97. Two tasks that wake themselves are never more than one poll apart, and strictly alternate.
#[test]
fn two_self_wakers_differ_by_one_poll_at_most() {
    let event_loop = virtual_loop();
    let polls: [Rc<Cell<u32>>; 2] = Default::default();
    let worst = Rc::new(Cell::new(0));
    for own in 0..2 {
        let (polls, worst) = (polls.clone(), worst.clone());
        drop(event_loop.spawn(poll_fn(move |context| {
            polls[own].set(polls[own].get() + 1);
            worst.set(worst.get().max(polls[0].get().abs_diff(polls[1].get())));
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        })));
    }
    for turn in 1..=1000 {
        assert!(event_loop.run_once());
        assert_eq!((polls[0].get(), polls[1].get()), (turn, turn));
    }
    assert_eq!(worst.get(), 1);
}

/// Case 97. The same while a root runs and others come and go.
#[test]
fn self_wakers_stay_level_while_others_come_and_go() {
    let event_loop = virtual_loop();
    let polls: [Rc<Cell<u64>>; 3] = Default::default();
    event_loop.run_until_complete(async {
        polls.iter().for_each(|polls| drop(spawn(spin(polls.clone()))));
        for round in 1..=100 {
            drop(spawn(async { yield_now().await }));
            yield_now().await;
            assert!(polls.iter().all(|polls| polls.get() == round));
        }
    });
}

/// Case 98. A task that is woken completes although another spins: in the turn after the wake.
#[test]
fn woken_task_completes_although_another_spins() {
    let event_loop = virtual_loop();
    let (polls, gate) = (Rc::new(Cell::new(0)), Gate::new());
    drop(event_loop.spawn(spin(polls.clone())));
    let task = event_loop.spawn(gate.clone());
    for _ in 0..10 {
        assert!(event_loop.run_once());
    }
    assert!(!task.is_finished());
    gate.open();
    assert!(event_loop.run_once());
    assert!(task.is_finished());
    assert_eq!((polls.get(), gate.polls()), (11, 2));
    event_loop.run_until_complete(task).unwrap();
    assert_eq!(polls.get(), 12, "a root that joins what is over needs one turn");
}

/// Case 98. + The same where the wake, or the task itself, comes from another thread.
#[test]
fn task_woken_by_another_thread_completes_although_another_spins() {
    watched(|| {
        let event_loop = EventLoop::new();
        drop(event_loop.spawn(spin(Rc::default())));
        drop(event_loop.call_soon(|| call_again(Rc::default())));
        let is_set = Arc::new(AtomicBool::new(false));
        let mut thread = None;
        event_loop.run_until_complete(poll_fn(|context| {
            thread.get_or_insert_with(|| {
                let (waker, is_set) = (context.waker().clone(), is_set.clone());
                thread::spawn(move || {
                    is_set.store(true, Ordering::Relaxed);
                    waker.wake();
                })
            });
            if is_set.load(Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending }
        }));
        thread.unwrap().join().unwrap();

        let handle = event_loop.handle();
        let other = thread::spawn(move || {
            assert_eq!(handle.submit(async { 5 }).result().unwrap(), 5);
            handle.stop();
        });
        event_loop.run_forever();
        other.join().unwrap();
    });
}

/// Case 98. A root completes although a task spins, and its wakes come between those of the task.
#[test]
fn root_completes_although_a_task_spins() {
    let event_loop = virtual_loop();
    let polls = Rc::new(Cell::new(0));
    drop(event_loop.spawn(spin(polls.clone())));
    event_loop.run_until_complete(async {
        for _ in 0..50 {
            yield_now().await;
        }
    });
    assert_eq!(polls.get(), 51);
}

/// Case 100. + Timers are served while a hundred tasks wake themselves: sleeps and callbacks, by deadline.
#[test]
fn timers_are_served_while_100_tasks_spin_real_time() {
    watched(|| {
        let event_loop = EventLoop::new();
        let polls: Vec<Rc<Cell<u64>>> = (0..100).map(|_| Rc::default()).collect();
        polls.iter().for_each(|polls| drop(event_loop.spawn(spin(polls.clone()))));
        let trace = Trace::new();
        let start = event_loop.time();
        event_loop.run_until_complete(async {
            // The sleep is made first, so that its deadline is the earlier one on however slow a machine.
            let (early, late, (promise, called)) = (trace.clone(), trace.clone(), create_future());
            let slept = sleep(SHORT);
            let sleeper = spawn(async move {
                slept.await;
                early.add("sleep");
            });
            let callback = move || {
                late.add("callback");
                promise.set_result(());
            };
            call_later(SHORT * 2, callback).unwrap();
            called.await.unwrap();
            trace.add("root");
            assert!(sleeper.is_finished());
        });
        assert!(event_loop.time() - start >= SHORT * 2);
        assert_eq!(trace.take(), ["sleep", "callback", "root"]);
        let (least, most) = (polls.iter().map(|p| p.get()).min(), polls.iter().map(|p| p.get()).max());
        assert_eq!(least, most, "whole turns");
        assert!(least > Some(1), "they did spin");
    });
}

/// Waits for a timer of the loop, which is busy.
fn timer_is_served(event_loop: &EventLoop) {
    let start = event_loop.time();
    let (promise, called) = create_future();
    event_loop.call_later(SHORT, move || promise.set_result("called")).unwrap();
    assert_eq!(event_loop.run_until_complete(called).unwrap(), "called");
    assert!(event_loop.time() - start >= SHORT);
}

/// SOON-05. A callback that schedules itself for ever starves no timer.
#[test]
fn callback_that_schedules_itself_starves_no_timer_real_time() {
    watched(|| {
        let event_loop = EventLoop::new();
        let calls = Rc::new(Cell::new(0));
        let again = calls.clone();
        event_loop.call_soon(move || call_again(again)).unwrap();
        timer_is_served(&event_loop);
        assert!(calls.get() > 1);
    });
}

/// SOON-05. Nor does a task that wakes itself within its poll.
#[test]
fn task_that_wakes_itself_starves_no_timer_real_time() {
    watched(|| {
        let event_loop = EventLoop::new();
        let polls = Rc::new(Cell::new(0));
        drop(event_loop.spawn(spin(polls.clone())));
        timer_is_served(&event_loop);
        assert!(polls.get() > 1);
    });
}

/// SOON-05. A timer that is due runs in the next turn although a callback and a task never stop; on a virtual clock
/// the order is exact. Its turn comes after what was ready before (SOON-06).
#[test]
fn due_timer_runs_in_the_next_turn_of_a_busy_loop() {
    let event_loop = virtual_loop();
    let (calls, polls, trace) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)), Trace::new());
    let again = calls.clone();
    event_loop.call_soon(move || call_again(again)).unwrap();
    drop(event_loop.spawn(spin(polls.clone())));
    for turn in 1..=5 {
        let (seen, calls, polls) = (trace.clone(), calls.clone(), polls.clone());
        let note = move || seen.add(format!("turn {turn}: {} calls, {} polls", calls.get(), polls.get()));
        event_loop.call_later(Duration::ZERO, note).unwrap();
        assert!(event_loop.run_once());
    }
    let expected: Vec<String> = (1..=5).map(|turn| format!("turn {turn}: {turn} calls, {turn} polls")).collect();
    assert_eq!(trace.take(), expected);
}

/// SOON-05. A callback that schedules itself for ever starves no task, nor the task it.
#[test]
fn callback_that_schedules_itself_starves_no_task() {
    let event_loop = virtual_loop();
    let (calls, polls) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let again = calls.clone();
    event_loop.call_soon(move || call_again(again)).unwrap();
    drop(event_loop.spawn(spin(polls.clone())));
    event_loop.run_until_complete(async {
        for turn in 1..=50 {
            assert_eq!((calls.get(), polls.get()), (turn, turn));
            yield_now().await;
        }
    });
}

/// SOON-05. Many callbacks that each schedule two more grow without bound, and a root still completes in its turn.
#[test]
fn callbacks_that_multiply_hold_up_no_task() {
    fn multiply(calls: &Rc<Cell<u64>>) {
        calls.set(calls.get() + 1);
        for _ in 0..2 {
            let calls = calls.clone();
            let _ = call_soon(move || multiply(&calls));
        }
    }
    let event_loop = virtual_loop();
    let calls = Rc::new(Cell::new(0));
    let first = calls.clone();
    event_loop.call_soon(move || multiply(&first)).unwrap();
    event_loop.run_until_complete(async {
        for _ in 0..8 {
            yield_now().await;
        }
    });
    assert_eq!(calls.get(), 1 + 2 + 4 + 8 + 16 + 32 + 64 + 128 + 256);
}
