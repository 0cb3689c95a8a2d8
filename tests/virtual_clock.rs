//! The virtual clock: it stands while anything can run, jumps exactly to the next deadline when nothing can, and never
//! while a job is out or a `ClockHold` lives.
mod common;

use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use common::{CountingWaker, Gate, Trace, panic_of, virtual_loop, watched};
use handloop::{
    Elapsed, EventLoop, LoopHandle, RunError, call_at, call_later, call_soon, run_in_executor, sleep, spawn, time,
    timeout, yield_now,
};

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// TIME-02. SLP-04. The clock jumps from deadline to deadline, in their order, and shows each exactly.
#[test]
fn clock_shows_each_deadline_exactly() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let trace = Trace::new();
    for nanos in [7, 1_000_000_007, 2, 86_400_000_000_000, 3] {
        let trace = trace.clone();
        event_loop
            .call_later(Duration::from_nanos(nanos), move || trace.add((time() - start).as_nanos().to_string()))
            .unwrap();
    }
    event_loop.run_until_complete(sleep(seconds(100_000)));
    assert_eq!(trace.take(), ["2", "3", "7", "1000000007", "86400000000000"]);
    assert_eq!(event_loop.time() - start, seconds(100_000));
}

/// TIME-03. Equal deadlines are one jump: what waits for them runs in one turn, in the order of registration.
#[test]
fn equal_deadlines_are_one_jump_in_order_of_registration() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    for name in 0..5 {
        let trace = trace.clone();
        event_loop
            .call_later(seconds(1), move || {
                trace.add(format!("first {name}"));
                call_soon(move || trace.add(format!("then {name}"))).unwrap();
            })
            .unwrap();
    }
    event_loop.run_until_complete(sleep(seconds(2)));
    let expected: Vec<String> =
        ["first", "then"].iter().flat_map(|w| (0..5).map(move |n| format!("{w} {n}"))).collect();
    assert_eq!(trace.take(), expected);
}

/// The clock stands still while anything is runnable, however near the next deadline is.
#[test]
fn clock_stands_while_anything_is_runnable() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    event_loop.run_until_complete(async {
        let fired = call_later(Duration::from_nanos(1), || {}).unwrap();
        for _ in 0..1000 {
            yield_now().await;
            assert_eq!(time(), start);
        }
        let mut later = start;
        for _ in 0..1000 {
            call_soon(|| {}).unwrap();
            yield_now().await;
            later = time();
        }
        assert_eq!(later, start);
        assert!(!fired.cancelled());
        // Woken each other, two tasks keep the clock where it is as well.
        let (first, second) = (spawn(async { (yield_now().await, time()).1 }), spawn(async { time() }));
        assert_eq!((first.await.unwrap(), second.await.unwrap()), (start, start));
        sleep(Duration::from_nanos(2)).await;
        assert_eq!(time() - start, Duration::from_nanos(2));
    });
}

/// What a deadline wakes runs, and all that becomes ready by it, before the clock jumps again.
#[test]
fn one_moment_is_settled_before_the_next() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let trace = Trace::new();
    event_loop.run_until_complete(async {
        let tasks = [1, 2].map(|nanos| {
            let trace = trace.clone();
            spawn(async move {
                sleep(Duration::from_nanos(nanos)).await;
                for step in 0..3 {
                    trace.add(format!("{nanos}.{step} at {}", (time() - start).as_nanos()));
                    yield_now().await;
                }
            })
        });
        handloop::gather(tasks).await.unwrap();
    });
    assert_eq!(trace.take(), ["1.0 at 1", "1.1 at 1", "1.2 at 1", "2.0 at 2", "2.1 at 2", "2.2 at 2"]);
}

/// A poll takes no time: however long it lasts, the clock shows the same before and after.
#[test]
fn poll_takes_no_time_real_time() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    event_loop.run_until_complete(async {
        thread::sleep(Duration::from_millis(3));
        assert_eq!(time(), start);
        sleep(Duration::from_millis(1)).await;
        assert_eq!(time() - start, Duration::from_millis(1));
    });
}

