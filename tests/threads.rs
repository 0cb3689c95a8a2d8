//! Proves what other threads may do to a loop: callbacks, stop, wakes, submissions of futures, and the clock hold.

mod common;

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{channel, sync_channel};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use common::{Drops, Gate, Log, OnDrop, Reports, panic_of, start, virtual_loop, watched};
use handloop::{EventLoop, LoopHandle, RunError, call_later, call_soon, create_future, spawn, time, yield_now};

const HOUR: Duration = Duration::from_secs(3600);

/// TSAFE-01. A callback from another thread wakes a loop that waits for nothing but a timer an hour away.
#[test]
fn callback_from_another_thread_wakes_a_parked_loop() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        handle.call_soon_threadsafe(|| drop(call_later(HOUR, || ()).unwrap())).unwrap();
        let (sender, receiver) = channel();
        for round in 0..500 {
            let sender = sender.clone();
            handle.call_soon_threadsafe(move || sender.send(round).unwrap()).unwrap();
            assert_eq!(receiver.recv().unwrap(), round);
        }
        handle.stop();
        thread.join().unwrap();
    });
}

/// TSAFE-03. Callbacks of one thread run in its order, and what another sends afterwards runs afterwards.
#[test]
fn callbacks_run_once_in_the_order_in_which_they_were_sent() {
    watched(|| {
        let event_loop = EventLoop::new();
        let log = Log::default();
        for name in ["a", "b"] {
            let (handle, log) = (event_loop.handle(), log.clone());
            let sender = thread::spawn(move || {
                for number in 1..=3 {
                    let log = log.clone();
                    handle.call_soon_threadsafe(move || log.add(format!("{name}{number}"))).unwrap();
                }
            });
            sender.join().unwrap();
        }
        assert!(event_loop.run_once());
        assert_eq!(log.take(), ["a1", "a2", "a3", "b1", "b2", "b3"]);
        assert!(!event_loop.run_once());
        assert_eq!(log.take(), [""; 0]);
    });
}

/// TSAFE-04. From the loop's own thread it is allowed, and one turn runs the ready queue, then the inbox, then timers.
#[test]
fn callbacks_of_the_own_thread_run_behind_the_ready_queue_and_before_timers() {
    let event_loop = virtual_loop();
    let handle = event_loop.handle();
    let log = Log::default();
    let add = |event: &'static str| {
        let log = log.clone();
        move || log.add(event)
    };
    drop(event_loop.call_later(Duration::ZERO, add("timer")).unwrap());
    handle.call_soon_threadsafe(add("inbox 1")).unwrap();
    drop(event_loop.call_soon(add("ready 1")).unwrap());
    handle.call_soon_threadsafe(add("inbox 2")).unwrap();
    drop(event_loop.call_soon(add("ready 2")).unwrap());
    assert!(event_loop.run_once());
    assert_eq!(log.take(), ["ready 1", "ready 2", "inbox 1", "inbox 2", "timer"]);
    assert!(!event_loop.run_once());
}

/// TSAFE-04. A callback that a callback sends runs in the next turn, behind what `call_soon` put there.
#[test]
fn callback_sent_by_a_callback_runs_in_the_next_turn() {
    let event_loop = virtual_loop();
    let (handle, log) = (event_loop.handle(), Log::default());
    let inner = (handle.clone(), log.clone());
    let first = move || {
        let (handle, log) = inner;
        log.add("first");
        let sent = log.clone();
        handle.call_soon_threadsafe(move || sent.add("sent")).unwrap();
        drop(call_soon(move || log.add("soon")).unwrap());
    };
    handle.call_soon_threadsafe(first).unwrap();
    assert!(event_loop.run_once());
    assert_eq!(log.take(), ["first"]);
    assert!(event_loop.run_once());
    assert_eq!(log.take(), ["soon", "sent"]);
}

