//! The stage of chapter 7. On the virtual clock all that it tells is told by the thread of the test.

#[allow(dead_code, missing_docs, unsafe_code)]
#[path = "../lessons/ch07_event_loop/stage.rs"]
mod stage;
#[path = "common/stages.rs"]
mod stages;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use stage::{Clock, EventLoop, Time, article, do_some_work, join};
use stages::{listen_to, told, yields};

/// Far beyond what a thread needs.
const BACKSTOP: Duration = Duration::from_secs(60);

/// A task that wakes itself in each poll panics here instead of going on for ever.
const BOUND: usize = 1000;

fn virtual_clock() -> Arc<Clock> {
    Clock::new(Time::Virtual(Mutex::default()))
}

/// Wakes itself in each poll, and counts its polls.
fn spin(polls: &Cell<usize>) -> impl Future<Output = ()> {
    poll_fn(|context| {
        polls.set(polls.get() + 1);
        assert!(polls.get() < BOUND, "it is polled again and again");
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

/// Leaves its waker in each poll, counts its polls, and is never ready.
fn wait<'a>(polls: &'a Cell<usize>, waker: &'a RefCell<Option<Waker>>) -> impl Future<Output = ()> + 'a {
    poll_fn(|context| {
        polls.set(polls.get() + 1);
        waker.replace(Some(context.waker().clone()));
        Poll::Pending
    })
}

/// Wakes by reference whoever left a waker.
fn call(waker: &RefCell<Option<Waker>>) {
    waker.borrow().as_ref().expect("it was polled").wake_by_ref();
}

/// Runs it in a thread of its own, so that a deadlock is a failure.
fn within_the_backstop<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, is_done) = channel();
    thread::spawn(move || done.send(test()));
    is_done.recv_timeout(BACKSTOP).expect("it ends, without a panic")
}

/// The run that the lesson shows: 3 tasks, 6 polls, 3 wakes.
#[test]
fn the_program_of_the_chapter() {
    listen_to(&stage::PLAYER);
    article(&virtual_clock());
    assert_eq!(told("poll"), ["1", "2", "3", "1", "3", "3"]);
    assert_eq!(told("wake"), ["1", "3", "3"]);
    assert_eq!(told("clone"), ["1", "3", "3", "3"]);
    assert_eq!(told("drop").len(), 4);
    let lines = [
        "waiting: 1",
        "called by the loop",
        "waiting: 2",
        "waiting: 4",
        "Done after 1s, in 2 polls",
        "Done after 2s, in 2 polls",
        "Done after 4s, in 3 polls",
        "Time: 4.000",
    ];
    assert_eq!(told("say"), lines);
}

/// Rules 7.1 and 7.3: before its wake returns, and before its own poll does, a task is not polled again.
#[test]
fn a_wake_polls_nothing() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let (polls, wakers): (Vec<Cell<usize>>, Vec<RefCell<Option<Waker>>>) = (0..20).map(|_| Default::default()).unzip();
    let event_loop = EventLoop::new(&clock);
    for (polls, waker) in polls.iter().zip(&wakers) {
        event_loop.spawn("waits", wait(polls, waker));
    }
    event_loop.run_until_complete(async {
        wakers.iter().for_each(call);
        assert!(polls.iter().all(|polls| polls.get() == 1));
        yields().await;
        assert!(polls.iter().all(|polls| polls.get() == 2), "and in the next turn all are");
    });
}

/// Rule 7.1: another thread wakes a loop that is parked, and the task is polled on the thread of the loop.
#[test]
fn a_wake_from_another_thread_ends_the_wait() {
    let threads = within_the_backstop(|| {
        let clock = Clock::new(Time::Real(Instant::now()));
        let (send, receive) = channel::<Waker>();
        let caller = thread::spawn(move || {
            let waker = receive.recv().expect("the first poll sends it");
            // Until the loop is parked, most likely: a call that came before would prove less, and not fail.
            (0..10_000).for_each(|_| thread::yield_now());
            waker.wake();
        });
        let polled_on = RefCell::new(Vec::new());
        EventLoop::new(&clock).run_until_complete(poll_fn(|context| {
            polled_on.borrow_mut().push(thread::current().id());
            if polled_on.borrow().len() == 2 {
                return Poll::Ready(());
            }
            send.send(context.waker().clone()).unwrap();
            Poll::Pending
        }));
        caller.join().unwrap();
        polled_on.take().into_iter().map(|id| id == thread::current().id()).collect::<Vec<_>>()
    });
    assert_eq!(threads, [true, true]);
}

