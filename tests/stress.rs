//! Proves that nothing is lost, doubled or torn when many threads reach a loop at once, or race with its end.

mod common;

use std::future::{pending, poll_fn};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Poll, Waker};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use common::{Drops, watched};
use handloop::{
    Builder, EventLoop, LoopHandle, Promise, RemoteTask, ResultError, create_future, run_in_executor, sleep, spawn,
    time, yield_now,
};

/// A loop that runs for ever on a thread of its own.
fn start(builder: Builder) -> (LoopHandle, JoinHandle<()>) {
    let (sender, receiver) = channel();
    let thread = thread::spawn(move || {
        let event_loop = builder.build();
        sender.send(event_loop.handle()).unwrap();
        event_loop.run_forever();
    });
    (receiver.recv().unwrap(), thread)
}

fn is_cancelled<T>(result: &Result<T, ResultError>) -> bool {
    matches!(result, Err(ResultError::Failed(error)) if error.is_cancelled())
}

/// TSAFE-03. Eight threads send 500 callbacks each: each runs once, and those of one thread in its order.
#[test]
fn callbacks_of_eight_threads_run_once_and_in_order() {
    const THREADS: usize = 8;
    const CALLBACKS: usize = 500;
    watched(|| {
        let event_loop = EventLoop::new();
        let seen = Arc::new(Mutex::new(vec![Vec::new(); THREADS]));
        let left = Arc::new(AtomicUsize::new(THREADS * CALLBACKS));
        let begin = Arc::new(Barrier::new(THREADS));
        let senders: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (handle, seen, left, begin) = (event_loop.handle(), seen.clone(), left.clone(), begin.clone());
                thread::spawn(move || {
                    begin.wait();
                    for number in 0..CALLBACKS {
                        let (seen, left, stopper) = (seen.clone(), left.clone(), handle.clone());
                        let callback = move || {
                            seen.lock().unwrap()[thread].push(number);
                            if left.fetch_sub(1, Ordering::SeqCst) == 1 {
                                stopper.stop();
                            }
                        };
                        handle.call_soon_threadsafe(callback).unwrap();
                    }
                })
            })
            .collect();
        event_loop.run_forever();
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        assert!(!event_loop.run_once());
        for numbers in seen.lock().unwrap().iter() {
            assert_eq!(*numbers, (0..CALLBACKS).collect::<Vec<_>>());
        }
    });
}

/// RCT-15, case 26. Eight threads submit 100 tasks each and wait for every one: all results are right, in a busy loop.
#[test]
fn submissions_of_eight_threads_all_give_their_results() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        let busy = handle.submit(async {
            loop {
                yield_now().await;
            }
        });
        thread::scope(|scope| {
            for thread in 0..8 {
                let handle = &handle;
                scope.spawn(move || {
                    for number in 0..100 {
                        let task = handle.submit(async move {
                            yield_now().await;
                            thread * 1000 + number
                        });
                        assert_eq!(task.result().unwrap(), thread * 1000 + number);
                    }
                });
            }
        });
        assert!(busy.cancel());
        assert!(is_cancelled(&busy.result()));
        handle.stop();
        thread.join().unwrap();
    });
}

/// RCT-15. The same with all of a thread's tasks out at once, made on the loop, with children there.
#[test]
fn batches_of_eight_threads_all_give_their_results() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        thread::scope(|scope| {
            for thread in 0..8 {
                let handle = &handle;
                scope.spawn(move || {
                    let submit = |number| {
                        handle.submit_with(move || async move {
                            let child = spawn(async move {
                                yield_now().await;
                                Box::new(number)
                            });
                            thread * 1000 + *child.await.unwrap()
                        })
                    };
                    let tasks: Vec<RemoteTask<usize>> = (0..100).map(submit).collect();
                    for (number, task) in tasks.into_iter().enumerate() {
                        assert_eq!(task.result().unwrap(), thread * 1000 + number);
                    }
                });
            }
        });
        handle.stop();
        thread.join().unwrap();
    });
}

/// RUST-04. Four threads hammer one waker of a loop that parks whenever it can: what the last wake announces is seen.
#[test]
fn wakes_that_hammer_a_parking_loop_are_not_lost() {
    const THREADS: usize = 4;
    const WAKES: usize = 2000;
    watched(|| {
        let event_loop = EventLoop::new();
        let count = Arc::new(AtomicUsize::new(0));
        for _ in 0..5 {
            count.store(0, Ordering::SeqCst);
            let mut hammers = Vec::new();
            event_loop.run_until_complete(poll_fn(|context| {
                if hammers.is_empty() {
                    let hammer = |by_ref: bool| {
                        let (waker, count): (Waker, _) = (context.waker().clone(), count.clone());
                        thread::spawn(move || {
                            for _ in 0..WAKES {
                                // Relaxed: the wake alone must carry it over.
                                count.fetch_add(1, Ordering::Relaxed);
                                let clone = waker.clone();
                                if by_ref { waker.wake_by_ref() } else { clone.wake() }
                            }
                        })
                    };
                    hammers.extend((0..THREADS).map(|number| hammer(number % 2 == 0)));
                }
                if count.load(Ordering::Relaxed) == THREADS * WAKES { Poll::Ready(()) } else { Poll::Pending }
            }));
            hammers.into_iter().for_each(|hammer| hammer.join().unwrap());
        }
    });
}

