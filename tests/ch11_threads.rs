//! The stage of chapter 11. Where threads meet, they wait for each other; none waits for time.

#[allow(dead_code, missing_docs, unsafe_code, clippy::type_complexity)]
#[path = "../lessons/ch11_threads/stage.rs"]
mod stage;

use std::cell::RefCell;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use stage::{Clock, Ended, EventLoop, Handle, Time, do_some_work};

fn virtual_clock() -> Arc<Clock> {
    Clock::new(Time::Virtual(Mutex::default()))
}

/// A loop in a thread of its own, for as long as `code` runs.
fn with_loop<R>(code: impl FnOnce(&Arc<Clock>, &Arc<Handle>) -> R) -> R {
    let (clock, handle) = (virtual_clock(), Arc::new(Handle::default()));
    thread::scope(|scope| {
        scope.spawn(|| EventLoop::new(&clock, &handle).run_forever());
        let _stops = Stops(&handle);
        code(&clock, &handle)
    })
}

/// Also a test that fails has to end.
struct Stops<'a>(&'a Arc<Handle>);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.call_soon_threadsafe(|event_loop| event_loop.stop());
    }
}

#[test]
fn a_result_a_panic_and_an_error_come_to_the_thread_that_waits() {
    with_loop(|_, handle| {
        assert_eq!(handle.submit("value", || async { 7 }).result().ok(), Some(7));
        let error = handle.submit("error", || async { "x".parse::<u32>().is_err() });
        assert_eq!(error.result().ok(), Some(true));
        let panics = handle.submit("panics", || async { panic!("in a task") }).result();
        let Err(Ended::Panicked(panic)) = panics else { panic!("it did not panic") };
        assert_eq!(panic.downcast_ref(), Some(&"in a task"));
        assert_eq!(handle.submit("after", || async { 8 }).result().ok(), Some(8), "the loop runs on");
    });
}

/// The future need not be `Send`: it is made where it runs.
#[test]
fn what_is_made_on_the_loop_stays_there() {
    with_loop(|_, handle| {
        let own = thread::current().id();
        let made_there = handle.submit("rc", move || async move {
            let local = Rc::new(RefCell::new(0));
            *local.borrow_mut() += 1;
            thread::current().id() != own && *local.borrow() == 1
        });
        assert_eq!(made_there.result().ok(), Some(true));
    });
}

#[test]
fn a_cancel_comes_across_also_one_that_is_sent_at_once() {
    with_loop(|_, handle| {
        for _ in 0..100 {
            let task = handle.submit("for ever", pending::<()>);
            task.cancel();
            assert!(matches!(task.result(), Err(Ended::Cancelled)));
        }
    });
}

#[test]
fn jobs_run_in_the_order_in_which_they_were_sent_and_none_is_left_behind_a_parked_loop() {
    with_loop(|_, handle| {
        let (sender, receiver) = channel();
        for number in 0..10_000 {
            let sender = sender.clone();
            handle.call_soon_threadsafe(move |_| sender.send(number).unwrap());
            // The loop has nothing left, and is about to park, or parked.
            assert_eq!(receiver.recv(), Ok(number));
        }
        for number in 0..10_000 {
            let sender = sender.clone();
            handle.call_soon_threadsafe(move |_| sender.send(number).unwrap());
        }
        assert!(receiver.iter().take(10_000).eq(0..10_000));
    });
}

#[test]
fn a_job_waits_for_a_loop_that_is_not_started_and_for_one_that_is_stopped() {
    let (clock, handle) = (virtual_clock(), Arc::new(Handle::default()));
    let before = handle.submit("before", || async { 1 });
    let event_loop = EventLoop::new(&clock, &handle);
    handle.call_soon_threadsafe(|event_loop| event_loop.stop());
    event_loop.run_forever();
    let meanwhile = handle.submit("meanwhile", || async { 2 });
    handle.call_soon_threadsafe(|event_loop| event_loop.stop());
    thread::scope(|scope| {
        let waits = scope.spawn(|| (before.result().ok(), meanwhile.result().ok()));
        event_loop.run_forever();
        event_loop.run_until_complete(do_some_work(&clock, 1));
        assert_eq!(waits.join().unwrap(), (Some(1), Some(2)));
    });
}

#[test]
fn a_loop_that_closes_cancels_and_one_that_is_closed_refuses() {
    let (clock, handle) = (virtual_clock(), Arc::new(Handle::default()));
    let event_loop = EventLoop::new(&clock, &handle);
    let taken = handle.submit("taken", pending::<()>);
    handle.call_soon_threadsafe(|event_loop| event_loop.stop());
    event_loop.run_forever();
    let left = handle.submit("left in the inbox", pending::<()>);
    drop(event_loop);
    let late = handle.submit("late", pending::<()>);
    thread::scope(|scope| {
        let outcomes = scope.spawn(|| [taken.result(), left.result(), late.result()]);
        assert!(outcomes.join().unwrap().iter().all(|outcome| matches!(outcome, Err(Ended::Cancelled))));
    });
}