/// The clock stands between the runs, and goes on in the next from where it stood.
#[test]
fn clock_stands_between_the_runs() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let sleeper = event_loop.spawn(sleep(seconds(10)));
    event_loop.run_until_complete(sleep(seconds(4)));
    assert_eq!(event_loop.time() - start, seconds(4));
    assert_eq!(event_loop.time() - start, seconds(4));
    event_loop.run_until_complete(sleeper).unwrap();
    assert_eq!(event_loop.time() - start, seconds(10), "it was first polled in the run before");
    event_loop.close();
    assert_eq!(event_loop.time() - start, seconds(10));
}

/// LOOP-16. A run that is done leaves the clock where it is: it does not serve the deadlines of what is left.
#[test]
fn end_of_the_run_leaves_later_deadlines_alone() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    event_loop.run_until_complete(async {
        drop(spawn(sleep(seconds(5))));
        sleep(seconds(1)).await;
    });
    assert_eq!(event_loop.time() - start, seconds(1));
    assert_eq!(event_loop.all_tasks().len(), 1);
}

/// Two loops have two clocks.
#[test]
fn each_loop_has_its_own_clock() {
    let (first, second) = (virtual_loop(), virtual_loop());
    let (first_start, second_start) = (first.time(), second.time());
    first.run_until_complete(sleep(seconds(1000)));
    assert_eq!((first.time() - first_start, second.time()), (seconds(1000), second_start));
}

/// A sleep or timer that was cancelled is no deadline: the clock passes it by.
#[test]
fn clock_does_not_jump_to_cancelled_deadlines() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let trace = Trace::new();
    event_loop.run_until_complete(async {
        let mut dropped = Box::pin(sleep(seconds(1)));
        poll_fn(|context| {
            assert!(dropped.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        drop(dropped);
        call_later(seconds(2), || unreachable!()).unwrap().cancel();
        assert_eq!(timeout(seconds(3), async { 1 }).await, Ok(1));
        let cancelled = spawn(sleep(seconds(4)));
        yield_now().await;
        cancelled.cancel();
        let seen = trace.clone();
        call_later(seconds(6), move || seen.add(format!("at {}", (time() - start).as_secs()))).unwrap();
        sleep(seconds(7)).await;
    });
    assert_eq!(trace.take(), ["at 6"]);
    assert_eq!(event_loop.time() - start, seconds(7));
    // The last deadline of all was cancelled: there is nothing to jump to.
    let outcome = event_loop.try_run_until_complete(async {
        call_later(seconds(1), || unreachable!()).unwrap().cancel();
        pending::<()>().await;
    });
    assert!(matches!(outcome, Err(RunError::Stalled(_))));
    assert_eq!(event_loop.time() - start, seconds(7));
}

/// Case 105. A sleep that nobody polls is no deadline.
#[test]
fn sleep_never_polled_is_no_deadline() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    event_loop.run_until_complete(async {
        let unpolled = sleep(seconds(1));
        sleep(seconds(2)).await;
        assert_eq!(time() - start, seconds(2));
        // Its deadline has passed meanwhile.
        unpolled.await;
        assert_eq!(time() - start, seconds(2));
    });
}

/// Case 102. TIME-04. Zero and past deadlines do not move the clock, neither forward nor back.
#[test]
fn past_deadlines_do_not_move_the_clock() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let trace = Trace::new();
    event_loop.run_until_complete(async {
        sleep(seconds(5)).await;
        let at = |name: &'static str, when: Instant| {
            let trace = trace.clone();
            call_at(when, move || trace.add(format!("{name} at {}", (time() - start).as_secs()))).unwrap();
        };
        at("2 s", start + seconds(2));
        at("1 s", start + seconds(1));
        at("now", time());
        sleep(Duration::ZERO).await;
        yield_now().await;
        yield_now().await;
    });
    assert_eq!(trace.take(), ["1 s at 5", "2 s at 5", "now at 5"]);
    assert_eq!(event_loop.time() - start, seconds(5));
}

