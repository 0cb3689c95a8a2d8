//! Proves what `run_in_executor` gives: blocking work on threads of its own, and a loop that stays free meanwhile.

mod common;

use std::future::{Future, pending};
use std::panic::{Location, panic_any};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use common::{CountingWaker, Drops, OnDrop, Reports, Trace, panic_of, virtual_loop, watched};
use handloop::{EventLoop, LoopHandle, RunError, Task, gather, run_in_executor, sleep, spawn, time, yield_now};

fn poll_once<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// EXEC-01. The code runs on another thread, named after its loop, and its value is what the await gives.
#[test]
fn code_runs_on_another_thread() {
    watched(|| {
        let event_loop = EventLoop::builder().name("worker").build();
        let names = event_loop.run_until_complete(async {
            let whose = || {
                let thread = thread::current();
                (thread.id(), thread.name().unwrap().to_owned())
            };
            [run_in_executor(whose).await.unwrap(), run_in_executor(whose).await.unwrap()]
        });
        assert!(names.iter().all(|(id, _)| *id != thread::current().id()));
        assert_eq!(names.map(|(_, name)| name), ["worker-Task-2", "worker-Task-3"]);
    });
}

/// EXEC-01. What the code captured is dropped on the job's thread, before its value is there.
#[test]
fn captures_are_dropped_before_the_value_is_there() {
    watched(|| {
        let (dropped, dropped_on) = channel();
        let on_drop = OnDrop(move || dropped.send(thread::current().id()).unwrap());
        let id = handloop::run(run_code(move || {
            let _on_drop = &on_drop;
            thread::current().id()
        }));
        assert_eq!(dropped_on.try_recv(), Ok(id));
    });
}

async fn run_code<T: Send + 'static>(code: impl FnOnce() -> T + Send + 'static) -> T {
    run_in_executor(code).await.unwrap()
}

/// EXEC-02. A panic of the code arrives at the await with its payload, and the loop goes on.
#[test]
fn panic_of_the_code_arrives_at_the_await() {
    watched(|| {
        let reports = Reports::new();
        let event_loop = reports.collect(EventLoop::builder()).build();
        event_loop.run_until_complete(async {
            let error = run_in_executor(|| panic!("number {}", 1)).await.unwrap_err();
            assert_eq!(error.to_string(), "Task-2 panicked: number 1");
            assert_eq!((error.id(), error.name(), error.is_panic()), (2, "Task-2", true));
            let payload = Arc::new(7);
            let thrown = payload.clone();
            let error = run_in_executor(move || panic_any(thrown)).await.unwrap_err();
            assert!(Arc::ptr_eq(&error.into_panic().downcast::<Arc<i32>>().unwrap(), &payload));
            assert_eq!(run_in_executor(|| "x".parse::<i32>()).await.unwrap(), "x".parse::<i32>());
        });
        event_loop.close();
        assert_eq!(reports.take(), [""; 0]);
    });
}

/// EXEC-03. The loop runs other tasks while a job blocks: this job ends only because they run.
#[test]
fn loop_stays_responsive_while_a_job_blocks() {
    watched(|| {
        let trace = Trace::new();
        handloop::run(async {
            let (release, released) = channel();
            let job = run_in_executor(move || released.recv().unwrap());
            let log = trace.clone();
            let other = spawn(async move {
                for number in 0..3 {
                    log.add(format!("turn {number}"));
                    yield_now().await;
                }
                release.send("released").unwrap();
            });
            trace.add(job.await.unwrap());
            other.await.unwrap();
        });
        assert_eq!(trace.take(), ["turn 0", "turn 1", "turn 2", "released"]);
    });
}

/// EXEC-03. Jobs start at once and run together: eight of them meet, although nobody awaits yet.
#[test]
fn jobs_run_together() {
    watched(|| {
        let sum = handloop::run(async {
            let meeting = Arc::new(Barrier::new(9));
            let jobs: Vec<_> = (0..8)
                .map(|number| {
                    let meeting = meeting.clone();
                    run_in_executor(move || {
                        meeting.wait();
                        number
                    })
                })
                .collect();
            // This thread is the ninth, and blocks its loop for it.
            meeting.wait();
            let mut sum = 0;
            for job in jobs {
                sum += job.await.unwrap();
            }
            sum
        });
        assert_eq!(sum, 28);
    });
}