/// Rule 7.2, for wakes during the poll and after it, by the waker and by its clones.
#[test]
fn several_wakes_are_one_entry() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let (polls, waker) = (Cell::new(0), RefCell::default());
    let event_loop = EventLoop::new(&clock);
    event_loop.spawn("woken in its poll", async {
        poll_fn(|context| {
            polls.set(polls.get() + 1);
            vec![context.waker().clone(); 25].into_iter().for_each(Waker::wake);
            if polls.get() == 2 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        wait(&polls, &waker).await;
    });
    event_loop.run_until_complete(async {
        for expected in [1, 3, 4, 4, 4] {
            assert_eq!(polls.get(), expected);
            yields().await;
        }
        (0..25).for_each(|_| call(&waker));
        for expected in [4, 5, 5] {
            assert_eq!(polls.get(), expected);
            yields().await;
        }
    });
    assert_eq!(told("wake").iter().filter(|number| *number == "1").count(), 75);
}

/// Rules 7.2 and 7.3: its entry is in the queue until its poll, also when the turn has begun.
#[test]
fn a_wake_in_the_turn_before_the_poll_is_no_second_entry() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let (polls, wakers): (Vec<Cell<usize>>, Vec<RefCell<Option<Waker>>>) = (0..20).map(|_| Default::default()).unzip();
    let event_loop = EventLoop::new(&clock);
    event_loop.spawn("wakes all", async {
        yields().await;
        wakers.iter().for_each(call);
    });
    for (polls, waker) in polls.iter().zip(&wakers) {
        event_loop.spawn("woken before its second poll", async {
            join(yields(), wait(polls, waker)).await;
        });
    }
    event_loop.run_until_complete(do_some_work(&clock, 1));
    assert!(polls.iter().all(|polls| polls.get() == 2), "{polls:?}");
}

/// Rule 7.3.
#[test]
fn a_wake_during_the_poll_is_not_lost() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let count = Cell::new(0);
    let event_loop = EventLoop::new(&clock);
    for _ in 0..20 {
        event_loop.spawn("yields", async {
            yields().await;
            yields().await;
            count.set(count.get() + 1);
        });
    }
    event_loop.run_until_complete(do_some_work(&clock, 1));
    assert_eq!(count.get(), 20);
}

/// Rule 7.4: in the order of the wakes, which is not that of the spawns.
#[test]
fn tasks_are_polled_in_the_order_in_which_they_became_ready() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let order: Vec<usize> = (0..23).map(|place| place * 7 % 23).collect();
    let (polls, wakers): (Vec<Cell<usize>>, Vec<RefCell<Option<Waker>>>) = (0..23).map(|_| Default::default()).unzip();
    let event_loop = EventLoop::new(&clock);
    for (polls, waker) in polls.iter().zip(&wakers) {
        event_loop.spawn("waits", wait(polls, waker));
    }
    event_loop.run_until_complete(async {
        order.iter().for_each(|place| call(&wakers[*place]));
        yields().await;
    });
    let spawns = 1..=24;
    let wakes = order.iter().map(|place| place + 1).chain([24]);
    assert_eq!(told("poll"), spawns.chain(wakes).map(|number| number.to_string()).collect::<Vec<_>>());
}

/// Rule 7.4: a task that wakes itself keeps neither the others nor the end of the run waiting.
#[test]
fn a_turn_ends_whatever_a_task_does() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let polls: Vec<Cell<usize>> = (0..20).map(|_| Cell::default()).collect();
    let event_loop = EventLoop::new(&clock);
    polls.iter().for_each(|polls| event_loop.spawn("spins", spin(polls)));
    event_loop.run_until_complete(async {
        for turn in 1..=50 {
            assert!(polls.iter().all(|polls| polls.get() == turn), "turn {turn}: {polls:?}");
            yields().await;
        }
    });
}

