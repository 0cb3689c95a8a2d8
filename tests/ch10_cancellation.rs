//! The stage of chapter 10, on its virtual clock.

#[allow(dead_code, missing_docs, unsafe_code)]
#[path = "../lessons/ch10_cancellation/stage.rs"]
mod stage;

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use stage::{Clock, Ended, EventLoop, Task, Time, do_some_work, gather, gather_settled, timeout, try_gather};

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
fn a_timeout_of_no_time_polls_its_future_once() {
    let clock = virtual_clock();
    let polls = Cell::new(0);
    let event_loop = EventLoop::new(&clock);
    let never = std::future::poll_fn(|_| {
        polls.set(polls.get() + 1);
        std::task::Poll::<()>::Pending
    });
    assert_eq!(event_loop.run_until_complete(timeout(&clock, Duration::ZERO, async { 7 })), Some(7));
    assert_eq!(event_loop.run_until_complete(timeout(&clock, Duration::ZERO, never)), None);
    assert_eq!(polls.get(), 1);
    assert_eq!(clock.now(), Duration::ZERO);
}

#[test]
fn a_task_that_is_lent_to_a_timeout_can_be_awaited_after_it() {
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let of_task = clock.clone();
    let mut task = event_loop.spawn("slow", async move {
        do_some_work(&of_task, 5).await;
        7
    });
    event_loop.run_until_complete(async {
        assert!(timeout(&clock, SECOND, &mut task).await.is_none());
        assert!(timeout(&clock, SECOND, &mut task).await.is_none());
        assert_eq!(task.await.ok(), Some(7));
    });
    assert_eq!(clock.now(), 5 * SECOND);
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

#[test]
fn a_panic_ends_the_wait_of_a_gather_and_the_others_run_on() {
    for is_try in [false, true] {
        let (clock, over) = (virtual_clock(), Rc::new(Cell::new(0)));
        let event_loop = EventLoop::new(&clock);
        let tasks = [1, 2, 4].map(|x| {
            let (clock, over) = (clock.clone(), over.clone());
            event_loop.spawn("work", async move {
                do_some_work(&clock, x).await;
                assert!(x != 2, "on purpose");
                over.set(over.get() + 1);
                Ok::<_, ()>(x)
            })
        });
        let gatherer = event_loop.spawn("gatherer", async move {
            if is_try { try_gather(tasks).await.is_ok() } else { gather(tasks).await.is_empty() }
        });
        let outcome = event_loop.run_until_complete(gatherer);
        assert!(matches!(outcome, Err(Ended::Panicked(_))));
        assert_eq!(clock.now(), 2 * SECOND);
        event_loop.run_until_complete(do_some_work(&clock, 5));
        assert_eq!(over.get(), 2);
    }
}

#[test]
fn a_child_that_was_cancelled_fails_its_gather_and_is_an_outcome_of_a_settled_one() {
    let (clock, over) = (virtual_clock(), Rc::new(Cell::new(0)));
    let event_loop = EventLoop::new(&clock);
    let tasks = || {
        let tasks = [1, 2, 4].map(|x| {
            let (clock, over) = (clock.clone(), over.clone());
            event_loop.spawn("work", async move {
                do_some_work(&clock, x).await;
                over.set(over.get() + 1);
                Ok::<_, ()>(x)
            })
        });
        assert!(tasks[1].cancel());
        tasks
    };
    let (of_gather, of_try_gather) = (tasks(), tasks());
    let gatherers = [
        event_loop.spawn("gather", async move { _ = gather(of_gather).await }),
        event_loop.spawn("try_gather", async move { _ = try_gather(of_try_gather).await }),
    ];
    for gatherer in gatherers {
        let Err(Ended::Panicked(panic)) = event_loop.run_until_complete(gatherer) else { panic!("it has no result") };
        assert!(panic.downcast_ref::<&str>().unwrap().contains("cancelled"));
    }
    assert_eq!(clock.now(), Duration::ZERO);
    event_loop.run_until_complete(do_some_work(&clock, 5));
    assert_eq!(over.replace(0), 4, "the siblings ran on");
    let outcomes = event_loop.run_until_complete(gather_settled(tasks()));
    assert_eq!(outcomes.iter().map(is_cancelled).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn who_gathers_is_cancelled_and_its_tasks_with_it_but_an_awaited_handle_is_only_let_go() {
    let (clock, over) = (virtual_clock(), Rc::new(Cell::new(0)));
    let event_loop = EventLoop::new(&clock);
    let work = || {
        let (clock, over) = (clock.clone(), over.clone());
        event_loop.spawn("work", async move {
            do_some_work(&clock, 2).await;
            over.set(over.get() + 1);
        })
    };
    let (gathered, awaited) = (vec![work(), work()], work());
    let gatherer = event_loop.spawn("gatherer", async move { gather_settled(gathered).await.len() });
    let waiter = event_loop.spawn("waiter", async move { awaited.await.is_ok() });
    event_loop.run_until_complete(do_some_work(&clock, 1));
    assert!(gatherer.cancel() && waiter.cancel());
    assert!(is_cancelled(&event_loop.run_until_complete(gatherer)));
    assert!(is_cancelled(&event_loop.run_until_complete(waiter)));
    event_loop.run_until_complete(do_some_work(&clock, 5));
    assert_eq!(over.get(), 1, "the one that was awaited ran on");
}

#[test]
fn all_its_destructors_have_run_on_the_loops_thread_before_a_waiter_is_told() {
    struct Here(Rc<Cell<Option<std::thread::ThreadId>>>);
    impl Drop for Here {
        fn drop(&mut self) {
            self.0.set(Some(std::thread::current().id()));
        }
    }
    let (clock, place) = (virtual_clock(), Rc::new(Cell::new(None)));
    let event_loop = EventLoop::new(&clock);
    let here = Here(place.clone());
    let task = event_loop.spawn("task", async move {
        let _here = here;
        pending::<()>().await;
    });
    event_loop.run_until_complete(do_some_work(&clock, 1));
    assert!(task.cancel());
    assert_eq!(place.get(), None, "not in cancel");
    let of_main = place.clone();
    let seen = event_loop.run_until_complete(async move {
        let outcome = task.await;
        (is_cancelled(&outcome), of_main.get())
    });
    assert_eq!(seen, (true, Some(std::thread::current().id())));
}

/// A handle could cancel, and a cancel wakes. But it owns no ticket: while all tasks wait, nobody runs who could call it.
#[test]
fn a_handle_does_not_hide_a_stall() {
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let task = event_loop.spawn("waits", pending::<()>());
    let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        event_loop.run_until_complete(pending::<()>());
    }));
    let message = *run.unwrap_err().downcast::<&str>().unwrap();
    assert!(message.starts_with("stalled"), "{message}");
    assert!(task.cancel());
}