/// RUST-04. A thread answers each wake with the next, 3000 times, so that one lost wake is the end of it.
#[test]
fn two_loops_that_wake_each_other_lose_no_wake() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        let here = EventLoop::new();
        let back = here.handle();
        here.run_until_complete(async {
            for number in 0..1500 {
                let back = back.clone();
                // There, it awaits a task that runs here.
                let answer = handle.submit(async move { back.submit(async move { number + 1 }).await.unwrap() });
                assert_eq!(answer.await.unwrap(), number + 1);
            }
        });
        handle.stop();
        thread.join().unwrap();
    });
}

/// Each round a promise is kept by one thread while another cancels the task that waits for it.
/// RCT-04, RCT-16. The task ends once, in one of the two ways; a cancel that came too late leaves the output.
#[test]
fn cancel_races_with_completion() {
    const ROUNDS: usize = 1000;
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        let drops = Drops::new();
        let (sender, promises) = channel::<(Promise<common::Token>, common::Token, Arc<Barrier>)>();
        let setter = thread::spawn(move || {
            for (promise, token, barrier) in promises {
                barrier.wait();
                promise.set_result(token);
            }
        });
        let mut finished = 0;
        for round in 0..ROUNDS {
            let (promise, future) = create_future();
            let captured = drops.token();
            let task = handle.submit(async move {
                let output = future.await.unwrap();
                drop(captured);
                output
            });
            let barrier = Arc::new(Barrier::new(2));
            sender.send((promise, drops.token(), barrier.clone())).unwrap();
            barrier.wait();
            for _ in 0..round % 64 {
                std::hint::spin_loop();
            }
            let accepted = task.cancel();
            let result = task.result();
            assert!(accepted || result.is_ok());
            assert!(result.is_ok() || is_cancelled(&result));
            finished += usize::from(result.is_ok());
            assert!(!task.cancel());
        }
        drop(sender);
        setter.join().unwrap();
        handle.stop();
        thread.join().unwrap();
        assert_eq!(drops.count(), 2 * ROUNDS, "{finished} finished");
    });
}

/// RCT-19. Each round a `RemoteTask` is dropped while its task ends: the output is dropped once, by one of the two.
#[test]
fn drop_of_the_handle_races_with_completion() {
    const ROUNDS: usize = 1000;
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        let drops = Drops::new();
        let (sender, promises) = channel::<(Promise<common::Token>, common::Token, Arc<Barrier>)>();
        let setter = thread::spawn(move || {
            for (promise, token, barrier) in promises {
                barrier.wait();
                promise.set_result(token);
            }
        });
        let (wakes, waker) = common::CountingWaker::new();
        for round in 0..ROUNDS {
            let (promise, future) = create_future();
            let mut task = handle.submit(async move { future.await.unwrap() });
            if round % 2 == 0 {
                let mut context = std::task::Context::from_waker(&waker);
                assert!(std::future::Future::poll(std::pin::Pin::new(&mut task), &mut context).is_pending());
            }
            let barrier = Arc::new(Barrier::new(2));
            sender.send((promise, drops.token(), barrier.clone())).unwrap();
            barrier.wait();
            for _ in 0..round % 256 {
                std::hint::spin_loop();
            }
            drop(task);
        }
        drop(sender);
        setter.join().unwrap();
        handle.stop();
        thread.join().unwrap();
        assert_eq!(drops.count(), ROUNDS);
        // Nobody keeps a waker of a dropped handle.
        drop(waker);
        assert_eq!(Arc::strong_count(&wakes), 1);
        assert!(wakes.wakes() <= ROUNDS / 2);
    });
}

/// A task that wakes itself in its last poll is in the ready queue when it is over: its output is still taken once.
#[test]
fn output_of_a_task_that_is_queued_when_it_ends_is_taken_once() {
    const ROUNDS: usize = 100_000;
    watched(|| {
        let (handle, thread) = start(EventLoop::builder());
        for _ in 0..ROUNDS {
            let drops = Drops::new();
            let mut token = Some(drops.token());
            let task = handle.submit(poll_fn(move |context| {
                context.waker().wake_by_ref();
                Poll::Ready(token.take().unwrap())
            }));
            while !task.is_finished() {
                std::hint::spin_loop();
            }
            // Forgotten, so that a second owner of the token finds it alive, and counts.
            std::mem::forget(task.result().unwrap());
            drop(task);
            assert_eq!(drops.count(), 0);
        }
        handle.stop();
        thread.join().unwrap();
    });
}