/// TSAFE-05. A callback sent before the loop runs waits for the next run.
#[test]
fn callback_sent_before_the_run_waits_for_it() {
    watched(|| {
        let event_loop = EventLoop::new();
        let (handle, log) = (event_loop.handle(), Log::default());
        let sent = log.clone();
        thread::spawn(move || handle.call_soon_threadsafe(move || sent.add("sent")).unwrap()).join().unwrap();
        assert_eq!(log.take(), [""; 0]);
        // The root was there later, and is polled first: the ready queue goes before the inbox.
        let root = log.clone();
        event_loop.run_until_complete(async { root.add("root") });
        assert_eq!(log.take(), ["root", "sent"]);
    });
}

/// TSAFE-06. The callback runs on the loop's thread, within the loop.
#[test]
fn callback_runs_on_the_loops_thread() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        let (sender, receiver) = channel();
        let seen = move || sender.send((thread::current().id(), LoopHandle::current().is_some())).unwrap();
        handle.call_soon_threadsafe(seen).unwrap();
        assert_eq!(receiver.recv().unwrap(), (thread.thread().id(), true));
        handle.stop();
        thread.join().unwrap();
    });
}

/// TSAFE-07. `LoopHandle::stop` from another thread ends the run of a loop that is parked.
#[test]
fn stop_from_another_thread_wakes_a_parked_loop() {
    watched(|| {
        let event_loop = EventLoop::new();
        let timer = event_loop.call_later(HOUR, || ()).unwrap();
        let handle = event_loop.handle();
        let (sender, receiver) = channel::<()>();
        let stopper = thread::spawn(move || receiver.iter().for_each(|()| handle.stop()));
        for _ in 0..200 {
            let sender = sender.clone();
            drop(event_loop.call_soon(move || sender.send(()).unwrap()).unwrap());
            event_loop.run_forever();
            assert!(!event_loop.is_running());
        }
        drop(sender);
        stopper.join().unwrap();
        timer.cancel();
    });
}

/// TSAFE-07. `call_soon_threadsafe` of a `stop` does the same.
#[test]
fn stop_within_a_sent_callback_ends_the_run_after_its_turn() {
    watched(|| {
        let event_loop = EventLoop::new();
        let (handle, log) = (event_loop.handle(), Log::default());
        let (stopped, same_turn) = (handle.clone(), log.clone());
        let sender = thread::spawn(move || {
            let hold = stopped.hold_clock();
            let stopper = stopped.clone();
            stopped.call_soon_threadsafe(move || stopper.stop()).unwrap();
            stopped.call_soon_threadsafe(move || same_turn.add("same turn")).unwrap();
            drop(hold);
        });
        event_loop.run_forever();
        sender.join().unwrap();
        assert_eq!(log.take(), ["same turn"]);
    });
}

/// TSAFE-07. A stop that another thread asks for before the run lets it run exactly one turn.
#[test]
fn stop_before_the_run_lets_one_turn_run() {
    watched(|| {
        let event_loop = virtual_loop();
        let log = Log::default();
        let handle = event_loop.handle();
        thread::spawn(move || handle.stop()).join().unwrap();
        let first = log.clone();
        let callback = move || {
            first.add("first turn");
            drop(call_soon(move || first.add("second turn")).unwrap());
        };
        drop(event_loop.call_soon(callback).unwrap());
        event_loop.run_forever();
        assert_eq!(log.take(), ["first turn"]);
        assert!(event_loop.run_once());
        assert_eq!(log.take(), ["second turn"]);
    });
}

/// TSAFE-07. `try_run_until_complete` says that it was stopped, and the future goes on in the next run.
#[test]
fn stop_from_another_thread_is_the_error_stopped() {
    watched(|| {
        let event_loop = EventLoop::new();
        let handle = event_loop.handle();
        let (promise, future) = create_future();
        let mut future = std::pin::pin!(future);
        let stopper = thread::spawn(move || handle.stop());
        let error = event_loop.try_run_until_complete(future.as_mut()).unwrap_err();
        assert_eq!(error, RunError::Stopped);
        assert_eq!(error.to_string(), "The event loop was stopped before its future completed.");
        stopper.join().unwrap();
        let setter = thread::spawn(move || promise.set_result(7));
        assert_eq!(event_loop.run_until_complete(future), Ok(7));
        setter.join().unwrap();
    });
}

