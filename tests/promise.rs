//! `create_future`: a result that is set once, from any thread, waited for on any executor, or broken.
mod common;

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use common::{CountingWaker, Drops, Trace, block_on, panic_of, virtual_loop, watched};
use handloop::{
    BrokenPromise, Elapsed, EventLoop, Promise, PromiseFuture, create_future, current_task, sleep, spawn, timeout,
    yield_now,
};

/// FUT-01. A new future is not done and has no result; to ask changes nothing.
#[test]
fn new_future_is_not_done() {
    let (promise, mut future) = create_future::<u32>();
    assert!(!future.is_done());
    assert_eq!(future.try_result(), None);
    assert!(!future.is_done());
    assert!(!promise.is_cancelled());
    assert_eq!(
        format!("{promise:?} {future:?}"),
        "Promise { is_cancelled: false, .. } PromiseFuture { is_done: false, .. }"
    );
}

/// FUT-02. A result is set once and read once; after that the future is still done, and has nothing more.
#[test]
fn result_is_set_once_and_taken_once() {
    let (promise, mut future) = create_future();
    promise.set_result(String::from("result"));
    assert!(future.is_done());
    assert_eq!(format!("{future:?}"), "PromiseFuture { is_done: true, .. }");
    assert_eq!(future.try_result(), Some(Ok(String::from("result"))));
    assert_eq!(future.try_result(), None);
    assert!(future.is_done());
}

/// FUT-02. A result that is there is not undone by the end of its promise.
#[test]
fn result_set_is_not_broken_by_the_end_of_its_promise() {
    let (promise, future) = create_future();
    promise.set_result(7);
    assert_eq!(handloop::run(future), Ok(7));
}

/// FUT-04. Dropping the future is its cancel: the promise knows, and before that it says no.
#[test]
fn dropped_future_is_cancelled_for_its_promise() {
    let (promise, future) = create_future::<u32>();
    assert!(!promise.is_cancelled());
    drop(future);
    assert!(promise.is_cancelled());
    assert!(promise.is_cancelled());
    assert_eq!(format!("{promise:?}"), "Promise { is_cancelled: true, .. }");
}

/// FUT-04. A future that waits is not cancelled for its promise, and it is when the task that waits is.
#[test]
fn cancel_of_the_waiting_task_cancels_the_future() {
    let event_loop = virtual_loop();
    let (promise, future) = create_future::<u32>();
    let task = event_loop.spawn(future);
    event_loop.run_once();
    assert!(!promise.is_cancelled());
    task.cancel();
    assert!(!promise.is_cancelled(), "the future is dropped at the next turn");
    event_loop.run_once();
    assert!(promise.is_cancelled());
}

/// FUT-10. A result that comes after the future was dropped is dropped silently, once, where it was set.
#[test]
fn late_result_is_dropped_where_it_is_set() {
    let drops = Drops::new();
    let (promise, future) = create_future();
    drop(future);
    promise.set_result(drops.token());
    assert_eq!(drops.count(), 1);
}

/// FUT-10. A result that nobody took goes with its future, once.
#[test]
fn result_not_taken_goes_with_its_future() {
    let drops = Drops::new();
    let (promise, future) = create_future();
    promise.set_result(drops.token());
    assert_eq!(drops.count(), 0);
    drop(future);
    assert_eq!(drops.count(), 1);
}

/// FUT-10, with real threads: set and dropped at the same time, the result is dropped exactly once.
#[test]
fn result_set_while_its_future_is_dropped_is_dropped_once() {
    watched(|| {
        const ROUNDS: usize = 2000;
        let drops = Drops::new();
        let (send, receive) = channel::<PromiseFuture<_>>();
        let barrier = Arc::new(Barrier::new(2));
        let other = {
            let barrier = barrier.clone();
            thread::spawn(move || {
                for future in receive {
                    barrier.wait();
                    drop(future);
                    barrier.wait();
                }
            })
        };
        for round in 1..=ROUNDS {
            let (promise, future) = create_future();
            send.send(future).unwrap();
            let token = drops.token();
            barrier.wait();
            promise.set_result(token);
            barrier.wait();
            assert_eq!(drops.count(), round);
        }
        drop(send);
        other.join().unwrap();
    });
}

