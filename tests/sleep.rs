//! Sleeps and timeouts: their times, their wakers, their one timer thread, on loops and on other executors.

mod common;

use std::cell::Cell;
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use common::{CountingWaker, Drops, Gate, OnDrop, Trace, block_on, panic_of, virtual_loop, watched};
use handloop::{
    Elapsed, EventLoop, RunError, Sleep, StallReport, TaskState, call_at, create_future, current_task, gather, sleep,
    spawn, time, timeout, yield_now,
};

const NOTHING: [&str; 0] = [];

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Runs a future in a loop with a virtual clock; with its output, how long it took.
fn timed<T>(future: impl Future<Output = T>) -> (T, Duration) {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let output = event_loop.run_until_complete(future);
    (output, event_loop.time() - start)
}

/// Runs a loop until nothing is left that could happen.
fn run_to_the_end(event_loop: &EventLoop) -> StallReport {
    match event_loop.try_run_until_complete(pending::<()>()) {
        Err(RunError::Stalled(report)) => report,
        other => panic!("this must stall: {other:?}"),
    }
}

/// A sleep that follows the clock of this loop, and was never polled.
fn made_inside(event_loop: &EventLoop, duration: Duration) -> Sleep {
    event_loop.run_until_complete(poll_fn(|_| Poll::Ready(sleep(duration))))
}

fn poll_once<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Tells a channel of each wake.
struct Tells(Sender<()>);

impl Wake for Tells {
    fn wake(self: Arc<Self>) {
        let _ = self.0.send(());
    }
}

/// Runs `test` in a process of its own, where no other test has threads.
#[cfg(target_os = "linux")]
fn alone(name: &str, test: impl FnOnce() + Send + 'static) {
    const CHILD: &str = "HANDLOOP_TEST_ALONE";
    if std::env::var(CHILD).is_ok_and(|child| child == name) {
        return watched(test);
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, name)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

/// The threads of this process.
#[cfg(target_os = "linux")]
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// Waits until as many threads are left; a thread that never ends trips the watchdog. A joined thread may be listed for
/// a moment longer.
#[cfg(target_os = "linux")]
fn await_threads(count: usize) {
    while threads() != count {
        thread::yield_now();
    }
}

// Turns.

/// SLP-01, TASK-16. `yield_now` takes exactly one turn: two tasks that yield alternate strictly.
#[test]
fn tasks_that_yield_alternate_strictly() {
    let event_loop = EventLoop::new();
    let trace = Trace::new();
    for name in ["a", "b"] {
        let trace = trace.clone();
        drop(event_loop.spawn(async move {
            for n in 0..3 {
                trace.add(format!("{name}{n}"));
                yield_now().await;
            }
        }));
    }
    let mut turns = 0;
    while event_loop.run_once() {
        turns += 1;
    }
    assert_eq!(trace.take(), ["a0", "b0", "a1", "b1", "a2", "b2"]);
    assert_eq!(turns, 4);
}

/// SLP-01. `yield_now` is pending once, wakes once, and is ready from then on.
#[test]
fn yield_is_pending_once() {
    let (counter, waker) = CountingWaker::new();
    let mut yields = yield_now();
    assert_eq!(poll_once(&mut yields, &waker), Poll::Pending);
    assert_eq!(counter.wakes(), 1);
    assert_eq!(poll_once(&mut yields, &waker), Poll::Ready(()));
    assert_eq!(counter.wakes(), 1);
    block_on(yield_now());
}

/// SLP-02, case 102. A sleep of no time is ready at its first poll: the next turn is not waited for.
#[test]
fn zero_sleep_is_ready_at_once() {
    let trace = Trace::new();
    let (polls, took) = timed(async {
        let inner = trace.clone();
        drop(spawn(async move { inner.add("another task") }));
        sleep(Duration::ZERO).await;
        trace.add("after the sleep");
        let polls = current_task().unwrap().polls;
        yield_now().await;
        polls
    });
    assert_eq!(trace.take(), ["after the sleep", "another task"]);
    assert_eq!((polls, took), (1, Duration::ZERO));
    let (_, waker) = CountingWaker::new();
    assert_eq!(poll_once(&mut sleep(Duration::ZERO), &waker), Poll::Ready(()));
}

/// Case 102. A sleep whose deadline has passed is ready at its first poll.
#[test]
fn sleep_past_its_deadline_is_ready_at_its_first_poll() {
    let (polls, took) = timed(async {
        let mut overdue = sleep(seconds(1));
        sleep(seconds(3)).await;
        let (counter, waker) = CountingWaker::new();
        assert_eq!(poll_once(&mut overdue, &waker), Poll::Ready(()));
        assert_eq!(Arc::strong_count(&counter), 2, "nothing keeps the waker");
        current_task().unwrap().polls
    });
    assert_eq!((polls, took), (2, seconds(3)));
}

/// A sleep that is over stays over, however often it is polled.
#[test]
fn sleep_that_is_over_stays_over() {
    timed(async {
        let mut nap = sleep(seconds(1));
        (&mut nap).await;
        (&mut nap).await;
    });
}

/// TIME-01, case 101. At the root and in a task a sleep lasts exactly its time on a virtual clock.
#[test]
fn sleep_lasts_exactly_its_time() {
    let nanos = Duration::from_nanos;
    assert_eq!(timed(async { sleep(nanos(1)).await }).1, nanos(1));
    assert_eq!(timed(async { spawn(sleep(seconds(3))).await.unwrap() }).1, seconds(3));
    let both = timed(async {
        let task = spawn(sleep(seconds(3)));
        sleep(seconds(2)).await;
        let start = time();
        task.await.unwrap();
        time() - start
    });
    assert_eq!(both, (seconds(1), seconds(3)));
}

/// TIME-01, case 101. On a real clock a sleep is never early, at the root and in a task.
#[test]
fn sleep_is_never_early_in_real_time() {
    watched(|| {
        let event_loop = EventLoop::new();
        for n in 0..10 {
            let duration = Duration::from_micros(311 * n);
            event_loop.run_until_complete(async {
                let start = Instant::now();
                sleep(duration).await;
                assert!(start.elapsed() >= duration);
                let elapsed = spawn(async move {
                    let start = Instant::now();
                    sleep(duration).await;
                    start.elapsed()
                });
                assert!(elapsed.await.unwrap() >= duration);
            });
        }
    });
}

/// SLP-04, TIME-02. Sleeps end in the order of their deadlines.
#[test]
fn sleeps_end_by_deadline() {
    let trace = Trace::new();
    let ((), took) = timed(async {
        let tasks = [3, 1, 5, 2, 4].map(|n| {
            let trace = trace.clone();
            spawn(async move {
                let start = time();
                sleep(seconds(n)).await;
                trace.add(format!("{n} after {:?}", time() - start));
            })
        });
        gather(tasks).await.unwrap();
    });
    assert_eq!(trace.take(), ["1 after 1s", "2 after 2s", "3 after 3s", "4 after 4s", "5 after 5s"]);
    assert_eq!(took, seconds(5));
}

/// TIME-03. Sleeps with equal deadlines end in the order of their first polls, in one turn.
#[test]
fn sleeps_with_equal_deadlines_end_in_the_order_of_their_first_polls() {
    let trace = Trace::new();
    timed(async {
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let trace = trace.clone();
                spawn(async move {
                    sleep(seconds(1)).await;
                    trace.add(format!("{n}"));
                    yield_now().await;
                    trace.add(format!("{n} again"));
                })
            })
            .collect();
        gather(tasks).await.unwrap();
    });
    let expected: Vec<String> = (0..8).map(|n| n.to_string()).chain((0..8).map(|n| format!("{n} again"))).collect();
    assert_eq!(trace.take(), expected);
}