#[test]
fn a_destructor_that_spawns_gives_close_one_turn_more() {
    struct Again(std::rc::Weak<EventLoop<'static>>, Log, usize);
    impl Drop for Again {
        fn drop(&mut self) {
            self.1.say("dropped");
            if self.2 > 0 {
                spawn(&self.0.upgrade().unwrap(), &self.1, self.2 - 1);
            }
        }
    }
    fn spawn(event_loop: &Rc<EventLoop<'static>>, log: &Log, times: usize) {
        let again = Again(Rc::downgrade(event_loop), log.clone(), times);
        drop(event_loop.spawn("again", async move {
            let _again = again;
            pending::<()>().await;
        }));
    }
    static CLOCK: LazyLock<Arc<Clock>> = LazyLock::new(virtual_clock);
    let (event_loop, log) = (EventLoop::new(&CLOCK), Log::default());
    spawn(&event_loop, &log, 3);
    event_loop.close();
    assert_eq!(log.take().len(), 4);
}

#[test]
fn a_cancel_before_the_next_poll_wins_over_what_the_task_was_woken_for() {
    let (clock, log) = (virtual_clock(), Log::default());
    let event_loop = EventLoop::new(&clock);
    let waiter = Rc::new(RefCell::new(None::<std::task::Waker>));
    let message = Rc::new(Cell::new(false));
    let (own, of_task, inner) = (waiter.clone(), message.clone(), log.clone());
    let task = event_loop.spawn("task", async move {
        std::future::poll_fn(|context| {
            own.replace(Some(context.waker().clone()));
            if of_task.get() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        inner.say("saw the message");
    });
    event_loop.run_until_complete(do_some_work(&clock, 1));
    message.set(true);
    waiter.take().unwrap().wake();
    assert!(task.cancel());
    assert!(is_cancelled(&event_loop.run_until_complete(task)));
    assert_eq!(log.take(), [""; 0]);
}