/// `run_once` does not move the clock: it settles the present moment. Deadlines of this moment it serves.
#[test]
fn run_once_does_not_move_the_clock() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let trace = Trace::new();
    let task = {
        let trace = trace.clone();
        event_loop.spawn(async move {
            sleep(Duration::ZERO).await;
            trace.add("zero");
            yield_now().await;
            sleep(Duration::from_nanos(1)).await;
            trace.add("one");
        })
    };
    let now = trace.clone();
    event_loop.call_at(start, move || now.add("now")).unwrap();
    let mut turns = 0;
    while event_loop.run_once() {
        turns += 1;
    }
    assert!(turns <= 3, "{turns}");
    for _ in 0..100 {
        assert!(!event_loop.run_once());
    }
    assert_eq!((trace.take(), event_loop.time()), (vec!["zero".to_owned(), "now".to_owned()], start));
    event_loop.run_until_complete(task).unwrap();
    assert_eq!((trace.take(), event_loop.time() - start), (vec!["one".to_owned()], Duration::from_nanos(1)));
}

/// Case 103. TIME-10. `Duration::MAX` never comes: other deadlines do, up to the last that can be expressed.
#[test]
fn duration_max_never_comes() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    event_loop.run_until_complete(async {
        let endless = spawn(sleep(Duration::MAX));
        let callback = call_later(Duration::MAX, || unreachable!()).unwrap();
        assert_eq!(callback.when(), None);
        assert_eq!(timeout(seconds(1_000_000_000), pending::<()>()).await, Err(Elapsed));
        assert_eq!(timeout(Duration::MAX, async { 1 }).await, Ok(1));
        assert!(!endless.is_finished());
        endless.cancel();
    });
    assert_eq!(event_loop.time() - start, seconds(1_000_000_000));
}

/// Case 103. A deadline near the end of what can be expressed is met exactly; from there every longer one never comes.
#[test]
fn deadlines_at_the_end_of_time_do_not_overflow() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    // The longest that can be expressed, to a second.
    let (mut fits, mut too_long) = (0_u64, u64::MAX);
    while too_long - fits > 1 {
        let middle = fits + (too_long - fits) / 2;
        if start.checked_add(seconds(middle)).is_some() { fits = middle } else { too_long = middle }
    }
    event_loop.run_until_complete(sleep(seconds(fits)));
    assert_eq!(event_loop.time() - start, seconds(fits));
    let outcome = event_loop.try_run_until_complete(sleep(seconds(10)));
    assert!(matches!(outcome, Err(RunError::Stalled(_))));
    assert_eq!(event_loop.run_until_complete(timeout(seconds(10), async { 1 })), Ok(1));
    assert_eq!(event_loop.time() - start, seconds(fits));
}

/// With a real thread: the clock does not jump while a job is out, and once it is over it does.
#[test]
fn clock_stands_while_a_job_is_out_real_time() {
    watched(|| {
        for is_awaited in [true, false] {
            let event_loop = virtual_loop();
            let start = event_loop.time();
            event_loop.run_until_complete(async move {
                let (fired, has_fired) = channel();
                let sleeper = spawn(async move {
                    sleep(Duration::from_nanos(1)).await;
                    let _ = fired.send(());
                    time()
                });
                let handle = LoopHandle::current().unwrap();
                let job = run_in_executor(move || {
                    assert_eq!(has_fired.recv_timeout(Duration::from_millis(5)), Err(RecvTimeoutError::Timeout));
                    handle.time()
                });
                if is_awaited {
                    assert_eq!(job.await.unwrap(), start);
                    assert_eq!(time(), start, "who awaits the job comes before the jump");
                } else {
                    drop(job);
                }
                assert_eq!(sleeper.await.unwrap() - start, Duration::from_nanos(1));
            });
        }
    });
}