/// EXEC-03. The end of a job wakes a loop that is parked, each time.
#[test]
fn end_of_a_job_wakes_a_parked_loop() {
    watched(|| {
        handloop::run(async {
            for number in 0..200 {
                assert_eq!(run_in_executor(move || number).await.unwrap(), number);
            }
            let jobs: Vec<_> = (0..50).map(|number| spawn(run_code(move || number))).collect();
            assert_eq!(gather(jobs).await.unwrap(), (0..50).collect::<Vec<_>>());
        });
    });
}

/// EXEC-04. A task that is cancelled while it awaits a job does not stop the code, whose value is dropped there, once.
#[test]
fn cancelled_await_does_not_stop_the_code() {
    watched(|| {
        let reports = Reports::new();
        let event_loop = reports.collect(EventLoop::builder()).build();
        let (release, released) = channel::<()>();
        let (done, is_done) = channel();
        let drops = Drops::new();
        let token = drops.token();
        event_loop.run_until_complete(async {
            let code = move || {
                released.recv().unwrap();
                done.send("ran to its end").unwrap();
                token
            };
            let awaiting = spawn(async move { run_code(code).await });
            yield_now().await;
            assert!(awaiting.cancel());
            assert!(awaiting.await.unwrap_err().is_cancelled());
            assert!(is_done.try_recv().is_err());
            release.send(()).unwrap();
        });
        assert_eq!(is_done.recv(), Ok("ran to its end"));
        event_loop.close();
        assert_eq!(drops.count(), 1);
        assert_eq!(reports.take(), [""; 0]);
    });
}

/// EXEC-04. A job that is dropped at once starts all the same.
#[test]
fn dropped_job_runs_to_its_end() {
    watched(|| {
        let (done, is_done) = channel();
        handloop::run(async move { drop(run_in_executor(move || done.send(7).unwrap())) });
        assert_eq!(is_done.recv(), Ok(7));
    });
}

/// EXEC-05. `close` joins the jobs, after it has cancelled the tasks: this one waits for a destructor of theirs.
#[test]
fn close_joins_jobs_after_it_cancelled_the_tasks_real_time() {
    watched(|| {
        let event_loop = EventLoop::new();
        let is_done = Arc::new(AtomicBool::new(false));
        let (release, released) = channel();
        let done = is_done.clone();
        event_loop.run_until_complete(async {
            let on_drop = OnDrop(move || release.send(()).unwrap());
            drop(spawn(async move {
                let _on_drop = on_drop;
                pending::<()>().await;
            }));
            drop(run_in_executor(move || {
                released.recv().unwrap();
                thread::sleep(Duration::from_millis(5));
                done.store(true, Ordering::SeqCst);
            }));
            yield_now().await;
        });
        assert!(!is_done.load(Ordering::SeqCst));
        event_loop.close();
        assert!(is_done.load(Ordering::SeqCst));
    });
}

/// EXEC-05. `run` takes as long as the longest job, and leaves early when its future panics no more than otherwise.
#[test]
fn run_waits_for_its_jobs_real_time() {
    watched(|| {
        for is_panicking in [false, true] {
            let start = Instant::now();
            let is_done = Arc::new(AtomicUsize::new(0));
            let root = async {
                for milliseconds in [5, 2] {
                    let done = is_done.clone();
                    drop(run_in_executor(move || {
                        thread::sleep(Duration::from_millis(milliseconds));
                        done.fetch_add(1, Ordering::SeqCst);
                    }));
                }
                assert!(!is_panicking, "root");
            };
            if is_panicking {
                assert_eq!(panic_of(|| handloop::run(root)), "root");
            } else {
                handloop::run(root);
            }
            assert_eq!(is_done.load(Ordering::SeqCst), 2);
            assert!(start.elapsed() >= Duration::from_millis(5));
        }
    });
}