/// CANC-09. A promise dropped unset breaks: whoever waits gets that as a value, and its task is not cancelled.
#[test]
fn broken_promise_is_a_value_for_whoever_waits() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    event_loop.run_until_complete(async {
        let (promise, future) = create_future::<u32>();
        let waiting = {
            let trace = trace.clone();
            spawn(async move {
                let outcome = future.await;
                trace.add("goes on");
                yield_now().await;
                outcome
            })
        };
        yield_now().await;
        drop(promise);
        assert_eq!(waiting.await.unwrap(), Err(BrokenPromise));
        assert_eq!(trace.take(), ["goes on"]);
    });
    assert_eq!(BrokenPromise.to_string(), "The promise was dropped before its result was set.");
}

/// CANC-09. Asked without a wait, a broken promise says so as often as it is asked, and then to whoever awaits it.
#[test]
fn broken_promise_stays_broken() {
    let (promise, mut future) = create_future::<u32>();
    drop(promise);
    assert!(future.is_done());
    assert_eq!(future.try_result(), Some(Err(BrokenPromise)));
    assert_eq!(future.try_result(), Some(Err(BrokenPromise)));
    assert_eq!(handloop::run(future), Err(BrokenPromise));
}

/// CANC-09, with a real thread: a thread that panics breaks the promise that it owns.
#[test]
fn panic_of_the_thread_that_owns_the_promise_breaks_it() {
    watched(|| {
        let (promise, future) = create_future::<u32>();
        let thread = thread::spawn(move || {
            let _promise = promise;
            panic!("before the result");
        });
        assert_eq!(handloop::run(future), Err(BrokenPromise));
        assert!(thread.join().is_err());
    });
}

/// CANC-09. A task that is cancelled breaks the promise in its future, and the task that waits for that goes on.
#[test]
fn cancelled_task_breaks_the_promise_in_its_future() {
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async {
        let (promise, future) = create_future::<u32>();
        let owner = spawn(async move {
            sleep(Duration::from_secs(1)).await;
            promise.set_result(1);
        });
        yield_now().await;
        owner.cancel();
        assert_eq!(future.await, Err(BrokenPromise));
    });
}

/// A result that is set before the first poll is ready there, without a clone of the waker.
#[test]
fn result_set_before_the_first_poll_takes_no_waker() {
    let (counter, waker) = CountingWaker::new();
    let (promise, mut future) = create_future();
    promise.set_result(1);
    assert_eq!(Pin::new(&mut future).poll(&mut Context::from_waker(&waker)), Poll::Ready(Ok(1)));
    assert_eq!((counter.wakes(), Arc::strong_count(&counter)), (0, 2));
}

/// A result wakes whoever waits exactly once, and the waker is let go with that.
#[test]
fn set_result_wakes_exactly_once() {
    let (counter, waker) = CountingWaker::new();
    let mut context = Context::from_waker(&waker);
    let (promise, mut future) = create_future();
    for _ in 0..3 {
        assert_eq!(Pin::new(&mut future).poll(&mut context), Poll::Pending);
        assert_eq!(Arc::strong_count(&counter), 3, "one clone, however often it is polled");
    }
    promise.set_result(1);
    assert_eq!((counter.wakes(), Arc::strong_count(&counter)), (1, 2));
    assert_eq!(Pin::new(&mut future).poll(&mut context), Poll::Ready(Ok(1)));
    assert_eq!(counter.wakes(), 1);
}

/// CANC-09. A broken promise wakes whoever waits exactly once too.
#[test]
fn broken_promise_wakes_exactly_once() {
    let (counter, waker) = CountingWaker::new();
    let mut context = Context::from_waker(&waker);
    let (promise, mut future) = create_future::<u32>();
    assert_eq!(Pin::new(&mut future).poll(&mut context), Poll::Pending);
    drop(promise);
    assert_eq!((counter.wakes(), Arc::strong_count(&counter)), (1, 2));
    assert_eq!(Pin::new(&mut future).poll(&mut context), Poll::Ready(Err(BrokenPromise)));
}