/// SLP-03. A thousand sleeps of 50 ms together take 50 ms.
#[test]
fn a_thousand_sleeps_take_as_long_as_one() {
    let ((), took) = timed(async {
        let tasks: Vec<_> = (0..1000).map(|_| spawn(sleep(millis(50)))).collect();
        gather(tasks).await.unwrap();
    });
    assert_eq!(took, millis(50));
}

/// SLP-05, RUST-12. Inside a loop the deadline counts from the call, not from the first poll.
#[test]
fn deadline_counts_from_the_call_inside_a_loop() {
    let ((), took) = timed(async {
        let nap = sleep(seconds(2));
        sleep(seconds(1)).await;
        nap.await;
    });
    assert_eq!(took, seconds(2));
}

/// SLP-05, RUST-12. A sleep made outside any loop counts from its first poll, on the clock of the loop that polls it.
#[test]
fn deadline_of_a_sleep_made_outside_counts_from_its_first_poll() {
    let (nap, unused) = (sleep(seconds(2)), sleep(seconds(2)));
    let ((), took) = timed(async {
        sleep(seconds(1)).await;
        nap.await;
    });
    assert_eq!(took, seconds(3));
    drop(unused);
}

/// TIME-10, case 103. A sleep of `Duration::MAX` neither overflows nor ends, nor takes a virtual clock anywhere.
#[test]
fn endless_sleep_never_ends() {
    watched(|| {
        let (result, took) = timed(timeout(seconds(5), async { sleep(Duration::MAX).await }));
        assert_eq!((result, took), (Err(Elapsed), seconds(5)));
        let event_loop = virtual_loop();
        let start = event_loop.time();
        let report = match event_loop.try_run_until_complete(sleep(Duration::MAX)) {
            Err(RunError::Stalled(report)) => report,
            other => panic!("this must stall: {other:?}"),
        };
        assert_eq!((report.tasks.len(), event_loop.time()), (1, start));
        EventLoop::new().run_until_complete(async {
            let task = spawn(sleep(Duration::MAX));
            sleep(millis(1)).await;
            assert_eq!(task.state(), TaskState::Waiting);
        });
        let (counter, waker) = CountingWaker::new();
        assert_eq!(poll_once(&mut sleep(Duration::MAX), &waker), Poll::Pending);
        assert_eq!(counter.wakes(), 0);
    });
}