/// Rule 7.4, for what is spawned: a callback that calls for the next one is called once in a turn.
#[test]
fn what_is_spawned_in_a_turn_is_for_the_next() {
    fn again<'a>(event_loop: Rc<EventLoop<'a>>, calls: &'a Cell<usize>) {
        calls.set(calls.get() + 1);
        assert!(calls.get() < BOUND, "it is called again and again");
        // With a pointer that does not count: the last one is not called, and would keep the loop.
        let weak = Rc::downgrade(&event_loop);
        event_loop.call_soon(move || {
            if let Some(event_loop) = weak.upgrade() {
                again(event_loop, calls);
            }
        });
    }
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let calls = Cell::new(0);
    let event_loop = EventLoop::new(&clock);
    again(event_loop.clone(), &calls);
    event_loop.run_until_complete(async {});
    assert_eq!(calls.get(), 2, "one by the test, and one in the only turn");
    event_loop.run_until_complete(yields());
    assert_eq!(calls.get(), 4);
}

/// Rule 7.5.
#[test]
fn a_task_that_nobody_wakes_is_polled_once() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let (polls, wakers): (Vec<Cell<usize>>, Vec<RefCell<Option<Waker>>>) = (0..20).map(|_| Default::default()).unzip();
    let event_loop = EventLoop::new(&clock);
    for (polls, waker) in polls.iter().zip(&wakers) {
        event_loop.spawn("waits", wait(polls, waker));
    }
    event_loop.run_until_complete(async {
        for _ in 0..5 {
            do_some_work(&clock, 1).await;
            yields().await;
        }
    });
    assert!(polls.iter().all(|polls| polls.get() == 1), "{polls:?}");
}

/// Rule 7.6: in a poll, in the drop of a future that is over, and in that of one that panics.
#[test]
fn a_task_may_spawn_and_wake_wherever_its_code_runs() {
    struct SpawnsAtItsEnd<'a>(Rc<EventLoop<'a>>, &'a Cell<usize>, Option<Waker>);
    impl Drop for SpawnsAtItsEnd<'_> {
        fn drop(&mut self) {
            let count = self.1;
            self.0.spawn("spawned by a drop", async { count.set(count.get() + 1) });
            self.2.take().expect("it was polled").wake();
        }
    }
    let count = within_the_backstop(|| {
        let clock = virtual_clock();
        let count = Cell::new(0);
        let event_loop = EventLoop::new(&clock);
        for number in 0..20 {
            let mut at_its_end = SpawnsAtItsEnd(event_loop.clone(), &count, None);
            // What a closure owns is dropped with the future, and not at the end of its poll.
            event_loop.spawn(
                "spawns",
                poll_fn(move |context| {
                    let waker = at_its_end.2.insert(context.waker().clone());
                    waker.wake_by_ref();
                    let count = at_its_end.1;
                    at_its_end.0.spawn("spawned by a poll", async { count.set(count.get() + 1) });
                    assert!(number < 19, "on purpose");
                    Poll::Ready(())
                }),
            );
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| event_loop.run_until_complete(async {})));
        assert_eq!(outcome.unwrap_err().downcast_ref(), Some(&"on purpose"));
        event_loop.run_until_complete(async {});
        count.get()
    });
    assert_eq!(count, 40);
}

/// Rule 7.7: while the loop is there, and after it.
#[test]
fn a_wake_of_a_task_that_is_over_changes_nothing() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let wakers = RefCell::new(Vec::new());
    let event_loop = EventLoop::new(&clock);
    for _ in 0..20 {
        event_loop.spawn(
            "over at once",
            poll_fn(|context| {
                wakers.borrow_mut().push(context.waker().clone());
                Poll::Ready(())
            }),
        );
    }
    event_loop.run_until_complete(async {});
    let polls = told("poll").len();
    wakers.borrow().iter().for_each(Waker::wake_by_ref);
    event_loop.run_until_complete(async {
        wakers.borrow().iter().for_each(Waker::wake_by_ref);
        yields().await;
    });
    assert_eq!(told("poll").len(), polls + 2, "nobody was polled but the second main, twice");
    drop(event_loop);
    wakers.take().into_iter().for_each(Waker::wake);
}