/// RUST-05. Case 61. Polled with one waker and then with another, only the second is woken, and the first is let go.
#[test]
fn latest_waker_wins() {
    let ((first, first_waker), (second, second_waker)) = (CountingWaker::new(), CountingWaker::new());
    let (promise, mut future) = create_future();
    assert_eq!(Pin::new(&mut future).poll(&mut Context::from_waker(&first_waker)), Poll::Pending);
    assert_eq!(Pin::new(&mut future).poll(&mut Context::from_waker(&second_waker)), Poll::Pending);
    assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (2, 3));
    promise.set_result(());
    assert_eq!((first.wakes(), second.wakes()), (0, 1));
}

/// RUST-05. A future that moves from one task to another wakes the one that polled it last.
#[test]
fn future_that_moves_between_tasks_wakes_the_last() {
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async {
        let (promise, future) = create_future();
        let shared = Rc::new(RefCell::new(future));
        let take_turns = |shared: Rc<RefCell<PromiseFuture<u32>>>| async move {
            let result = poll_fn(|context| Pin::new(&mut *shared.borrow_mut()).poll(context)).await;
            (result, current_task().unwrap().polls)
        };
        let first = spawn(take_turns(shared.clone()));
        yield_now().await;
        let second = spawn(take_turns(shared));
        yield_now().await;
        promise.set_result(1);
        assert_eq!(second.await.unwrap(), (Ok(1), 2));
        assert_eq!(handloop::all_tasks()[1].polls, 1, "the first was not woken");
        first.cancel();
    });
}

/// Case 62. A future that is dropped lets its waker go, unwoken.
#[test]
fn dropped_future_lets_its_waker_go() {
    let (counter, waker) = CountingWaker::new();
    let (promise, mut future) = create_future();
    assert_eq!(Pin::new(&mut future).poll(&mut Context::from_waker(&waker)), Poll::Pending);
    drop(future);
    assert_eq!(Arc::strong_count(&counter), 2);
    promise.set_result(1);
    assert_eq!(counter.wakes(), 0);
}

/// RUST-08. No waker is called or dropped under the lock: one that asks the promise or its future when it is woken and
/// when it is dropped does not block itself.
#[test]
fn wakers_run_without_the_lock() {
    struct Asks {
        promise: Mutex<Option<Arc<Promise<u32>>>>,
        future: Mutex<Option<Arc<Mutex<PromiseFuture<u32>>>>>,
        seen: Arc<Mutex<Vec<String>>>,
    }
    impl Asks {
        fn ask(&self, when: &str) {
            if let Some(promise) = &*self.promise.lock().unwrap() {
                self.seen.lock().unwrap().push(format!("{when}: cancelled {}", promise.is_cancelled()));
            }
            if let Some(future) = &*self.future.lock().unwrap() {
                self.seen.lock().unwrap().push(format!("{when}: done {}", future.lock().unwrap().is_done()));
            }
        }
    }
    impl Wake for Asks {
        fn wake(self: Arc<Self>) {
            self.ask("wake");
        }
    }
    impl Drop for Asks {
        fn drop(&mut self) {
            self.ask("drop");
        }
    }
    watched(|| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let asks = || Arc::new(Asks { promise: Mutex::default(), future: Mutex::default(), seen: seen.clone() });
        let take = || std::mem::take(&mut *seen.lock().unwrap());
        let (promise, future) = create_future();
        let (promise, future) = (Arc::new(promise), Arc::new(Mutex::new(future)));
        // Replaced by another waker.
        let first = asks();
        *first.promise.lock().unwrap() = Some(promise.clone());
        let poll = |waker: Waker| Pin::new(&mut *future.lock().unwrap()).poll(&mut Context::from_waker(&waker));
        assert_eq!(poll(first.into()), Poll::Pending);
        let second = asks();
        *second.future.lock().unwrap() = Some(future.clone());
        assert_eq!(poll(second.into()), Poll::Pending);
        assert_eq!(take(), ["drop: cancelled false"]);
        // Woken, then dropped.
        Arc::into_inner(promise).unwrap().set_result(1);
        assert_eq!(take(), ["wake: done true", "drop: done true"]);
        assert_eq!(future.lock().unwrap().try_result(), Some(Ok(1)));
        // Dropped with the future.
        let (promise, mut future) = create_future();
        let promise = Arc::new(promise);
        let third = asks();
        *third.promise.lock().unwrap() = Some(promise.clone());
        let waker = Waker::from(third);
        assert_eq!(Pin::new(&mut future).poll(&mut Context::from_waker(&waker)), Poll::Pending);
        drop(waker);
        drop(future);
        assert_eq!(take(), ["drop: cancelled true"]);
    });
}