/// TSAFE-07, LOOP-20. A stop of another thread that comes in the last turn of a run is not meant for the next run.
#[test]
fn stop_in_the_last_turn_of_a_run_does_not_reach_the_next() {
    watched(|| {
        let event_loop = virtual_loop();
        let handle = event_loop.handle();
        event_loop.run_until_complete(async {
            // Joined within the turn, which has looked into the inbox already.
            thread::spawn(move || handle.stop()).join().unwrap();
        });
        let next = async {
            yield_now().await;
            yield_now().await;
            7
        };
        assert_eq!(event_loop.try_run_until_complete(next), Ok(7));
    });
}

/// TSAFE-09. A closed loop gives the callback back, unrun and undropped; stop, time and the hold still work.
#[test]
fn closed_loop_gives_the_callback_back() {
    watched(|| {
        let event_loop = virtual_loop();
        let (handle, start) = (event_loop.handle(), event_loop.time());
        event_loop.close();
        let sender = thread::spawn(move || {
            let (drops, calls) = (Drops::new(), Arc::new(AtomicUsize::new(0)));
            let (token, counted) = (drops.token(), calls.clone());
            let callback = move || {
                drop(token);
                counted.fetch_add(1, Ordering::SeqCst);
            };
            let refused = handle.call_soon_threadsafe(callback).unwrap_err();
            assert_eq!(refused.to_string(), "The event loop is closed: schedule callbacks before you close it.");
            assert_eq!(format!("{refused:?}"), "LoopClosed { .. }");
            assert_eq!((drops.count(), calls.load(Ordering::SeqCst)), (0, 0));
            (refused.0)();
            assert_eq!((drops.count(), calls.load(Ordering::SeqCst)), (1, 1));
            handle.stop();
            drop(handle.hold_clock());
            assert_eq!(handle.time(), start);
        });
        sender.join().unwrap();
        drop(event_loop);
    });
}

/// TSAFE-09. A callback that was sent, and has not run when the loop closes, is dropped there, unrun.
#[test]
fn close_drops_sent_callbacks_on_the_loops_thread() {
    watched(|| {
        let event_loop = EventLoop::new();
        let (handle, log) = (event_loop.handle(), Log::default());
        let (sender, receiver) = channel();
        let ran = log.clone();
        let sent = thread::spawn(move || {
            let on_drop = OnDrop(move || sender.send(thread::current().id()).unwrap());
            let callback = move || {
                let _on_drop = on_drop;
                ran.add("ran");
            };
            handle.call_soon_threadsafe(callback).unwrap();
        });
        sent.join().unwrap();
        assert!(receiver.try_recv().is_err());
        event_loop.close();
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [thread::current().id()]);
        assert_eq!(log.take(), [""; 0]);
    });
}

#[track_caller]
fn send_panic(handle: &LoopHandle) -> String {
    handle.call_soon_threadsafe(|| panic!("crash")).unwrap();
    Location::caller().to_string()
}

/// TSAFE-10. A callback that panics is reported, and the next ones run in the same turn.
#[test]
fn panic_of_a_callback_does_not_stop_the_next_ones() {
    let (reports, log) = (Reports::new(), Log::default());
    let event_loop = reports.collect(EventLoop::builder()).build();
    let handle = event_loop.handle();
    let after = log.clone();
    let place = send_panic(&handle);
    handle.call_soon_threadsafe(move || after.add("after")).unwrap();
    assert!(event_loop.run_once());
    assert_eq!(log.take(), ["after"]);
    assert_eq!(reports.take(), [format!("a callback (from {place}) panicked, and nobody joined it: crash")]);
}