/// Only the table owns a future: it goes when it is over or the loop is dropped, whoever has a waker.
#[test]
fn a_waker_keeps_no_future() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let alive = Rc::new(());
    let (polls, wakers): (Vec<Cell<usize>>, Vec<RefCell<Option<Waker>>>) = (0..20).map(|_| Default::default()).unzip();
    let event_loop = EventLoop::new(&clock);
    for (number, (polls, waker)) in polls.iter().zip(&wakers).enumerate() {
        let own = alive.clone();
        let mut waits = Box::pin(wait(polls, waker));
        event_loop.spawn(
            "waits",
            poll_fn(move |context| {
                let _ = (&own, waits.as_mut().poll(context));
                if number < 10 { Poll::Ready(()) } else { Poll::Pending }
            }),
        );
    }
    event_loop.run_until_complete(async {});
    assert_eq!(Rc::strong_count(&alive), 1 + 10);
    drop(event_loop);
    assert_eq!(Rc::strong_count(&alive), 1);
    wakers.iter().for_each(call);
}

/// The turn in which `main` is over goes to its end, and what is left goes on in the next run.
#[test]
fn a_run_ends_with_its_turn_and_the_tasks_stay() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let order = RefCell::new(Vec::new());
    let note = |what: &'static str| order.borrow_mut().push(what);
    let event_loop = EventLoop::new(&clock);
    let spawner = event_loop.clone();
    let result = event_loop.run_until_complete(async move {
        let spawns = async move {
            spawner.clone().spawn("child", async move {
                note("child");
                spawner.spawn("grandchild", async move { note("grandchild") });
            });
        };
        join(yields(), spawns).await;
        note("main is over");
        "its result"
    });
    assert_eq!((result, order.borrow().as_slice()), ("its result", ["main is over", "child"].as_slice()));
    event_loop.run_until_complete(async { note("another main") });
    assert_eq!(order.take()[2..], ["grandchild", "another main"]);
}

/// A panic ends the run. The entries of the others are still there for the next one.
#[test]
fn a_panic_takes_no_entry_of_the_others() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let count = Cell::new(0);
    let event_loop = EventLoop::new(&clock);
    event_loop.spawn("panics", async { panic!("on purpose") });
    (0..20).for_each(|_| event_loop.spawn("counts", async { count.set(count.get() + 1) }));
    let outcome = catch_unwind(AssertUnwindSafe(|| event_loop.run_until_complete(async {})));
    assert_eq!(outcome.unwrap_err().downcast_ref(), Some(&"on purpose"));
    assert_eq!(count.get(), 0);
    event_loop.run_until_complete(async {});
    assert_eq!(count.get(), 20);
}

/// On the real clock a task that wakes itself for ever does not keep a sleep from its end.
#[test]
fn a_timer_fires_while_somebody_is_always_ready() {
    let time = within_the_backstop(|| {
        let clock = Clock::new(Time::Real(Instant::now()));
        let event_loop = EventLoop::new(&clock);
        event_loop.spawn(
            "spins",
            poll_fn(|context| {
                thread::yield_now();
                context.waker().wake_by_ref();
                Poll::Pending
            }),
        );
        event_loop.run_until_complete(do_some_work(&clock, 1));
        clock.now()
    });
    assert!(time >= Duration::from_secs(1));
}

/// What the lesson warns of: in a run within a run, a wake for the outer one is lost.
#[test]
fn a_run_in_a_task_of_the_same_loop_loses_its_wake() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let weak = Rc::downgrade(&event_loop);
    let mut polls = 0;
    let outer = poll_fn(move |context| {
        polls += 1;
        assert_eq!(polls, 1, "the wake was not lost");
        let waker = context.waker().clone();
        weak.upgrade().expect("it runs").run_until_complete(async move {
            waker.wake();
            yields().await;
        });
        Poll::<()>::Pending
    });
    let outcome = catch_unwind(AssertUnwindSafe(|| event_loop.run_until_complete(outer)));
    assert_eq!(outcome.unwrap_err().downcast_ref(), Some(&"nobody is left who could wake this thread"));
    assert_eq!([told("wake")[0].as_str(), told("poll").last().unwrap()], ["1", "2"]);
}