/// A waker that panics when the result is set does it no harm: the result is there, and the panic goes no further.
#[test]
fn panic_of_a_waker_does_not_lose_the_result() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("waker");
        }
    }
    let (promise, mut future) = create_future();
    let waker = Waker::from(Arc::new(Panics));
    assert_eq!(Pin::new(&mut future).poll(&mut Context::from_waker(&waker)), Poll::Pending);
    promise.set_result(1);
    assert_eq!(future.try_result(), Some(Ok(1)));
}

/// Polled again after it gave its result, a future panics, and never waits for ever.
#[test]
fn polling_after_the_result_panics() {
    let mut context = Context::from_waker(Waker::noop());
    let (promise, mut future) = create_future();
    promise.set_result(1);
    assert_eq!(Pin::new(&mut future).poll(&mut context), Poll::Ready(Ok(1)));
    let text = "a future that gave its result is not polled again";
    assert_eq!(panic_of(|| assert!(Pin::new(&mut future).poll(&mut context).is_pending())), text);
    let (promise, mut future) = create_future();
    promise.set_result(1);
    assert_eq!(future.try_result(), Some(Ok(1)));
    assert_eq!(panic_of(|| assert!(Pin::new(&mut future).poll(&mut context).is_pending())), text);
}

/// Awaited by reference, a future can be awaited again after a deadline.
#[test]
fn future_awaited_by_reference_can_be_awaited_again() {
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async {
        let (promise, mut future) = create_future();
        drop(spawn(async move {
            sleep(Duration::from_secs(2)).await;
            promise.set_result("late");
        }));
        assert_eq!(timeout(Duration::from_secs(1), &mut future).await, Err(Elapsed));
        assert_eq!(future.await, Ok("late"));
    });
}

/// Between tasks of one loop the result need not be `Send`; who waits is ready for the next turn.
#[test]
fn result_that_is_not_send_passes_between_tasks_of_one_loop() {
    let event_loop = virtual_loop();
    let trace = Trace::new();
    event_loop.run_until_complete(async {
        let (promise, future) = create_future();
        let waiting = {
            let trace = trace.clone();
            spawn(async move {
                let value: Rc<&str> = future.await.unwrap();
                trace.add(*value);
            })
        };
        yield_now().await;
        promise.set_result(Rc::new("value"));
        assert_eq!(trace.take(), [""; 0], "set_result runs nobody");
        yield_now().await;
        assert_eq!(trace.take(), ["value"]);
        waiting.await.unwrap();
    });
}

/// Case 10. With real threads, many times over: a result set elsewhere while the loop polls, parks or has not begun
/// yet always wakes it.
#[test]
fn result_set_on_another_thread_always_wakes_the_loop() {
    watched(|| {
        const ROUNDS: u32 = 5000;
        let (send, receive) = channel::<(u32, Promise<u32>)>();
        let setter = thread::spawn(move || {
            for (round, promise) in receive {
                for _ in 0..round % 128 {
                    std::hint::spin_loop();
                }
                if round % 5 == 0 { drop(promise) } else { promise.set_result(round) }
            }
        });
        let event_loop = EventLoop::new();
        for round in 0..ROUNDS {
            let (promise, future) = create_future();
            send.send((round, promise)).unwrap();
            let expected = if round % 5 == 0 { Err(BrokenPromise) } else { Ok(round) };
            assert_eq!(event_loop.run_until_complete(future), expected);
        }
        drop(send);
        setter.join().unwrap();
    });
}