/// With real threads, many times: the result of a job is there before the clock jumps again, at whatever moment it comes.
#[test]
fn result_of_a_job_comes_before_the_jump() {
    watched(|| {
        let event_loop = virtual_loop();
        let start = event_loop.time();
        for round in 0..500 {
            let outcome = event_loop.run_until_complete(async {
                // Both begin with the flag, so that the job ends about when the loop has nothing left to run.
                let (started, goes) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
                let (is_started, go) = (started.clone(), goes.clone());
                let job = run_in_executor(move || {
                    started.store(true, Ordering::Release);
                    let mut looks = 0;
                    while !goes.load(Ordering::Acquire) {
                        looks += 1;
                        if looks % 100 == 0 { thread::yield_now() } else { std::hint::spin_loop() }
                    }
                    (0..round % 50).for_each(|_| std::hint::spin_loop());
                });
                while !is_started.load(Ordering::Acquire) {
                    thread::yield_now();
                }
                go.store(true, Ordering::Release);
                timeout(Duration::from_nanos(1), job).await
            });
            assert!(matches!(outcome, Ok(Ok(()))), "{round}");
        }
        assert_eq!(event_loop.time(), start);
    });
}

/// With real threads: of several jobs each counts.
#[test]
fn clock_stands_until_the_last_job_is_over() {
    watched(|| {
        let event_loop = virtual_loop();
        let start = event_loop.time();
        let trace = Trace::new();
        event_loop.run_until_complete(async {
            let ((to_first, first), (to_second, second)) = (channel::<()>(), channel::<()>());
            let jobs =
                [run_in_executor(move || first.recv().unwrap()), run_in_executor(move || second.recv().unwrap())];
            let sleeper = {
                let trace = trace.clone();
                spawn(async move {
                    sleep(seconds(1)).await;
                    trace.add("sleep");
                })
            };
            to_first.send(()).unwrap();
            let [first, second] = jobs;
            first.await.unwrap();
            trace.add("first job");
            to_second.send(()).unwrap();
            second.await.unwrap();
            trace.add("second job");
            assert_eq!(time(), start);
            sleeper.await.unwrap();
        });
        assert_eq!(trace.take(), ["first job", "second job", "sleep"]);
        assert_eq!(event_loop.time() - start, seconds(1));
    });
}

/// With a real thread: what is submitted under a `ClockHold` is one moment. Sleeps of 6 s and 4 s, submitted one after
/// the other, begin together, and end 6 s later.
#[test]
fn submissions_under_a_clock_hold_are_one_moment() {
    watched(|| {
        for _ in 0..500 {
            let event_loop = virtual_loop();
            let handle = event_loop.handle();
            let start = event_loop.time();
            let thread = thread::spawn(move || {
                let hold = handle.hold_clock();
                let mut tasks = [6, 4].map(|n| {
                    let submitted = handle.submit(async move {
                        let begun = time();
                        sleep(seconds(n)).await;
                        (begun - start, time() - start)
                    });
                    thread::yield_now();
                    submitted
                });
                assert_eq!(handle.time(), start);
                drop(hold);
                let times = tasks.each_mut().map(|task| task.result().unwrap());
                handle.stop();
                times
            });
            event_loop.run_forever();
            let times = thread.join().unwrap();
            assert_eq!(times, [(Duration::ZERO, seconds(6)), (Duration::ZERO, seconds(4))]);
            assert_eq!(event_loop.time() - start, seconds(6));
        }
    });
}

/// With a real thread: while a hold lives the loop starts no turn and its clock does not jump; each of several holds
/// counts.
#[test]
fn held_loop_starts_no_turn_real_time() {
    watched(|| {
        let event_loop = virtual_loop();
        let handle = event_loop.handle();
        let start = event_loop.time();
        let (ran, has_run) = channel();
        let (held, is_held) = channel();
        let thread = thread::spawn(move || {
            let holds = [handle.hold_clock(), handle.hold_clock()];
            held.send(()).unwrap();
            let ran_now = ran.clone();
            handle.call_soon_threadsafe(move || ran_now.send("callback").unwrap()).unwrap();
            drop(handle.submit(async move {
                sleep(seconds(1)).await;
                ran.send("sleep").unwrap();
            }));
            for hold in holds {
                assert_eq!(has_run.recv_timeout(Duration::from_millis(3)), Err(RecvTimeoutError::Timeout));
                assert_eq!(handle.time(), start);
                drop(hold);
            }
            assert_eq!([has_run.recv().unwrap(), has_run.recv().unwrap()], ["callback", "sleep"]);
            handle.stop();
        });
        is_held.recv().unwrap();
        event_loop.run_forever();
        thread.join().unwrap();
        assert_eq!(event_loop.time() - start, seconds(1));
    });
}

