//! The stage of chapter 10, on its virtual clock.

#[allow(dead_code, missing_docs, unsafe_code)]
#[path = "../lessons/ch10_cancellation/stage.rs"]
mod stage;

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use stage::{Clock, Ended, EventLoop, Task, Time, do_some_work, gather, timeout, try_gather};

const SECOND: Duration = Duration::from_secs(1);

fn virtual_clock() -> Arc<Clock> {
    Clock::new(Time::Virtual(Mutex::default()))
}

/// Writes its name down when it is dropped.
struct Named(Rc<RefCell<Vec<&'static str>>>, &'static str);

impl Drop for Named {
    fn drop(&mut self) {
        self.0.borrow_mut().push(self.1);
    }
}

#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<&'static str>>>);

impl Log {
    fn named(&self, name: &'static str) -> Named {
        Named(self.0.clone(), name)
    }

    fn say(&self, what: &'static str) {
        self.0.borrow_mut().push(what);
    }

    fn take(&self) -> Vec<&'static str> {
        self.0.take()
    }
}

fn is_cancelled<T>(outcome: &Result<T, Ended>) -> bool {
    matches!(outcome, Err(Ended::Cancelled))
}

#[test]
fn before_the_start_its_code_never_runs_and_what_it_holds_is_dropped() {
    let (clock, log) = (virtual_clock(), Log::default());
    let event_loop = EventLoop::new(&clock);
    let (held, inner) = (log.named("held"), log.clone());
    let task = event_loop.spawn("task", async move {
        let _held = held;
        inner.say("ran");
    });
    assert!(task.cancel());
    assert!(!task.cancel(), "it was cancelled before");
    assert_eq!(log.take(), [""; 0], "not before its turn");
    assert!(is_cancelled(&event_loop.run_until_complete(task)));
    assert_eq!(log.take(), ["held"]);
}

#[test]
fn while_it_sleeps_its_values_go_the_latest_first_and_its_timer_with_them() {
    let (clock, log) = (virtual_clock(), Log::default());
    let event_loop = EventLoop::new(&clock);
    let inner = log.clone();
    let of_task = clock.clone();
    let task = event_loop.spawn("sleeps", async move {
        let _first = inner.named("first");
        let _second = inner.named("second");
        do_some_work(&of_task, 3600).await;
        inner.say("woke");
    });
    event_loop.run_until_complete(async {
        do_some_work(&clock, 1).await;
        assert!(task.cancel());
        assert!(is_cancelled(&task.await));
    });
    assert_eq!(log.take(), ["second", "first"]);
    assert_eq!(clock.now(), SECOND, "nobody waited for the hour");
}

#[test]
fn who_cancels_itself_runs_to_its_next_pending_and_a_result_in_that_poll_stands() {
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    for is_ready_at_once in [true, false] {
        let (place, log) = (Rc::new(RefCell::new(None::<Task<u32>>)), Log::default());
        let (own, inner) = (place.clone(), log.clone());
        let task = event_loop.spawn("itself", async move {
            assert!(own.borrow().as_ref().unwrap().cancel());
            inner.say("went on");
            if !is_ready_at_once {
                pending::<()>().await;
            }
            7
        });
        place.replace(Some(task));
        let waiter = place.clone();
        // Its handle is taken out of the cell only when the task has used it.
        let outcome = event_loop.run_until_complete(async move {
            let task = std::future::poll_fn(move |_| match waiter.take() {
                Some(task) => std::task::Poll::Ready(task),
                None => std::task::Poll::Pending,
            });
            task.await.await
        });
        assert_eq!(log.take(), ["went on"]);
        assert_eq!(outcome.ok(), is_ready_at_once.then_some(7));
    }
}

#[test]
fn after_its_end_nothing_is_cancelled() {
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let task = event_loop.spawn("done", async { 7 });
    event_loop.run_until_complete(async { do_some_work(&clock, 1).await });
    assert!(!task.cancel());
    assert_eq!(event_loop.run_until_complete(task).ok(), Some(7));
}