/// TIME-10, case 103. Deadlines close to the greatest that can be expressed overflow nothing.
#[test]
fn deadlines_close_to_the_greatest_overflow_nothing() {
    watched(|| {
        // The greatest delay that the clock can express from now.
        let now = Instant::now();
        let (mut fits, mut too_long) = (Duration::ZERO, Duration::MAX);
        while too_long - fits > seconds(1) {
            let middle = fits + (too_long - fits) / 2;
            if now.checked_add(middle).is_some() { fits = middle } else { too_long = middle }
        }
        let close = [fits - seconds(1000), fits, fits + seconds(1), fits + seconds(1000), Duration::MAX - seconds(1)];
        for duration in close {
            EventLoop::new().run_until_complete(async {
                let task = spawn(sleep(duration));
                sleep(millis(1)).await;
                assert_eq!(task.state(), TaskState::Waiting);
                assert!(task.cancel());
            });
            let (_, waker) = CountingWaker::new();
            assert_eq!(poll_once(&mut sleep(duration), &waker), Poll::Pending);
        }
        let far = fits - seconds(1000);
        assert_eq!(timed(sleep(far)).1, far);
    });
}

/// TIME-11. A sleep whose loop was blocked past its deadline ends late, and is not skipped.
#[test]
fn sleep_of_a_blocked_loop_ends_late_in_real_time() {
    watched(|| {
        EventLoop::new().run_until_complete(async {
            let start = Instant::now();
            let task = spawn(sleep(millis(1)));
            yield_now().await;
            thread::sleep(millis(4)); // blocks the loop past the deadline
            task.await.unwrap();
            assert!(start.elapsed() >= millis(4));
        });
    });
}

/// TIME-08. A sleep is polled twice at most: when it begins and when it is over.
#[test]
fn sleeping_root_is_polled_twice_at_most_in_real_time() {
    watched(|| {
        let polls = EventLoop::new().run_until_complete(async {
            sleep(millis(20)).await;
            current_task().unwrap().polls
        });
        assert!(polls <= 2, "{polls}");
    });
}

/// TIME-08. An idle loop waits without spinning: while it sleeps, its thread uses less than a tenth of the time.
#[test]
#[cfg(target_os = "linux")]
fn idle_loop_does_not_spin_in_real_time() {
    /// Of this thread; no time where the kernel does not count it.
    fn used() -> Duration {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        Duration::from_nanos(text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default())
    }
    watched(|| {
        let event_loop = EventLoop::new();
        let handle = event_loop.handle();
        event_loop.run_until_complete(yield_now());
        let (start, before) = (Instant::now(), used());
        event_loop.run_until_complete(sleep(millis(40)));
        let (took, used) = (start.elapsed(), used() - before);
        assert!(used < took / 10, "{used:?} of {took:?}");
        drop(handle);
    });
}

/// TIME-13, RUST-12, case 106. An earlier deadline inserted while the timer thread waits for a later one ends in time.
#[test]
fn earlier_deadline_ends_first_in_real_time() {
    watched(|| {
        EventLoop::new().run_until_complete(async {
            let far = spawn(sleep(seconds(100_000)));
            for n in [4, 3, 2, 1] {
                let start = Instant::now();
                sleep(millis(n)).await;
                assert!(start.elapsed() >= millis(n));
            }
            assert_eq!(far.state(), TaskState::Waiting);
        });
    });
}

/// TIME-13, RUST-12, case 106. The same for the timers of the process, which serve other executors.
#[test]
fn earlier_deadline_ends_first_on_another_executor_in_real_time() {
    watched(|| {
        let (counter, waker) = CountingWaker::new();
        let mut far = sleep(seconds(100_000));
        assert_eq!(poll_once(&mut far, &waker), Poll::Pending);
        for n in [3, 2, 1] {
            let start = Instant::now();
            block_on(sleep(millis(n)));
            assert!(start.elapsed() >= millis(n));
        }
        assert_eq!(counter.wakes(), 0);
    });
}

// Registration.

/// Case 105. A sleep that is never polled registers nothing: no clock jumps to it, and it keeps no loop waiting.
#[test]
fn sleep_that_is_never_polled_registers_nothing() {
    watched(|| {
        for (event_loop, is_virtual) in [(virtual_loop(), true), (EventLoop::new(), false)] {
            let start = event_loop.time();
            let result = event_loop.try_run_until_complete(async {
                let _unpolled = sleep(seconds(3600));
                pending::<()>().await;
            });
            assert!(matches!(result, Err(RunError::Stalled(_))));
            assert_eq!(event_loop.time() == start, is_virtual);
        }
    });
}