/// With a real thread: a held loop's `run_once` runs nothing and does not block; after the hold it runs what came.
#[test]
fn run_once_of_a_held_loop_runs_nothing() {
    watched(|| {
        let event_loop = virtual_loop();
        let handle = event_loop.handle();
        let trace = Trace::new();
        let callback = trace.clone();
        event_loop.call_soon(move || callback.add("ran")).unwrap();
        let ((held, is_held), (release, is_released)) = (channel(), channel::<()>());
        let thread = thread::spawn(move || {
            let hold = handle.hold_clock();
            held.send(()).unwrap();
            is_released.recv().unwrap();
            drop(hold);
        });
        is_held.recv().unwrap();
        assert!(!event_loop.run_once());
        assert_eq!(trace.take(), [""; 0]);
        release.send(()).unwrap();
        thread.join().unwrap();
        assert!(event_loop.run_once());
        assert_eq!(trace.take(), ["ran"]);
    });
}

/// A hold of the loop's own thread that is dropped within the same poll does nothing but stand for itself.
#[test]
fn own_hold_dropped_before_the_next_turn_is_allowed() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    event_loop.run_until_complete(async {
        let handle = LoopHandle::current().unwrap();
        let hold = handle.hold_clock();
        let tasks = [6, 4].map(|n| spawn(sleep(seconds(n))));
        drop(hold);
        handloop::gather(tasks).await.unwrap();
    });
    assert_eq!(event_loop.time() - start, seconds(6));
}

const OWN_HOLD: &str = "a ClockHold taken on the loop's own thread keeps the loop from its next turn, and only that turn \
                        could drop it: drop the hold before you await or run the loop";

/// A hold of the loop's own thread that is kept across a turn panics instead of hanging.
#[test]
fn own_hold_kept_across_a_turn_panics() {
    watched(|| {
        let event_loop = virtual_loop();
        let text = panic_of(|| {
            event_loop.run_until_complete(async {
                let _hold = LoopHandle::current().unwrap().hold_clock();
                yield_now().await;
            });
        });
        assert_eq!(text, OWN_HOLD);
        // The hold went with its future: the loop runs again.
        assert!(!event_loop.is_running());
        assert_eq!(event_loop.run_until_complete(async { 1 }), 1);
    });
}

/// The same for a hold that was taken before the run; dropped, it lets the loop run.
#[test]
fn own_hold_kept_into_a_run_panics() {
    watched(|| {
        let event_loop = virtual_loop();
        let hold = event_loop.handle().hold_clock();
        assert!(!event_loop.run_once());
        assert_eq!(panic_of(|| event_loop.run_until_complete(async {})), OWN_HOLD);
        assert_eq!(panic_of(|| event_loop.run_forever()), OWN_HOLD);
        drop(hold);
        assert_eq!(event_loop.run_until_complete(async { 1 }), 1);
    });
}