#[test]
fn a_destructor_that_panics_ends_its_own_task_only() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let bad = event_loop.spawn("bad", async {
        let _panics = Panics;
        pending::<()>().await;
    });
    let good = event_loop.spawn("good", async { 7 });
    let seen = event_loop.run_until_complete(async {
        do_some_work(&clock, 1).await;
        assert!(bad.cancel());
        (matches!(bad.await, Err(Ended::Panicked(_))), good.await.ok())
    });
    assert_eq!(seen, (true, Some(7)));
}

#[test]
fn a_timeout_asks_the_future_before_the_clock_and_drops_what_is_too_slow() {
    let (clock, log) = (virtual_clock(), Log::default());
    let event_loop = EventLoop::new(&clock);
    let (spawner, clock) = (event_loop.clone(), &clock);
    event_loop.run_until_complete(async move {
        assert!(timeout(clock, SECOND, do_some_work(clock, 1)).await.is_some(), "ready in the same moment");
        let held = log.named("held");
        let slow = async {
            let _held = held;
            do_some_work(clock, 5).await
        };
        assert!(timeout(clock, SECOND, slow).await.is_none());
        assert_eq!(log.take(), ["held"]);
        // Of a task only the handle is dropped: it runs on.
        let done = Rc::new(Cell::new(false));
        let (inner, of_task) = (done.clone(), clock.clone());
        let task = spawner.spawn("slow", async move {
            do_some_work(&of_task, 5).await;
            inner.set(true);
        });
        assert!(timeout(clock, SECOND, task).await.is_none());
        assert!(!done.get());
        do_some_work(clock, 5).await;
        assert!(done.get());
    });
}

#[test]
fn a_gather_that_is_dropped_cancels_and_one_that_has_failed_does_not() {
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let (done, clock, spawner) = (Rc::new(Cell::new(0)), &clock, event_loop.clone());
    let seen = done.clone();
    let tasks = move || {
        [2, 3].map(|x| {
            let (done, clock) = (done.clone(), clock.clone());
            spawner.spawn("work", async move {
                do_some_work(&clock, x).await;
                done.set(done.get() + 1);
                if x == 2 { Err(x) } else { Ok(x) }
            })
        })
    };
    event_loop.run_until_complete(async move {
        assert!(timeout(clock, SECOND, gather(tasks())).await.is_none());
        do_some_work(clock, 5).await;
        assert_eq!(seen.get(), 0, "both were cancelled");
        assert_eq!(try_gather(tasks()).await, Err(2));
        do_some_work(clock, 5).await;
        assert_eq!(seen.get(), 2, "the other one ran on");
    });
}

#[test]
fn a_loop_that_closes_cancels_what_is_left_and_breaks_the_cycle() {
    let (clock, log) = (virtual_clock(), Log::default());
    let event_loop = EventLoop::new(&clock);
    for name in ["one", "two", "three"] {
        let (own, held, of_task) = (event_loop.clone(), log.named(name), clock.clone());
        drop(event_loop.spawn(name, async move {
            let (_own, _held) = (own, held);
            do_some_work(&of_task, 3600).await;
        }));
    }
    event_loop.run_until_complete(do_some_work(&clock, 1));
    let weak = Rc::downgrade(&event_loop);
    event_loop.close();
    assert_eq!(log.take(), ["one", "two", "three"]);
    event_loop.close();
    drop(event_loop);
    assert!(weak.upgrade().is_none(), "no task keeps it");
    assert_eq!(clock.now(), SECOND);
}

#[test]
fn dropping_the_loop_closes_it() {
    let (clock, log) = (virtual_clock(), Log::default());
    let event_loop = EventLoop::new(&clock);
    let held = log.named("held");
    let task = event_loop.spawn("left", async move {
        let _held = held;
        pending::<()>().await;
    });
    drop(event_loop);
    assert_eq!(log.take(), ["held"]);
    assert!(!task.cancel());
}