/// RCT-06, RCT-10, TSAFE-09. A loop closes while threads submit and send: every task is resolved, its future dropped
/// once, and each callback either ran, was dropped by the close, or came back.
#[test]
fn loop_closes_while_threads_submit() {
    const THREADS: usize = 4;
    const EACH: usize = 40;
    watched(|| {
        for round in 0..40 {
            let event_loop = EventLoop::new();
            let begin = Arc::new(Barrier::new(THREADS + 1));
            let (drops, ran, unrun) = (Drops::new(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let submitters: Vec<_> = (0..THREADS)
                .map(|_| {
                    let (handle, begin, drops) = (event_loop.handle(), begin.clone(), drops.clone());
                    let (ran, unrun) = (ran.clone(), unrun.clone());
                    thread::spawn(move || {
                        begin.wait();
                        let (mut resolved, mut returned) = (0, 0);
                        for number in 0..EACH {
                            let token = drops.token();
                            let task = handle.submit(async move {
                                let _token = token;
                                if number % 2 == 0 {
                                    pending::<()>().await;
                                }
                                yield_now().await;
                            });
                            let (counted, counted_unrun) = (ran.clone(), unrun.clone());
                            let guard = common::OnDrop(move || {
                                counted_unrun.fetch_add(1, Ordering::SeqCst);
                            });
                            let callback = move || {
                                counted.fetch_add(1, Ordering::SeqCst);
                                std::mem::forget(guard);
                            };
                            if let Err(closed) = handle.call_soon_threadsafe(callback) {
                                returned += 1;
                                std::mem::forget(closed);
                            }
                            if number % 2 == 1 {
                                let result = task.result();
                                assert!(result.is_ok() || is_cancelled(&result));
                                resolved += 1;
                            } else if number % 4 == 0 {
                                task.cancel();
                                assert!(is_cancelled(&task.result()));
                                resolved += 1;
                            }
                        }
                        (resolved, returned)
                    })
                })
                .collect();
            begin.wait();
            for _ in 0..round * 10 {
                event_loop.run_once();
            }
            event_loop.close();
            let mut totals = (0, 0);
            for submitter in submitters {
                let (resolved, returned) = submitter.join().unwrap();
                totals = (totals.0 + resolved, totals.1 + returned);
            }
            assert_eq!(totals.0, THREADS * EACH * 3 / 4);
            assert_eq!(drops.count(), THREADS * EACH);
            let [ran, unrun] = [ran, unrun].map(|count| count.load(Ordering::SeqCst));
            assert_eq!(ran + unrun + totals.1, THREADS * EACH, "{ran} ran, {unrun} were dropped");
        }
    });
}

/// RCT-10. Threads that block in `result` while the loop closes are all told.
#[test]
fn close_tells_every_thread_that_waits() {
    watched(|| {
        for _ in 0..40 {
            let event_loop = EventLoop::new();
            let meet = Arc::new(Barrier::new(5));
            let waiting: Vec<_> = (0..4)
                .map(|_| {
                    let (task, meet) = (event_loop.handle().submit(pending::<()>()), meet.clone());
                    thread::spawn(move || {
                        meet.wait();
                        is_cancelled(&task.result())
                    })
                })
                .collect();
            event_loop.run_once();
            meet.wait();
            event_loop.close();
            assert!(waiting.into_iter().all(|thread| thread.join().unwrap()));
        }
    });
}

/// TSAFE-07. Threads stop one loop while it runs again and again: no stop hangs it, and each run ends.
#[test]
fn stops_of_many_threads_end_every_run() {
    watched(|| {
        let event_loop = EventLoop::new();
        let is_over = Arc::new(AtomicBool::new(false));
        let stoppers: Vec<_> = (0..3)
            .map(|_| {
                let (handle, is_over) = (event_loop.handle(), is_over.clone());
                thread::spawn(move || {
                    while !is_over.load(Ordering::SeqCst) {
                        handle.stop();
                        thread::yield_now();
                    }
                })
            })
            .collect();
        for _ in 0..300 {
            event_loop.run_forever();
        }
        is_over.store(true, Ordering::SeqCst);
        stoppers.into_iter().for_each(|stopper| stopper.join().unwrap());
    });
}

/// RCT-01. Threads that each hold a virtual clock while they submit always see their two sleeps take exactly their time,
/// however the others interleave.
#[test]
fn threads_that_hold_the_clock_see_exact_times() {
    watched(|| {
        let (handle, thread) = start(EventLoop::builder().virtual_clock());
        thread::scope(|scope| {
            for number in 1..=4 {
                let handle = &handle;
                scope.spawn(move || {
                    for round in 1..=50 {
                        let hold = handle.hold_clock();
                        let start = handle.time();
                        let tasks = [number * 7, round].map(|milliseconds| {
                            let limit = Duration::from_millis(milliseconds);
                            handle.submit(async move {
                                sleep(limit).await;
                                time() - start - limit
                            })
                        });
                        assert_eq!(handle.time(), start);
                        drop(hold);
                        assert_eq!(tasks.map(|task| task.result().unwrap()), [Duration::ZERO; 2]);
                    }
                });
            }
        });
        handle.stop();
        thread.join().unwrap();
    });
}

/// EXEC-03. Many tasks run many jobs on a virtual clock: every value arrives, and no time passes.
#[test]
fn jobs_of_many_tasks_all_arrive_and_take_no_virtual_time() {
    watched(|| {
        let event_loop = EventLoop::builder().virtual_clock().build();
        let start = event_loop.time();
        event_loop.run_until_complete(async {
            let late = spawn(sleep(Duration::from_secs(1)));
            let tasks: Vec<_> = (0..8)
                .map(|task| {
                    spawn(async move {
                        let mut sum = 0;
                        for number in 0..20 {
                            sum += run_in_executor(move || task * number).await.unwrap();
                        }
                        (sum, time() - start)
                    })
                })
                .collect();
            for (task, ended) in tasks.into_iter().enumerate() {
                let (sum, took) = ended.await.unwrap();
                assert_eq!(sum, task * 190);
                assert_eq!(took, Duration::ZERO);
            }
            late.await.unwrap();
        });
        assert_eq!(event_loop.time() - start, Duration::from_secs(1));
    });
}

/// EXEC-03. The result of a job is there before its loop counts it as over, so the clock cannot jump in between, however
/// often another thread makes the loop look.
#[test]
fn result_of_a_job_comes_before_a_jump() {
    watched(|| {
        let event_loop = EventLoop::builder().virtual_clock().build();
        let handle = event_loop.handle();
        let is_over = Arc::new(AtomicBool::new(false));
        let over = is_over.clone();
        let prodder = thread::spawn(move || {
            while !over.load(Ordering::SeqCst) {
                // Not faster than the loop takes them, and not for ever once it has ended.
                let _ = handle.submit(async {}).result_timeout(Duration::from_millis(1));
            }
        });
        event_loop.run_until_complete(async {
            let ticker = spawn(async {
                loop {
                    sleep(Duration::from_millis(1)).await;
                }
            });
            yield_now().await;
            for number in 0..1000 {
                let before = time();
                assert_eq!(run_in_executor(move || number).await.unwrap(), number);
                assert_eq!(time(), before);
            }
            ticker.cancel();
        });
        is_over.store(true, Ordering::SeqCst);
        prodder.join().unwrap();
    });
}

/// Wakers of tasks are cloned, called and dropped by other threads while their tasks end and their loop closes.
/// Case 39. Nothing is polled after its end, and every future is dropped once, on the loop's thread.
#[test]
fn wakes_race_with_the_end_of_tasks_and_of_their_loop() {
    watched(|| {
        for round in 0..60 {
            let event_loop = EventLoop::new();
            let drops = Drops::new();
            let (dropped, dropped_on) = channel();
            let (sender, receiver) = channel::<Waker>();
            for task in 0..20 {
                let (sender, token, dropped) = (sender.clone(), drops.token(), dropped.clone());
                let on_drop = common::OnDrop(move || dropped.send(thread::current().id()).unwrap());
                let mut polls = 0;
                drop(event_loop.spawn(async move {
                    let _kept = (token, on_drop);
                    poll_fn(move |context| {
                        sender.send(context.waker().clone()).unwrap_or(());
                        polls += 1;
                        if polls > task % 4 { Poll::Ready(()) } else { Poll::Pending }
                    })
                    .await;
                    if task % 3 == 0 {
                        pending::<()>().await;
                    }
                }));
            }
            drop((sender, dropped));
            let hammer = thread::spawn(move || {
                let mut kept = Vec::new();
                for waker in receiver {
                    waker.wake_by_ref();
                    kept.push(waker.clone());
                    waker.wake();
                }
                kept.into_iter().for_each(Waker::wake);
            });
            for _ in 0..round {
                event_loop.run_once();
            }
            drop(event_loop);
            hammer.join().unwrap();
            assert_eq!(drops.count(), 20);
            assert_eq!(dropped_on.iter().collect::<Vec<_>>(), [thread::current().id(); 20]);
        }
    });
}