/// Case 107, TIME-07, CANC-17, RUST-12. A sleep that is dropped leaves the timers at once, and gives its waker back.
#[test]
fn dropped_sleep_leaves_no_timer() {
    watched(|| {
        for (event_loop, is_virtual) in [(virtual_loop(), true), (EventLoop::new(), false)] {
            let start = event_loop.time();
            let (counter, waker) = CountingWaker::new();
            let result = event_loop.try_run_until_complete(async {
                let mut nap = sleep(seconds(3600));
                assert_eq!(poll_once(&mut nap, &waker), Poll::Pending);
                assert_eq!(Arc::strong_count(&counter), 3);
                drop(nap);
                assert_eq!(Arc::strong_count(&counter), 2);
                pending::<()>().await;
            });
            assert!(matches!(result, Err(RunError::Stalled(_))));
            assert_eq!(event_loop.time() == start, is_virtual);
            assert_eq!(counter.wakes(), 0);
        }
    });
}

/// Case 107, RUST-12. The same for the timers of the process.
#[test]
fn dropped_sleep_of_another_executor_gives_its_waker_back() {
    let (counter, waker) = CountingWaker::new();
    let mut nap = sleep(seconds(3600));
    assert_eq!(poll_once(&mut nap, &waker), Poll::Pending);
    assert_eq!(Arc::strong_count(&counter), 3);
    drop(nap);
    assert_eq!((Arc::strong_count(&counter), counter.wakes()), (2, 0));
}

/// CANC-17, case 107. A task that is cancelled in its sleep leaves no timer: no clock jumps to it.
#[test]
fn cancelled_task_leaves_no_timer() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let task = event_loop.spawn(sleep(seconds(3600)));
    event_loop.run_once();
    assert!(task.cancel());
    run_to_the_end(&event_loop);
    assert_eq!((task.state(), event_loop.time()), (TaskState::Cancelled, start));
}

/// Case 107. A sleep that is polled again and again has one entry: it wakes once.
#[test]
fn sleep_polled_again_has_one_entry() {
    timed(async {
        let (counter, waker) = CountingWaker::new();
        let mut nap = sleep(seconds(1));
        for _ in 0..10 {
            assert_eq!(poll_once(&mut nap, &waker), Poll::Pending);
        }
        assert_eq!(Arc::strong_count(&counter), 3);
        sleep(seconds(2)).await;
        assert_eq!((counter.wakes(), Arc::strong_count(&counter)), (1, 2));
        assert_eq!(poll_once(&mut nap, &waker), Poll::Ready(()));
    });
}

/// Case 108, RUST-05. A sleep that is polled with two wakers wakes the second and releases the first.
#[test]
fn sleep_polled_with_two_wakers_wakes_the_second() {
    timed(async {
        let ((first, first_waker), (second, second_waker)) = (CountingWaker::new(), CountingWaker::new());
        let mut nap = sleep(seconds(1));
        assert_eq!(poll_once(&mut nap, &first_waker), Poll::Pending);
        assert_eq!(poll_once(&mut nap, &second_waker), Poll::Pending);
        assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (2, 3));
        sleep(seconds(2)).await;
        assert_eq!((first.wakes(), second.wakes()), (0, 1));
    });
}

/// Case 108, RUST-05. The same on another executor.
#[test]
fn sleep_polled_with_two_wakers_on_another_executor_keeps_the_second() {
    let ((first, first_waker), (second, second_waker)) = (CountingWaker::new(), CountingWaker::new());
    let mut nap = sleep(seconds(3600));
    assert_eq!(poll_once(&mut nap, &first_waker), Poll::Pending);
    assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (3, 2));
    assert_eq!(poll_once(&mut nap, &second_waker), Poll::Pending);
    assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (2, 3));
    assert_eq!((first.wakes(), second.wakes()), (0, 0));
}

/// TIME-07. A hundred thousand sleeps that are dropped early leave no waker and no deadline behind, and those among
/// them end in their order.
#[test]
fn many_dropped_sleeps_leave_nothing_behind() {
    watched(|| {
        let trace = Trace::new();
        let ((), took) = timed(async {
            let (counter, waker) = CountingWaker::new();
            let mut tasks = Vec::new();
            for n in 0..100_000_u64 {
                let mut nap = sleep(seconds(1_000_000 - n));
                assert_eq!(poll_once(&mut nap, &waker), Poll::Pending);
                if n % 20_000 == 0 {
                    let trace = trace.clone();
                    tasks.push(spawn(async move {
                        nap.await;
                        trace.add(format!("{n}"));
                    }));
                }
            }
            assert_eq!(Arc::strong_count(&counter), 2 + tasks.len());
            gather(tasks).await.unwrap();
        });
        assert_eq!(trace.take(), ["80000", "60000", "40000", "20000", "0"]);
        assert_eq!(took, seconds(1_000_000));
    });
}