#[test]
fn no_thread_waits_for_the_loop_that_it_runs() {
    with_loop(|_, handle| {
        let (sender, receiver) = channel();
        let inner = handle.clone();
        handle.call_soon_threadsafe(move |_| {
            let task = inner.submit("waits for itself", || async { 7 });
            let panic = catch_unwind(AssertUnwindSafe(|| task.result())).unwrap_err();
            sender.send(panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap();
        });
        let said = receiver.recv().unwrap().unwrap();
        assert_eq!(said, "on the loop's own thread, spawn and await");
    });
}

/// Only the threads are compared: the loop is gone, the result is there, and still this is the wrong thread to ask on.
#[test]
fn a_result_is_refused_on_the_loops_thread_also_when_the_loop_is_gone() {
    let (clock, handle) = (virtual_clock(), Arc::new(Handle::default()));
    let [here, there] = [1, 2].map(|number| handle.submit("over", move || async move { number }));
    let event_loop = EventLoop::new(&clock, &handle);
    event_loop.run_until_complete(do_some_work(&clock, 1));
    drop(event_loop);
    assert!(catch_unwind(AssertUnwindSafe(|| here.result())).is_err());
    assert_eq!(thread::spawn(|| there.result().ok()).join().unwrap(), Some(2), "it was there");
}

#[test]
fn an_executor_gives_its_result_and_its_panic_and_the_loop_goes_on_meanwhile() {
    let (clock, handle) = (virtual_clock(), Arc::new(Handle::default()));
    let event_loop = EventLoop::new(&clock, &handle);
    let (go, wait) = channel();
    let task = event_loop.run_in_executor(move || wait.recv().unwrap());
    // The job waits for a task of the loop: a loop that waited for the job would never get there.
    event_loop.spawn("goes on", async move { go.send(7).unwrap() });
    assert_eq!(event_loop.run_until_complete(task).ok(), Some(7));
    let panics = event_loop.run_in_executor(|| -> u32 { panic!("in a job") });
    assert!(matches!(event_loop.run_until_complete(panics), Err(Ended::Panicked(_))));
}

/// The jobs come first, then the batch. What they spawn is for the turn after, also where that is another run's.
#[test]
fn a_stop_finishes_its_turn_and_the_next_run_goes_on() {
    let (clock, handle) = (virtual_clock(), Arc::new(Handle::default()));
    let event_loop = EventLoop::new(&clock, &handle);
    let (sender, receiver) = channel();
    let said = || receiver.try_iter().collect::<Vec<_>>();
    let task = sender.clone();
    event_loop.spawn("task", async move { task.send("task").unwrap() });
    for name in ["job 1", "job 2"] {
        let sender = sender.clone();
        handle.call_soon_threadsafe(move |event_loop| {
            sender.send(name).unwrap();
            event_loop.spawn("of a job", async move { sender.send("of a job").unwrap() });
            event_loop.stop();
        });
    }
    event_loop.run_forever();
    assert_eq!(said(), ["job 1", "job 2", "task"]);
    handle.call_soon_threadsafe(|event_loop| event_loop.stop());
    event_loop.run_forever();
    assert_eq!(said(), ["of a job"; 2]);
}

#[test]
fn two_threads_each_have_their_own_order() {
    with_loop(|_, handle| {
        let (sender, receiver) = channel();
        thread::scope(|scope| {
            for name in ["a", "b"] {
                let sender = sender.clone();
                scope.spawn(move || {
                    for number in 0..1000 {
                        let sender = sender.clone();
                        handle.call_soon_threadsafe(move |_| sender.send((name, number)).unwrap());
                    }
                });
            }
        });
        let ran: Vec<_> = receiver.iter().take(2000).collect();
        for name in ["a", "b"] {
            assert!(ran.iter().filter(|(other, _)| *other == name).map(|(_, number)| *number).eq(0..1000));
        }
    });
}

/// `make` is called by a job, so its panic is one of a job. Who waits is told that there will be no result.
#[test]
fn a_panic_in_a_job_ends_the_loop_and_whoever_waits_is_told() {
    let send: [fn(&Arc<Handle>); 2] = [
        |handle| handle.call_soon_threadsafe(|_| panic!("in a job")),
        |handle| drop(handle.submit("never made", || -> std::future::Ready<()> { panic!("in a job") })),
    ];
    for send in send {
        let (clock, handle) = (virtual_clock(), Arc::new(Handle::default()));
        thread::scope(|scope| {
            let waits = handle.submit("waits", pending::<()>);
            send(&handle);
            let own = scope.spawn(|| EventLoop::new(&clock, &handle).run_forever());
            assert!(matches!(waits.result(), Err(Ended::Cancelled)));
            assert_eq!(own.join().unwrap_err().downcast_ref(), Some(&"in a job"));
        });
    }
}

#[test]
fn who_waits_for_a_task_whose_make_panics_is_told() {
    let (clock, handle) = (virtual_clock(), Arc::new(Handle::default()));
    let never_made = handle.submit("never made", || -> std::future::Ready<()> { panic!("in make") });
    thread::scope(|scope| {
        let own = scope.spawn(|| EventLoop::new(&clock, &handle).run_forever());
        assert!(matches!(never_made.result(), Err(Ended::Cancelled)));
        assert!(own.join().is_err());
    });
}

/// The handle that the thread `parks` drops when it parks, and whom it tells.
static DROPPED_IN_A_PARK: Mutex<Option<(Arc<Handle>, Sender<()>)>> = Mutex::new(None);

/// The loop has asked before it parked whether other threads are left. That none is left now ends neither park nor loop.
#[test]
fn who_drops_the_last_handle_while_the_loop_is_parked_wakes_nobody() {
    stage::PLAYER.get_or_init(|| {
        |line, _| {
            if line == "park" && thread::current().name() == Some("parks") {
                let dropped = DROPPED_IN_A_PARK.lock().unwrap().take();
                _ = dropped.map(|(handle, sender)| {
                    drop(handle);
                    sender.send(()).unwrap();
                });
            }
        }
    });
    let (clock, handle) = (virtual_clock(), Arc::new(Handle::default()));
    let (sender, receiver) = channel();
    *DROPPED_IN_A_PARK.lock().unwrap() = Some((handle.clone(), sender));
    let of_the_loop = Arc::downgrade(&handle);
    let parks = thread::Builder::new().name("parks".to_owned()).spawn(move || {
        let event_loop = EventLoop::new(&clock, &handle);
        drop(handle);
        event_loop.run_forever();
    });
    receiver.recv().unwrap();
    // Nothing waits for this; a loop that noticed would have the time to stall.
    (0..10_000).for_each(|_| thread::yield_now());
    let again = of_the_loop.upgrade().expect("the loop still runs");
    assert_eq!(Arc::strong_count(&again), 2, "the loop's own, and this one");
    again.call_soon_threadsafe(|event_loop| event_loop.stop());
    parks.unwrap().join().expect("it was parked, and did not stall");
}

/// What is dropped on the way, and where.
#[test]
fn a_future_is_dropped_on_the_thread_of_its_loop_and_a_remote_lets_its_task_run_on() {
    struct Says(Sender<thread::ThreadId>);
    impl Drop for Says {
        fn drop(&mut self) {
            self.0.send(thread::current().id()).unwrap();
        }
    }
    with_loop(|_, handle| {
        let own = handle.submit("own", || async { thread::current().id() }).result().unwrap();
        let (sender, receiver) = channel();
        let says = Says(sender.clone());
        let task = handle.submit("for ever", move || async move {
            let _says = says;
            pending::<()>().await;
        });
        task.cancel();
        assert!(matches!(task.result(), Err(Ended::Cancelled)));
        assert_eq!(receiver.recv(), Ok(own));
        drop(handle.submit("detached", move || async move { sender.send(thread::current().id()).unwrap() }));
        assert_eq!(receiver.recv(), Ok(own));
    });
}

/// Question 1 of the lesson: however late the job comes, the loop that was dropped says that it is cancelled.
#[test]
fn what_is_submitted_behind_the_last_stop_is_cancelled() {
    let clock = virtual_clock();
    for _ in 0..100 {
        let handle = Arc::new(Handle::default());
        thread::scope(|scope| {
            scope.spawn(|| EventLoop::new(&clock, &handle).run_forever());
            handle.call_soon_threadsafe(|event_loop| event_loop.stop());
            assert!(matches!(handle.submit("late", || async { 7 }).result(), Err(Ended::Cancelled)));
        });
    }
}

/// Question 2: another loop's result blocks this loop's thread, and comes.
#[test]
fn a_task_may_wait_for_the_loop_of_another_thread() {
    with_loop(|_, one| {
        with_loop(|_, other| {
            let other = other.clone();
            let waits = one.submit("waits", move || async move { other.submit("inner", || async { 7 }).result().ok() });
            assert_eq!(waits.result().ok(), Some(Some(7)));
        });
    });
}

#[test]
#[should_panic(expected = "a handle is for one loop")]
fn a_handle_is_for_one_loop() {
    let (clock, handle) = (virtual_clock(), Arc::new(Handle::default()));
    let _first = EventLoop::new(&clock, &handle);
    let _second = EventLoop::new(&clock, &handle);
}

#[test]
#[should_panic(expected = "stalled")]
fn a_loop_that_nobody_can_reach_any_more_says_so() {
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock, &Arc::new(Handle::default()));
    event_loop.run_forever();
}

/// The article's second program: 6 s on the clock, and its lines in order.
#[test]
fn the_program_takes_as_long_as_the_longer_of_its_sleeps() {
    let clock = virtual_clock();
    stage::article(&clock);
    assert_eq!(clock.now(), Duration::from_secs(6));
}