fn send_for_ever(handle: &LoopHandle, count: &Arc<AtomicUsize>) {
    count.fetch_add(1, Ordering::SeqCst);
    let (again, counted) = (handle.clone(), count.clone());
    // Refused at the close, which ends the chain.
    let _ = handle.call_soon_threadsafe(move || send_for_ever(&again, &counted));
}

/// TSAFE-11. A callback that sends itself for ever starves neither tasks nor timers: it runs once a turn.
#[test]
fn callback_that_sends_itself_for_ever_starves_nobody() {
    watched(|| {
        let event_loop = virtual_loop();
        let count = Arc::new(AtomicUsize::new(0));
        send_for_ever(&event_loop.handle(), &count);
        let turns = event_loop.run_until_complete(async {
            drop(call_later(Duration::ZERO, || ()).unwrap());
            let before = count.load(Ordering::SeqCst);
            for _ in 0..10 {
                yield_now().await;
            }
            count.load(Ordering::SeqCst) - before
        });
        assert_eq!(turns, 10);
        event_loop.close();
    });
}

/// RUST-04. No wake is lost between "nothing is ready" and "the loop is parked": each round waits for the one before.
#[test]
fn wake_that_meets_a_loop_about_to_park_is_not_lost() {
    const ROUNDS: usize = 3000;
    watched(|| {
        let round = Arc::new(AtomicUsize::new(0));
        let (sender, receiver) = sync_channel::<Waker>(1);
        let counter = round.clone();
        let waker_thread = thread::spawn(move || {
            for waker in receiver {
                counter.fetch_add(1, Ordering::SeqCst);
                waker.wake();
            }
        });
        let event_loop = EventLoop::new();
        event_loop.run_until_complete(async move {
            for number in 0..ROUNDS {
                let mut sent = false;
                poll_fn(|context| {
                    if round.load(Ordering::SeqCst) > number {
                        return Poll::Ready(());
                    }
                    if !std::mem::replace(&mut sent, true) {
                        sender.send(context.waker().clone()).unwrap();
                    }
                    Poll::Pending
                })
                .await;
            }
        });
        waker_thread.join().unwrap();
    });
}

/// RUST-04. A wake of another thread that comes in mid-turn, before the poll of a task that is queued, is answered by
/// that poll.
#[test]
fn wake_in_mid_turn_is_answered_by_the_poll_of_that_turn() {
    watched(|| {
        let event_loop = virtual_loop();
        let gate = Gate::new();
        drop(event_loop.spawn(gate.clone()));
        assert!(event_loop.run_once());
        let (early, late) = (gate.waker().unwrap(), gate.waker().unwrap());
        // In front of the task, which the inbox brings: the late wake comes when the inbox was read.
        drop(event_loop.call_soon(move || thread::spawn(move || late.wake()).join().unwrap()).unwrap());
        early.wake();
        assert!(event_loop.run_once());
        assert_eq!(gate.polls(), 2);
        assert!(!event_loop.run_once());
        assert_eq!(gate.polls(), 2);
    });
}

/// RUST-11. A `LoopHandle` is `Send`, `Sync` and `Clone`; so one handle serves many threads at once.
#[test]
fn one_handle_is_shared_by_threads() {
    fn is_shared<T: Send + Sync + Clone + 'static>() {}
    is_shared::<LoopHandle>();
    watched(|| {
        let (handle, loop_thread) = start(EventLoop::builder());
        thread::scope(|scope| {
            for number in 0..4 {
                let handle = &handle;
                scope.spawn(move || assert_eq!(handle.submit(async move { number }).result().unwrap(), number));
            }
        });
        handle.stop();
        loop_thread.join().unwrap();
    });
}