/// TIME-07. Half a million sleeps that are dropped early, below one that waits, leave a heap that is bounded.
#[test]
#[cfg(target_os = "linux")]
fn many_dropped_sleeps_leave_a_bounded_heap() {
    /// The most memory that this process ever had, in KiB.
    fn peak() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim_end_matches("kB").trim().parse().unwrap()
    }
    alone("many_dropped_sleeps_leave_a_bounded_heap", || {
        timed(async {
            let (_, waker) = CountingWaker::new();
            let mut first = sleep(seconds(1));
            assert_eq!(poll_once(&mut first, &waker), Poll::Pending);
            let before = peak();
            for _ in 0..500_000 {
                assert_eq!(poll_once(&mut sleep(seconds(3600)), &waker), Poll::Pending);
            }
            // Kept, the entries would take 16 MB.
            let grown = peak() - before;
            assert!(grown < 4096, "{grown} KiB");
        });
    });
}

// The timer thread.

/// RUST-12, SLP-03, case 105, case 109. A loop starts one timer thread with the first sleep that waits, has no other
/// for a thousand of them, and ends it when it is dropped.
#[test]
#[cfg(target_os = "linux")]
fn one_timer_thread_serves_a_loop_and_ends_with_it_in_real_time() {
    alone("one_timer_thread_serves_a_loop_and_ends_with_it_in_real_time", || {
        let before = threads();
        let event_loop = EventLoop::new();
        event_loop.run_until_complete(async {
            drop(sleep(seconds(1)));
            sleep(Duration::ZERO).await;
            assert_eq!(threads(), before, "no sleep waits yet");
            for _ in 0..1000 {
                drop(spawn(sleep(seconds(3600))));
            }
            yield_now().await;
            assert_eq!(threads(), before + 1);
            let start = Instant::now();
            let near: Vec<_> = (0..1000).map(|_| spawn(sleep(millis(10)))).collect();
            gather(near).await.unwrap();
            assert!(start.elapsed() >= millis(10));
            assert_eq!(threads(), before + 1);
        });
        assert_eq!(threads(), before + 1, "kept from run to run");
        let other = EventLoop::new();
        drop(other.spawn(sleep(seconds(3600))));
        other.run_once();
        assert_eq!(threads(), before + 2, "each loop has its own");
        event_loop.close();
        await_threads(before + 1);
        drop(other);
        await_threads(before);
    });
}

/// RUST-12, case 109. The timer thread of a loop that closes while sleeps wait ends at once, however far they are.
#[test]
#[cfg(target_os = "linux")]
fn timer_thread_ends_although_a_sleep_waits() {
    alone("timer_thread_ends_although_a_sleep_waits", || {
        let before = threads();
        let event_loop = EventLoop::new();
        drop(event_loop.spawn(sleep(seconds(100_000))));
        event_loop.run_once();
        assert_eq!(threads(), before + 1);
        drop(event_loop);
        await_threads(before);
    });
}

/// RUST-12. A virtual clock has no timer thread.
#[test]
#[cfg(target_os = "linux")]
fn virtual_clock_has_no_timer_thread() {
    alone("virtual_clock_has_no_timer_thread", || {
        let before = threads();
        timed(async {
            let task = spawn(sleep(seconds(2)));
            sleep(seconds(1)).await;
            assert_eq!(threads(), before);
            task.await.unwrap();
        });
        assert_eq!(threads(), before);
    });
}

/// RUST-12. All sleeps that are polled outside any loop are served by one thread of the process.
#[test]
#[cfg(target_os = "linux")]
fn one_thread_serves_all_sleeps_outside_any_loop_in_real_time() {
    alone("one_thread_serves_all_sleeps_outside_any_loop_in_real_time", || {
        let before = threads();
        let (_, waker) = CountingWaker::new();
        let mut far: Vec<Sleep> = (0..100).map(|_| sleep(seconds(3600))).collect();
        assert_eq!(threads(), before);
        assert!(far.iter_mut().all(|nap| poll_once(nap, &waker).is_pending()));
        assert_eq!(threads(), before + 1);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| block_on(sleep(millis(2))));
            }
        });
        drop(far);
        await_threads(before + 1);
        block_on(sleep(millis(1)));
        assert_eq!(threads(), before + 1);
    });
}

// Other executors.

/// RUST-12, case 101. A sleep on another executor is never early.
#[test]
fn sleep_on_another_executor_is_never_early_in_real_time() {
    watched(|| {
        for n in 0..5 {
            let start = Instant::now();
            block_on(sleep(millis(n)));
            assert!(start.elapsed() >= millis(n));
        }
    });
}