/// With real threads, many times: a result that is set in the middle of a poll is in that poll's answer, or its waker is
/// called.
#[test]
fn result_set_during_a_poll_is_seen_or_wakes() {
    watched(|| {
        const ROUNDS: usize = 20_000;
        let turn = Arc::new(AtomicUsize::new(0));
        let slot = Arc::new(Mutex::new(None::<Promise<usize>>));
        let wait_for = |turn: &AtomicUsize, number: usize| {
            let mut looks = 0;
            while turn.load(Ordering::Acquire) != number {
                looks += 1;
                if looks % 100 == 0 { thread::yield_now() } else { std::hint::spin_loop() }
            }
        };
        let setter = {
            let (turn, slot) = (turn.clone(), slot.clone());
            thread::spawn(move || {
                for round in 0..ROUNDS {
                    wait_for(&turn, 2 * round + 1);
                    let promise = slot.lock().unwrap().take().unwrap();
                    (0..round % 64).for_each(|_| std::hint::spin_loop());
                    promise.set_result(round);
                    turn.store(2 * round + 2, Ordering::Release);
                }
            })
        };
        for round in 0..ROUNDS {
            let (counter, waker) = CountingWaker::new();
            let (promise, mut future) = create_future();
            *slot.lock().unwrap() = Some(promise);
            turn.store(2 * round + 1, Ordering::Release);
            (0..round / 64 % 64).for_each(|_| std::hint::spin_loop());
            let polled = Pin::new(&mut future).poll(&mut Context::from_waker(&waker));
            wait_for(&turn, 2 * round + 2);
            match polled {
                Poll::Ready(result) => assert_eq!((result, counter.wakes()), (Ok(round), 0)),
                Poll::Pending => {
                    assert_eq!(counter.wakes(), 1);
                    assert_eq!(future.try_result(), Some(Ok(round)));
                }
            }
        }
        setter.join().unwrap();
    });
}

/// With real threads: the future is at home on any executor, and the promise in any loop. A pair in each direction
/// carries a value there and back, many times.
#[test]
fn results_go_between_a_loop_and_another_executor() {
    watched(|| {
        const ROUNDS: u32 = 2000;
        let (to_other, from_loop) = channel::<(PromiseFuture<u32>, Promise<u32>)>();
        let other = thread::spawn(move || {
            for (future, promise) in from_loop {
                promise.set_result(block_on(future).unwrap() + 1);
            }
        });
        let sum = handloop::run(async {
            let mut sum = 0;
            for round in 0..ROUNDS {
                let ((there, question), (answer, back)) = (create_future(), create_future());
                to_other.send((question, answer)).unwrap();
                there.set_result(round);
                sum += back.await.unwrap();
            }
            sum
        });
        assert_eq!(sum, (1..=ROUNDS).sum::<u32>());
        drop(to_other);
        other.join().unwrap();
    });
}

/// With real threads: two loops, each on its own thread, pass a value back and forth.
#[test]
fn two_loops_pass_results_back_and_forth() {
    watched(|| {
        const ROUNDS: u32 = 500;
        let (pairs, received) = channel::<(PromiseFuture<u32>, Promise<u32>)>();
        let other = thread::spawn(move || {
            let event_loop = virtual_loop();
            event_loop.run_until_complete(async {
                for (future, promise) in received {
                    promise.set_result(future.await.unwrap() * 2);
                }
            });
        });
        let event_loop = virtual_loop();
        event_loop.run_until_complete(async {
            for round in 0..ROUNDS {
                let ((there, question), (answer, back)) = (create_future(), create_future());
                pairs.send((question, answer)).unwrap();
                there.set_result(round);
                assert_eq!(back.await, Ok(round * 2));
            }
        });
        drop(pairs);
        other.join().unwrap();
    });
}

/// Both halves may go to other threads, if the result may.
#[test]
fn halves_are_send_and_sync_where_the_result_is_send() {
    fn check<T: Send + Sync>(_: &T) {}
    let (promise, future) = create_future::<std::cell::Cell<u32>>();
    check(&promise);
    check(&future);
}