/// RUST-11. `submit_with` builds a future that is not `Send` on the loop's thread, and it lives and dies there.
#[test]
fn future_that_is_not_send_is_built_on_the_loops_thread() {
    watched(|| {
        let (handle, loop_thread) = start(EventLoop::builder());
        let (sender, receiver) = channel();
        let task = handle.submit_with(move || {
            let built = thread::current().id();
            let dropped = sender.clone();
            let on_drop = OnDrop(move || dropped.send(thread::current().id()).unwrap());
            let count = Rc::new(Cell::new(0));
            async move {
                let _on_drop = on_drop;
                let inner = count.clone();
                let other = spawn(async move { inner.set(inner.get() + 1) });
                yield_now().await;
                other.await.unwrap();
                (built, thread::current().id(), count.get())
            }
        });
        let own = loop_thread.thread().id();
        assert_eq!(task.result().unwrap(), (own, own, 1));
        assert_eq!(receiver.recv(), Ok(own));
        handle.stop();
        loop_thread.join().unwrap();
    });
}

/// Case 25. A submission wakes a loop that has nothing to do.
#[test]
fn submission_wakes_an_idle_loop() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        for number in 0..500 {
            assert_eq!(handle.submit(async move { number }).result().unwrap(), number);
        }
        handle.stop();
        thread.join().unwrap();
    });
}

/// Case 26. A submission starts although the loop is never idle.
#[test]
fn submission_starts_in_a_loop_that_is_never_idle() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        let busy = handle.submit(async {
            loop {
                yield_now().await;
            }
        });
        for number in 0..200 {
            assert_eq!(handle.submit(async move { number }).result().unwrap(), number);
        }
        assert!(!busy.is_finished());
        handle.stop();
        thread.join().unwrap();
    });
}

/// Case 27. 500 tasks, each completed by another thread, all end, in the order in which they were completed.
#[test]
fn five_hundred_tasks_are_completed_by_another_thread() {
    watched(|| {
        let log = Rc::new(std::cell::RefCell::new(Vec::new()));
        let (sender, receiver) = channel();
        let setter = thread::spawn(move || {
            let promises: Vec<handloop::Promise<usize>> = receiver.iter().collect();
            promises.into_iter().enumerate().rev().for_each(|(number, promise)| promise.set_result(number));
        });
        let event_loop = EventLoop::new();
        let sum: usize = event_loop.run_until_complete(async {
            let waiting: Vec<_> = (0..500)
                .map(|_| {
                    let (promise, future) = create_future();
                    sender.send(promise).unwrap();
                    let log = log.clone();
                    spawn(async move {
                        let number = future.await.unwrap();
                        log.borrow_mut().push(number);
                        number
                    })
                })
                .collect();
            // Each task waits before the first promise is kept.
            yield_now().await;
            drop(sender);
            let mut sum = 0;
            for task in waiting {
                sum += task.await.unwrap();
            }
            sum
        });
        setter.join().unwrap();
        assert_eq!(sum, 500 * 499 / 2);
        assert_eq!(*log.borrow(), (0..500).rev().collect::<Vec<_>>());
    });
}