/// RUST-12. Sleeps on many threads at once, each with an executor of its own, all end.
#[test]
fn sleeps_on_many_threads_end_in_real_time() {
    watched(|| {
        thread::scope(|scope| {
            for thread in 0..8 {
                scope.spawn(move || {
                    for n in 0..20 {
                        let duration = Duration::from_micros(100 * ((n * 7 + thread) % 10));
                        let start = Instant::now();
                        block_on(sleep(duration));
                        assert!(start.elapsed() >= duration);
                    }
                });
            }
        });
    });
}

/// TMO-01, TMO-03, TMO-14. A timeout on another executor gives the value or the end of the time.
#[test]
fn timeout_on_another_executor_gives_the_value_or_the_end_of_the_time_in_real_time() {
    watched(|| {
        assert_eq!(block_on(timeout(seconds(3600), async { 1 })), Ok(1));
        assert_eq!(block_on(timeout(Duration::ZERO, async { 2 })), Ok(2));
        assert_eq!(block_on(timeout(Duration::MAX, async { sleep(millis(1)).await })), Ok(()));
        let drops = Drops::new();
        let token = drops.token();
        let start = Instant::now();
        let result = block_on(timeout(millis(2), async move {
            let _token = token;
            pending::<()>().await;
        }));
        assert_eq!((result, drops.count()), (Err(Elapsed), 1));
        assert!(start.elapsed() >= millis(2));
    });
}

/// RUST-12. A sleep made inside a loop follows that loop's clock on another executor too: that clock jumps for it.
#[test]
fn sleep_made_inside_a_loop_follows_its_clock_on_another_thread() {
    watched(|| {
        let event_loop = virtual_loop();
        let start = event_loop.time();
        let thread = event_loop.run_until_complete(async {
            let nap = sleep(seconds(10));
            let (promise, future) = create_future();
            let thread = thread::spawn(move || {
                block_on(nap);
                promise.set_result(());
            });
            future.await.unwrap();
            thread
        });
        thread.join().unwrap();
        assert_eq!(event_loop.time() - start, seconds(10));
    });
}

/// RUST-12. A sleep whose loop closed before its first poll waits for what is left of its time elsewhere.
#[test]
fn sleep_whose_loop_is_gone_waits_for_the_rest_elsewhere_in_real_time() {
    watched(|| {
        let event_loop = virtual_loop();
        let (rest, overdue) = event_loop.run_until_complete(async {
            let (rest, overdue) = (sleep(seconds(100) + millis(2)), sleep(seconds(99)));
            sleep(seconds(100)).await;
            (rest, overdue)
        });
        drop(event_loop);
        let start = Instant::now();
        block_on(overdue);
        block_on(rest);
        assert!(start.elapsed() >= millis(2));
    });
}

/// RUST-12. A sleep that waits when its loop closes is woken, and waits for the rest on the clock of whoever polls it.
#[test]
fn sleep_that_waits_when_its_loop_closes_is_woken_and_goes_on_elsewhere() {
    watched(|| {
        for event_loop in [virtual_loop(), EventLoop::new()] {
            let (counter, waker) = CountingWaker::new();
            let mut nap = made_inside(&event_loop, seconds(3600));
            assert_eq!(poll_once(&mut nap, &waker), Poll::Pending);
            event_loop.close();
            assert_eq!((counter.wakes(), Arc::strong_count(&counter)), (1, 2));
            assert_eq!(poll_once(&mut nap, &waker), Poll::Pending);
            assert_eq!((counter.wakes(), Arc::strong_count(&counter)), (1, 3));
            drop(nap);
            assert_eq!(Arc::strong_count(&counter), 2);
        }
        let event_loop = virtual_loop();
        let nap = made_inside(&event_loop, seconds(60));
        drop(event_loop);
        assert_eq!(timed(nap).1, seconds(60));
    });
}

/// RUST-12. A sleep made inside a loop with a real clock ends on another executor although its loop does not run.
#[test]
fn sleep_made_inside_a_loop_ends_elsewhere_although_its_loop_stands_still_in_real_time() {
    watched(|| {
        let event_loop = EventLoop::new();
        let mut nap = made_inside(&event_loop, millis(50));
        let (sender, woken) = channel();
        let waker = Waker::from(Arc::new(Tells(sender)));
        if poll_once(&mut nap, &waker).is_pending() {
            woken.recv_timeout(seconds(10)).expect("the deadline passed, and nobody was woken");
            assert_eq!(poll_once(&mut nap, &waker), Poll::Ready(()));
        }
    });
}

// Timeouts.

/// TMO-01, TMO-02. At the deadline the future is dropped, and only then the timeout returns: no later, no earlier.
#[test]
fn timeout_drops_its_future_at_the_deadline() {
    let trace = Trace::new();
    let (result, took) = timed(async {
        let start = time();
        let cleanup = OnDrop(|| trace.add(format!("dropped at {:?}", time() - start)));
        let result = timeout(seconds(2), async {
            let _cleanup = cleanup;
            sleep(seconds(60)).await;
            "never"
        })
        .await;
        trace.add("returned");
        result
    });
    assert_eq!((result, took), (Err(Elapsed), seconds(2)));
    assert_eq!(trace.take(), ["dropped at 2s", "returned"]);
}