/// Wakes a thread that blocks.
struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// With a real thread, many times: a sleep of this loop that is first polled on another thread is a deadline like any
/// other. The parked loop jumps to it, and wakes that thread.
#[test]
fn sleep_polled_on_another_thread_lets_the_clock_jump() {
    watched(|| {
        for _ in 0..500 {
            let event_loop = virtual_loop();
            let start = event_loop.time();
            let (send, receive) = channel::<(handloop::Sleep, LoopHandle)>();
            let thread = thread::spawn(move || {
                let (mut sleep, handle) = receive.recv().unwrap();
                let waker = Waker::from(Arc::new(Unpark(thread::current())));
                while Pin::new(&mut sleep).poll(&mut Context::from_waker(&waker)).is_pending() {
                    thread::park();
                }
                let now = handle.time();
                handle.stop();
                now
            });
            event_loop
                .call_soon(move || send.send((sleep(seconds(3)), LoopHandle::current().unwrap())).unwrap())
                .unwrap();
            event_loop.run_forever();
            assert_eq!(thread.join().unwrap() - start, seconds(3));
        }
    });
}

/// With a real thread: `time` and the handle's `time` show the same, also after the end of the loop.
#[test]
fn handle_reads_the_clock_from_another_thread() {
    watched(|| {
        let event_loop = virtual_loop();
        let start = event_loop.time();
        let handle = event_loop.handle();
        event_loop.run_until_complete(sleep(seconds(9)));
        drop(event_loop);
        let seen = thread::spawn(move || handle.time()).join().unwrap();
        assert_eq!(seen - start, seconds(9));
    });
}

/// Case 107. CANC-17. A sleep that is dropped lets its waker go at once; polled again and again it has one.
#[test]
fn dropped_sleep_lets_its_waker_go() {
    let event_loop = virtual_loop();
    let (counter, waker) = CountingWaker::new();
    event_loop.run_until_complete(async {
        let mut one = Box::pin(sleep(seconds(1)));
        for _ in 0..3 {
            assert!(one.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            assert_eq!(Arc::strong_count(&counter), 3);
        }
        drop(one);
        assert_eq!(Arc::strong_count(&counter), 2);
        sleep(seconds(2)).await;
    });
    assert_eq!(counter.wakes(), 0);
}

/// TIME-07. Crowds of sleeps that are alive together, and dropped in another order than they came, leave those that
/// stay: each wakes once, at its own time.
#[test]
fn dropped_crowds_leave_the_other_deadlines_in_order() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let (counter, waker) = CountingWaker::new();
    let ends = event_loop.run_until_complete(async {
        let mut crowd: Vec<_> = (0..2000_u64).map(|n| Some(Box::pin(sleep(seconds(1 + n * 7919 % 2000))))).collect();
        for one in crowd.iter_mut().flatten() {
            assert!(one.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        let mut kept = Vec::new();
        for n in 0..2000 {
            let index = n * 1021 % 2000;
            let one = crowd[index].take().unwrap();
            if n % 100 == 0 {
                kept.push((1 + index as u64 * 7919 % 2000, one));
            }
        }
        assert_eq!(Arc::strong_count(&counter), 2 + 20);
        let tasks: Vec<_> = kept
            .into_iter()
            .map(|(due, one)| {
                spawn(async move {
                    one.await;
                    assert_eq!(time() - start, seconds(due));
                    due
                })
            })
            .collect();
        handloop::gather(tasks).await.unwrap()
    });
    assert_eq!(event_loop.time() - start, seconds(*ends.iter().max().unwrap()));
    assert_eq!(counter.wakes(), 0, "each sleep wakes the task that polled it last");
}

/// The virtual clock starts at the time at which its loop was built, and never goes back, also where a poll lasts.
#[test]
fn clock_starts_at_the_present() {
    let before = Instant::now();
    let event_loop = EventLoop::builder().virtual_clock().build();
    let start = event_loop.time();
    assert!(before <= start && start <= Instant::now());
}

/// A wake of the loop's own comes before the jump, whoever makes it: a task that waits for a gate is polled at the time
/// at which the gate opens.
#[test]
fn wake_of_a_timer_is_settled_at_its_own_time() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let gate = Rc::new(Gate::new());
    event_loop.run_until_complete(async {
        let opener = gate.clone();
        call_later(seconds(1), move || opener.open()).unwrap();
        call_later(seconds(1) + Duration::from_nanos(1), || {}).unwrap();
        (*gate).clone().await;
        assert_eq!(time() - start, seconds(1));
    });
}