/// EXEC-06. While its loop closes a job is refused: the code is dropped uncalled, and the job is cancelled.
#[test]
fn closing_loop_refuses_the_job() {
    watched(|| {
        let event_loop = EventLoop::new();
        let drops = Drops::new();
        let (token, (sender, receiver)) = (drops.token(), channel::<Task<()>>());
        let code = move || {
            drop(token);
            unreachable!("a closed loop starts nothing");
        };
        let mut code = Some(code);
        let on_drop = OnDrop(move || sender.send(run_in_executor(code.take().unwrap())).unwrap());
        drop(event_loop.spawn(async move {
            let _on_drop = on_drop;
            pending::<()>().await;
        }));
        assert!(event_loop.run_once());
        event_loop.close();
        assert_eq!(drops.count(), 1);
        let mut job = receiver.recv().unwrap();
        assert_eq!(format!("{job:?}"), r#"Task { name: "Task-2", state: Cancelled, .. }"#);
        let (_, waker) = CountingWaker::new();
        let Poll::Ready(Err(error)) = poll_once(&mut job, &waker) else { panic!("it is over") };
        assert_eq!(error.to_string(), "Task-2 was cancelled before it finished.");
        assert!(error.is_cancelled());
    });
}

/// EXEC-06. Outside a running loop there is nobody to start a job.
#[test]
fn job_needs_a_running_loop() {
    let expected =
        "run_in_executor needs a running loop: call it inside handloop::run or EventLoop::run_until_complete";
    assert_eq!(panic_of(|| drop(run_in_executor(|| ()))), expected);
    let event_loop = EventLoop::new();
    assert_eq!(panic_of(|| drop(run_in_executor(|| ()))), expected);
    event_loop.close();
    assert_eq!(panic_of(|| drop(run_in_executor(|| ()))), expected);
}

/// EXEC-08. The value of a job that ends while its loop closes, awaited by a cancelled task, is dropped in silence.
#[test]
fn job_that_ends_while_the_loop_closes_is_dropped_in_silence() {
    watched(|| {
        let reports = Reports::new();
        let event_loop = reports.collect(EventLoop::builder()).build();
        let drops = Drops::new();
        let token = drops.token();
        let (release, released) = channel();
        let on_drop = OnDrop(move || release.send(()).unwrap());
        drop(event_loop.spawn(async move {
            let _on_drop = on_drop;
            let code = move || {
                released.recv().unwrap();
                token
            };
            drop(run_in_executor(code).await);
        }));
        assert!(event_loop.run_once());
        assert_eq!(drops.count(), 0);
        event_loop.close();
        assert_eq!(drops.count(), 1);
        assert_eq!(reports.take(), [""; 0]);
    });
}

/// EXEC-08. A task that still waits for its job when the loop closes is cancelled, although the job is joined.
#[test]
fn task_of_a_job_is_cancelled_by_the_close() {
    watched(|| {
        let event_loop = EventLoop::new();
        let mut job = event_loop.run_until_complete(async { Some(run_in_executor(|| 7)) }).unwrap();
        event_loop.close();
        drop(event_loop);
        let (wakes, waker) = CountingWaker::new();
        assert!(poll_once(&mut job, &waker).map(|result| result.unwrap_err().is_cancelled()) == Poll::Ready(true));
        assert_eq!(wakes.wakes(), 0);
    });
}

#[track_caller]
fn start_panic(before: impl FnOnce() + Send + 'static) -> (Task<()>, String) {
    let code = move || {
        before();
        panic!("unread");
    };
    (run_in_executor(code), Location::caller().to_string())
}

/// EXEC-02. A panic that nobody reads is reported once, whether the job is dropped before or after it.
#[test]
fn panic_that_nobody_reads_is_reported() {
    watched(|| {
        let reports = Reports::new();
        let event_loop = reports.collect(EventLoop::builder()).build();
        let ((kept, kept_at), dropped_at) = event_loop.run_until_complete(async {
            let (release, released) = channel();
            let (dropped, dropped_at) = start_panic(move || released.recv().unwrap());
            drop(dropped);
            release.send(()).unwrap();
            (start_panic(|| ()), dropped_at)
        });
        // The loop closes before either task could join its job, and then joins the threads, in whatever order they end.
        event_loop.close();
        let mut reports_of_both = reports.take();
        reports_of_both.sort();
        let report = |task: u32, at: String| format!("Task-{task} (from {at}) panicked, and nobody joined it: unread");
        assert_eq!(reports_of_both, [report(2, dropped_at), report(3, kept_at)]);
        drop(kept);
        assert_eq!(reports.take(), [""; 0]);
    });
}

/// EXEC-08. A panic of the destructor of a value that nobody takes is reported, and goes no further.
#[test]
fn panic_of_an_unread_values_destructor_is_reported() {
    watched(|| {
        let reports = Reports::new();
        let event_loop = reports.collect(EventLoop::builder()).build();
        let (job, place) = event_loop.run_until_complete(async { start_unread() });
        event_loop.close();
        assert_eq!(reports.take(), [format!("Task-2 (from {place}) panicked, and nobody joined it: in drop")]);
        drop(job);
        assert_eq!(reports.take(), [""; 0]);
    });
}

#[track_caller]
fn start_unread() -> (Task<impl Send>, String) {
    (run_in_executor(|| OnDrop(|| panic!("in drop"))), Location::caller().to_string())
}

/// A virtual clock stands still while a job is out, however often the loop is idle, and its end has the time of its
/// start.
#[test]
fn virtual_clock_stands_still_while_a_job_is_out() {
    watched(|| {
        let event_loop = virtual_loop();
        let trace = Trace::new();
        let start = event_loop.time();
        event_loop.run_until_complete(async {
            let log = trace.clone();
            let sleeper = spawn(async move {
                sleep(Duration::from_secs(1)).await;
                log.add(format!("sleeper at {:?}", time() - start));
            });
            yield_now().await;
            let handle = LoopHandle::current().unwrap();
            let job = run_in_executor(move || {
                for _ in 0..200 {
                    let seen = handle.submit(async { time() }).result().unwrap();
                    assert_eq!(seen, start);
                    assert_eq!(handle.time(), start);
                }
            });
            job.await.unwrap();
            trace.add(format!("job at {:?}", time() - start));
            sleeper.await.unwrap();
        });
        assert_eq!(trace.take(), ["job at 0ns", "sleeper at 1s"]);
    });
}

/// A virtual clock stands still although the loop has nothing else to do for some milliseconds of real time.
#[test]
fn virtual_clock_does_not_follow_real_time_while_a_job_is_out() {
    watched(|| {
        let event_loop = virtual_loop();
        let start = event_loop.time();
        let handle = event_loop.handle();
        let elapsed = event_loop.run_until_complete(async move {
            let sleeper = spawn(sleep(Duration::from_micros(1)));
            // The second one is dropped, and counts all the same.
            drop(run_in_executor(|| thread::sleep(Duration::from_millis(2))));
            let seen = run_code(move || {
                thread::sleep(Duration::from_millis(5));
                handle.time() - start
            });
            let seen = seen.await;
            sleeper.await.unwrap();
            (seen, time() - start)
        });
        assert_eq!(elapsed, (Duration::ZERO, Duration::from_micros(1)));
    });
}

/// The clock goes on when a job ends that nobody awaits.
#[test]
fn virtual_clock_goes_on_after_a_job_that_nobody_awaits() {
    watched(|| {
        for _ in 0..100 {
            let event_loop = virtual_loop();
            let start = event_loop.time();
            event_loop.run_until_complete(async {
                drop(run_in_executor(|| ()));
                sleep(Duration::from_secs(1)).await;
            });
            assert_eq!(event_loop.time() - start, Duration::from_secs(1));
        }
    });
}

/// A loop whose tasks nobody can wake is not stalled while a job is out, and is when the job ends.
#[test]
fn loop_is_not_stalled_while_a_job_is_out_real_time() {
    watched(|| {
        let event_loop = EventLoop::new();
        let is_done = Arc::new(AtomicBool::new(false));
        let done = is_done.clone();
        let outcome = event_loop.try_run_until_complete(async {
            drop(run_in_executor(move || {
                thread::sleep(Duration::from_millis(5));
                done.store(true, Ordering::SeqCst);
            }));
            pending::<()>().await;
        });
        assert!(matches!(outcome, Err(RunError::Stalled(_))));
        assert!(is_done.load(Ordering::SeqCst));
    });
}

/// A waker that panics when a job wakes it does not keep the job out: the virtual clock goes on.
#[test]
fn panic_of_a_foreign_waker_does_not_keep_the_job_out() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("in wake");
        }
    }
    watched(|| {
        let event_loop = virtual_loop();
        let handle = event_loop.handle();
        // A watchdog: it ends the run of a loop that waits for ever.
        let (over, is_over) = channel::<()>();
        let watchdog = thread::spawn(move || {
            if is_over.recv_timeout(Duration::from_secs(5)).is_err() {
                handle.stop();
            }
        });
        let outcome = event_loop.try_run_until_complete(async {
            let (release, released) = channel::<()>();
            let mut job = run_in_executor(move || released.recv().unwrap());
            assert!(poll_once(&mut job, &Waker::from(Arc::new(Panics))).is_pending());
            release.send(()).unwrap();
            sleep(Duration::from_secs(1)).await;
        });
        drop(over);
        watchdog.join().unwrap();
        assert_eq!(outcome, Ok(()));
    });
}

/// The future that awaits a job need not be `Send`: it stays on its loop.
#[test]
fn job_is_awaited_by_a_future_that_is_not_send() {
    watched(|| {
        let kept = Rc::new(3);
        assert_eq!(handloop::run(async { *kept + run_in_executor(|| 4).await.unwrap() }), 7);
    });
}