/// TMO-03. A timeout of no time polls its future once: the body starts, and a value that is there is returned.
#[test]
fn zero_timeout_polls_once() {
    let gate = Gate::new();
    let (result, took) = timed(timeout(Duration::ZERO, gate.clone()));
    assert_eq!((result, gate.polls(), took), (Err(Elapsed), 1, Duration::ZERO));
    assert_eq!(timed(timeout(Duration::ZERO, async { 42 })).0, Ok(42));
    let (result, _) = timed(async {
        let mut task = spawn(async { 7 });
        yield_now().await;
        timeout(Duration::ZERO, &mut task).await.map(Result::unwrap)
    });
    assert_eq!(result, Ok(7));
}

/// TMO-04. In time the value is returned, and the deadline is forgotten; a timeout without end waits without limit.
#[test]
fn value_in_time_is_returned_and_the_deadline_forgotten() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let result = event_loop.run_until_complete(timeout(seconds(60), async {
        sleep(seconds(1)).await;
        "in time"
    }));
    assert_eq!(result, Ok("in time"));
    run_to_the_end(&event_loop);
    assert_eq!(event_loop.time() - start, seconds(1), "no clock jumps to a deadline that is forgotten");
    let (result, took) = timed(timeout(Duration::MAX, sleep(seconds(1_000_000))));
    assert_eq!((result, took), (Ok(()), seconds(1_000_000)));
}

/// TMO-06. Dropping a timeout drops its future; so does cancelling the task that waits in it.
#[test]
fn dropped_timeout_drops_its_future() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let drops = Drops::new();
    let (unpolled, polled) = (drops.token(), drops.token());
    drop(timeout(seconds(1), async move { drop(unpolled) }));
    assert_eq!(drops.count(), 1);
    let task = event_loop.spawn(timeout(seconds(1), async move {
        let _polled = polled;
        pending::<()>().await;
    }));
    event_loop.run_once();
    assert!(task.cancel());
    event_loop.run_once();
    assert_eq!(drops.count(), 2);
    run_to_the_end(&event_loop);
    assert_eq!(event_loop.time(), start, "its deadline is gone too");
}

/// TMO-06. A task that is given to a timeout goes on after the deadline; given by reference, it can be awaited again.
#[test]
fn task_goes_on_after_a_timeout() {
    let trace = Trace::new();
    let (result, took) = timed(async {
        let work = |name: &'static str, n| {
            let trace = trace.clone();
            async move {
                sleep(seconds(n)).await;
                trace.add(name);
                name
            }
        };
        let mut kept = spawn(work("kept", 3));
        assert_eq!(timeout(seconds(1), &mut kept).await.map(|_| ()), Err(Elapsed));
        assert_eq!(timeout(seconds(1), spawn(work("given away", 2))).await.map(|_| ()), Err(Elapsed));
        assert_eq!(trace.take(), NOTHING);
        kept.await.unwrap()
    });
    assert_eq!((result, took), ("kept", seconds(3)));
    assert_eq!(trace.take(), ["kept", "given away"]);
}

/// TMO-08. Where the outer timeout of two is over first, it alone says so, and the inner one is dropped with its
/// future; where the inner one is, the outer has its value.
#[test]
fn only_the_timeout_that_is_over_says_so() {
    let drops = Drops::new();
    let token = drops.token();
    let (result, took) = timed(timeout(
        seconds(1),
        timeout(seconds(2), async move {
            let _token = token;
            pending::<()>().await;
        }),
    ));
    assert_eq!((result, took, drops.count()), (Err(Elapsed), seconds(1), 1));
    let (result, took) = timed(timeout(seconds(2), timeout(seconds(1), pending::<()>())));
    assert_eq!((result, took), (Ok(Err(Elapsed)), seconds(1)));
}

/// TMO-08, TMO-14. Of two timeouts that are over together, the inner one is seen first.
#[test]
fn of_two_timeouts_over_together_the_inner_is_seen_first() {
    let (result, took) = timed(timeout(seconds(1), timeout(seconds(1), pending::<()>())));
    assert_eq!((result, took), (Ok(Err(Elapsed)), seconds(1)));
}

/// TMO-10. A cancel of the task that waits in a timeout is a cancel, and no end of the time.
#[test]
fn cancel_inside_a_timeout_stays_a_cancel() {
    let (error, took) = timed(async {
        let task = spawn(timeout(seconds(5), pending::<()>()));
        sleep(seconds(1)).await;
        assert!(task.cancel());
        task.await.unwrap_err()
    });
    assert!(error.is_cancelled());
    assert_eq!(took, seconds(1));
    let (inner, _) = timed(async {
        let task = spawn(pending::<()>());
        task.cancel();
        timeout(seconds(5), task).await.unwrap().unwrap_err().is_cancelled()
    });
    assert!(inner, "a cancelled child is a value inside the timeout");
}