/// `LoopHandle::current` is the running loop, also within a callback, and none outside; its text has the loop's name.
#[test]
fn current_handle_is_that_of_the_running_loop() {
    assert!(LoopHandle::current().is_none());
    let event_loop = EventLoop::builder().name("worker").build();
    assert_eq!(format!("{:?}", event_loop.handle()), r#"LoopHandle { name: "worker", .. }"#);
    event_loop.run_until_complete(async {
        let (sender, receiver) = channel();
        let callback = move || sender.send(format!("{:?}", LoopHandle::current().unwrap())).unwrap();
        LoopHandle::current().unwrap().call_soon_threadsafe(callback).unwrap();
        // The root is ready again before the inbox is looked into, and so a turn ahead of the callback.
        yield_now().await;
        yield_now().await;
        assert_eq!(receiver.try_recv().unwrap(), r#"LoopHandle { name: "worker", .. }"#);
    });
    assert!(LoopHandle::current().is_none());
}

/// While a handle lives the loop waits, since it may yet be sent something; when the last one goes, it is stalled.
#[test]
fn loop_is_stalled_when_the_last_handle_is_dropped_elsewhere() {
    watched(|| {
        for _ in 0..100 {
            let event_loop = EventLoop::new();
            let (handle, log) = (event_loop.handle(), Log::default());
            let sent = log.clone();
            let thread = thread::spawn(move || {
                let other = handle.clone();
                drop(handle);
                other.call_soon_threadsafe(move || sent.add("last words")).unwrap();
            });
            let outcome = event_loop.try_run_until_complete(pending::<()>());
            assert!(matches!(outcome, Err(RunError::Stalled(_))));
            assert_eq!(log.take(), ["last words"]);
            thread.join().unwrap();
        }
    });
}

/// A hold of another thread keeps the loop from starting a turn until it is dropped.
#[test]
fn hold_of_another_thread_keeps_turns_from_starting() {
    watched(|| {
        let event_loop = virtual_loop();
        let (handle, log) = (event_loop.handle(), Log::default());
        let soon = log.clone();
        drop(event_loop.call_soon(move || soon.add("soon")).unwrap());
        let sent = log.clone();
        let (held, is_held) = channel();
        let (release, released) = channel();
        let holder = thread::spawn(move || {
            let (first, second) = (handle.hold_clock(), handle.hold_clock());
            handle.call_soon_threadsafe(move || sent.add("sent")).unwrap();
            drop(first);
            held.send(()).unwrap();
            released.recv().unwrap();
            drop(second);
        });
        is_held.recv().unwrap();
        assert!(!event_loop.run_once());
        assert_eq!(log.take(), [""; 0]);
        release.send(()).unwrap();
        holder.join().unwrap();
        assert!(event_loop.run_once());
        assert_eq!(log.take(), ["soon", "sent"]);
    });
}

/// While a thread holds the clock it stands still, whatever it submits; all of that begins at one moment.
#[test]
fn held_virtual_clock_stands_still() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder().virtual_clock());
        let mut now = handle.time();
        for _ in 0..50 {
            let hold = handle.hold_clock();
            assert_eq!(handle.time(), now);
            let tasks = [2, 1].map(|seconds| {
                handle.submit(async move {
                    handloop::sleep(Duration::from_secs(seconds)).await;
                    time()
                })
            });
            assert_eq!(tasks.each_ref().map(|task| task.is_finished()), [false, false]);
            assert_eq!(handle.time(), now);
            drop(hold);
            let ends = tasks.map(|task| task.result().unwrap() - now);
            assert_eq!(ends, [Duration::from_secs(2), Duration::from_secs(1)]);
            now += Duration::from_secs(2);
        }
        handle.stop();
        thread.join().unwrap();
    });
}

/// A hold that the loop's own thread drops before the next turn is harmless, and keeps nothing.
#[test]
fn hold_of_the_own_thread_is_dropped_within_its_turn() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    event_loop.run_until_complete(async {
        let handle = LoopHandle::current().unwrap();
        let hold = handle.hold_clock();
        assert_eq!(format!("{hold:?}"), "ClockHold { .. }");
        drop(hold);
        handloop::sleep(Duration::from_secs(1)).await;
    });
    assert_eq!(event_loop.time() - start, Duration::from_secs(1));
}

/// A hold of the loop's own thread that outlives its turn is a panic, since nobody else could drop it.
#[test]
fn hold_of_the_own_thread_that_outlives_its_turn_panics() {
    watched(|| {
        let event_loop = virtual_loop();
        let handle = event_loop.handle();
        // A watchdog: it ends the run of a loop that neither panics nor goes on.
        let (over, is_over) = channel::<()>();
        let watchdog = thread::spawn(move || {
            if is_over.recv_timeout(Duration::from_secs(5)).is_err() {
                handle.stop();
            }
        });
        let text = panic_of(|| {
            event_loop.run_until_complete(async {
                let _hold = LoopHandle::current().unwrap().hold_clock();
                yield_now().await;
            });
        });
        over.send(()).unwrap_or(());
        watchdog.join().unwrap();
        let expected = "a ClockHold taken on the loop's own thread keeps the loop from its next turn, and only that \
                        turn could drop it: drop the hold before you await or run the loop";
        assert_eq!(text, expected);
    });
}