/// TMO-11. The end of the time is one type of error, with one text.
#[test]
fn elapsed_is_one_type_with_one_text() {
    let error: Box<dyn std::error::Error + Send + Sync> =
        Box::new(timed(timeout(seconds(1), pending::<()>())).0.unwrap_err());
    assert_eq!(error.to_string(), "The deadline passed before the future was ready.");
    assert_eq!(error.downcast_ref::<Elapsed>(), Some(&Elapsed));
}

/// TMO-12. A timeout of no time is over at the first thing its future waits for, be it one turn.
#[test]
fn zero_timeout_is_over_at_the_first_wait() {
    let trace = Trace::new();
    let (result, took) = timed(timeout(Duration::ZERO, async {
        trace.add("before");
        yield_now().await;
        trace.add("after");
    }));
    assert_eq!((result, took), (Err(Elapsed), Duration::ZERO));
    assert_eq!(trace.take(), ["before"]);
}

/// TMO-13. A future that never waits is never out of time, however long it blocks.
#[test]
fn future_that_never_waits_is_never_out_of_time_in_real_time() {
    watched(|| {
        let result = EventLoop::new().run_until_complete(timeout(millis(1), async {
            thread::sleep(millis(4)); // blocks past the deadline
            "returned"
        }));
        assert_eq!(result, Ok("returned"));
    });
}

/// TMO-14. Where the value and the deadline are there in the same turn, the value wins, whichever timer is older.
#[test]
fn value_wins_over_a_deadline_of_the_same_time() {
    assert_eq!(timed(timeout(seconds(1), sleep(seconds(1)))), (Ok(()), seconds(1)));
    let (result, took) = timed(async {
        let (promise, future) = create_future();
        let when = time() + seconds(1);
        let limited = timeout(seconds(1), future);
        call_at(when, move || promise.set_result(5)).unwrap();
        limited.await
    });
    assert_eq!((result, took), (Ok(Ok(5)), seconds(1)));
    let (result, took) = timed(async {
        let (promise, future) = create_future();
        let when = time() + seconds(1);
        let mut limited = timeout(seconds(1), future);
        poll_fn(|context| {
            assert!(Pin::new(&mut limited).poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        // The deadline's timer is the older one now; the task is polled after both have fired.
        drop(spawn(async move {
            sleep(when - time()).await;
            promise.set_result(6);
        }));
        sleep(seconds(2)).await;
        limited.await
    });
    assert_eq!((result, took), (Ok(Ok(6)), seconds(2)));
}

/// TMO-14. A loop that was blocked past both the value's time and the deadline returns the value.
#[test]
fn value_wins_after_a_blocked_turn_in_real_time() {
    watched(|| {
        let result = EventLoop::new().run_until_complete(async {
            // Both must wait before the loop is blocked: on a slow machine that may take a second try.
            let mut limited = loop {
                let mut limited = timeout(millis(4), sleep(millis(2)));
                let is_pending =
                    poll_fn(|context| Poll::Ready(Pin::new(&mut limited).poll(context).is_pending())).await;
                if is_pending {
                    break limited;
                }
            };
            thread::sleep(millis(6)); // blocks the loop past both
            (&mut limited).await
        });
        assert_eq!(result, Ok(()));
    });
}

/// A timeout that has returned must not be polled again, and says so.
#[test]
fn timeout_polled_after_its_end_panics() {
    let (_, waker) = CountingWaker::new();
    let mut over = timeout(seconds(1), async { 1 });
    assert_eq!(poll_once(&mut over, &waker), Poll::Ready(Ok(1)));
    let panic = panic_of(|| _ = poll_once(&mut over, &waker));
    assert_eq!(panic, "a timeout that has returned is not polled again");
}

/// TMO-01. A panic of the future inside a timeout is the panic of whoever polls it.
#[test]
fn panic_inside_a_timeout_goes_through() {
    let (error, _) = timed(async {
        spawn(timeout(seconds(1), async { panic!("inside") })).await.map(|_: Result<(), _>| ()).unwrap_err()
    });
    assert_eq!(error.to_string(), "Task-2 panicked: inside");
}

/// TMO-06. A future that is not `Unpin`, and borrows from its caller, can be given a time.
#[test]
fn timeout_takes_a_future_that_borrows() {
    let polls = Rc::new(Cell::new(0));
    let text = String::from("borrowed");
    let (result, took) = timed(timeout(seconds(2), async {
        polls.set(polls.get() + 1);
        sleep(seconds(1)).await;
        text.len()
    }));
    assert_eq!((result, took, polls.get()), (Ok(8), seconds(1), 1));
}
