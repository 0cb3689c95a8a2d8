//! What a recording loop tells: each kind of event, by whom, in which order; and what recording does not change.

mod common;

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use common::{CountingWaker, Drops, Gate, block_on, panic_of, watched};
use handloop::record::{Actor, Ended, Event, Holder, Id, Outcome, Recorder, What, snapshot, watch};
use handloop::{
    Builder, EventLoop, call_later, call_soon, create_future, gather, note, run_in_executor, sleep, spawn, spawn_named,
    timeout, yield_now,
};

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Keeps events, and gives them as short strings.
#[derive(Clone, Default)]
struct Tape(Arc<Mutex<Vec<Event>>>);

impl Tape {
    fn recorder(&self) -> Recorder {
        let events = self.0.clone();
        Recorder::new(move |event| events.lock().unwrap().push(event.clone()))
    }

    fn on(&self, builder: Builder) -> EventLoop {
        builder.virtual_clock().on_report(|_| {}).record(&self.recorder()).build()
    }

    fn event_loop(&self) -> EventLoop {
        self.on(EventLoop::builder())
    }

    fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap()).iter().map(|event| short(&event.what)).collect()
    }

    /// Those of them that have one of these words in them.
    fn about(&self, words: &[&str]) -> Vec<String> {
        self.take().into_iter().filter(|event| words.iter().any(|word| event.contains(word))).collect()
    }
}

fn id(id: Id) -> String {
    match id {
        Id::Task(number) => format!("{number}"),
        Id::Callback(number) => format!("c{number}"),
    }
}

fn by(actor: &Actor) -> String {
    match actor {
        Actor::Of(of) => id(*of),
        other => other.to_string(),
    }
}

fn holder(holder: Holder) -> String {
    match holder {
        Holder::JoinerOf(of) => format!("joiner {}", id(of)),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn short(what: &What) -> String {
    match what {
        What::Spawned { id: task, by: actor, queued, .. } => {
            format!("{} spawns {}{}", by(actor), id(*task), if *queued { "" } else { " unready" })
        }
        What::Submitted { id: task, by: actor, .. } => format!("{} submits {}", by(actor), id(*task)),
        What::PollBegun { id: task } => format!("poll {}", id(*task)),
        What::PollEnded { id: task, outcome, .. } => format!("{} {}", format!("{outcome:?}").to_lowercase(), id(*task)),
        What::Woken { id: task, by: actor, queued, from, by_value, live } => format!(
            "{} wakes {}{}{} ({live})",
            by(actor),
            id(*task),
            if *queued { "" } else { " in vain" },
            if *by_value { format!(" with the {}'s", holder(*from)) } else { String::new() }
        ),
        What::WakerCloned { id: task, by: actor, holder: keeper, live } => {
            format!("{} clones {} for {} ({live})", by(actor), id(*task), holder(*keeper))
        }
        What::WakerDropped { id: task, by: actor, holder: keeper, live } => {
            format!("{} drops {} of {} ({live})", by(actor), id(*task), holder(*keeper))
        }
        What::TimerSet { timer, id: task, deadline, .. } => {
            format!("timer {timer} for {} at {}", task.map_or("another".to_owned(), id), deadline.as_secs_f64())
        }
        What::TimerFired { timer } => format!("timer {timer} fires"),
        What::TimerDropped { timer, by: actor } => format!("{} drops timer {timer}", by(actor)),
        What::CancelAsked { id: task, by: actor } => format!("{} cancels {}", by(actor), id(*task)),
        What::DropBegun { id: task } => format!("drop {}", id(*task)),
        What::Cancelled { id: task, panicked } => {
            format!("cancelled {}{}", id(*task), if *panicked { "!" } else { "" })
        }
        What::Joined { id: task, by: actor } => format!("{} joins {}", by(actor), id(*task)),
        What::Detached { id: task, by: actor } => format!("{} detaches {}", by(actor), id(*task)),
        What::RunBegun => "run".to_owned(),
        What::Parked => "parked".to_owned(),
        What::Unparked { by: actor } => format!("unparked by {}", by(actor)),
        What::ClockJumped { from } => format!("clock from {}", from.as_secs_f64()),
        What::StopAsked { by: actor } => format!("{} stops", by(actor)),
        What::Stalled(_) => "stalled".to_owned(),
        What::RunEnded(ended) => format!("ended {ended:?}").to_lowercase(),
        What::CloseBegun => "close".to_owned(),
        What::Closed => "closed".to_owned(),
        What::Note { text, by: actor, .. } => format!("{} says {text}", by(actor)),
        other => format!("{other:?}"),
    }
}

#[test]
fn two_sleeps_event_by_event() {
    let tape = Tape::default();
    tape.event_loop().run_until_complete(async {
        let tasks = [1, 2].map(|n| spawn(sleep(seconds(n))));
        gather(tasks).await.unwrap();
    });
    let events = tape.events();
    assert_eq!(
        events.iter().map(|event| event.number).collect::<Vec<_>>(),
        (1..=events.len() as u64).collect::<Vec<_>>()
    );
    let times: Vec<u64> = events.iter().map(|event| event.time.as_secs()).collect();
    assert!(times.is_sorted() && times.last() == Some(&2), "{times:?}");
    assert_eq!(
        tape.take(),
        [
            "the loop spawns 1",
            "run",
            "poll 1",
            "1 spawns 2",
            "1 spawns 3",
            "1 clones 1 for gather (1)",
            "pending 1",
            "poll 2",
            "2 clones 2 for timer (1)",
            "timer 1 for 2 at 1",
            "pending 2",
            "poll 3",
            "3 clones 3 for timer (1)",
            "timer 2 for 3 at 2",
            "pending 3",
            "clock from 0",
            "timer 1 fires",
            "the timer wakes 2 with the timer's (0)",
            "poll 2",
            "ready 2",
            "clock from 1",
            "timer 2 fires",
            "the timer wakes 3 with the timer's (0)",
            "poll 3",
            "ready 3",
            "3 wakes 1 with the gather's (0)",
            "poll 1",
            "1 joins 2",
            "1 joins 3",
            "ready 1",
            "ended done",
            "close",
            "closed",
        ]
    );
}

#[test]
fn wakes_by_itself_by_another_and_in_vain() {
    let tape = Tape::default();
    tape.event_loop().run_until_complete(async {
        let (a, b) = (Gate::new(), Gate::new());
        let (first, second) = (spawn(a.clone()), spawn(b.clone()));
        yield_now().await;
        let (waker, late) = (a.waker().unwrap(), b.waker().unwrap());
        waker.wake_by_ref();
        waker.wake();
        a.open();
        b.open();
        first.await.unwrap();
        second.await.unwrap();
        late.wake();
    });
    assert_eq!(
        tape.about(&["wakes"]),
        [
            "1 wakes 1 (0)",
            "1 wakes 2 (2)",
            "1 wakes 2 in vain with the unknown's (1)",
            "1 wakes 2 in vain with the unknown's (0)",
            "1 wakes 3 with the unknown's (1)",
            "2 wakes 1 with the joiner 2's (0)",
            "1 wakes 3 in vain with the unknown's (0)",
        ]
    );
}

#[test]
fn joins_detaches_and_cancels() {
    let tape = Tape::default();
    tape.event_loop().run_until_complete(async {
        let mut joined = spawn(sleep(seconds(1)));
        drop(spawn(sleep(seconds(2))));
        let cancelled = spawn(sleep(seconds(3)));
        assert!(timeout(Duration::ZERO, &mut joined).await.is_err());
        yield_now().await;
        cancelled.cancel();
        assert!(cancelled.await.unwrap_err().is_cancelled());
        joined.await.unwrap();
    });
    assert_eq!(
        tape.about(&["joins", "detaches", "cancels", "drop", "cancelled", "joiner"]),
        [
            "1 detaches 3",
            "1 clones 1 for joiner 2 (1)",
            "1 cancels 4",
            "1 clones 1 for joiner 4 (2)",
            "drop 4",
            "4 drops timer 3",
            "4 drops 4 of timer (0)",
            "cancelled 4",
            "4 wakes 1 with the joiner 4's (1)",
            "1 joins 4",
            "2 wakes 1 with the joiner 2's (0)",
            "1 joins 2",
            // The detached one sleeps still when the loop closes.
            "drop 3",
            "3 drops timer 2",
            "3 drops 3 of timer (0)",
            "cancelled 3",
        ]
    );
}

#[test]
fn callbacks_are_counted_scheduled_run_and_cancelled() {
    let tape = Tape::default();
    tape.event_loop().run_until_complete(async {
        call_soon(|| ()).unwrap();
        call_later(seconds(1), || panic!("planned")).unwrap();
        call_soon(|| unreachable!()).unwrap().cancel();
        sleep(seconds(2)).await;
    });
    let events = tape.about(&["c1", "c2", "c3"]);
    assert_eq!(
        events,
        [
            "1 spawns c1",
            "1 spawns c2 unready",
            "1 clones c2 for timer (1)",
            "timer 1 for c2 at 1",
            "1 spawns c3",
            "1 cancels c3",
            "1 wakes c3 in vain (0)",
            "poll c1",
            "ready c1",
            "drop c3",
            "cancelled c3",
            "the timer wakes c2 with the timer's (0)",
            "poll c2",
            "panicked c2",
        ]
    );
}

#[test]
fn a_timer_that_is_polled_with_another_waker_moves_to_it() {
    let tape = Tape::default();
    let (counter, foreign) = CountingWaker::new();
    tape.event_loop().run_until_complete(async {
        let mut nap = pin!(sleep(seconds(1)));
        assert!(nap.as_mut().poll(&mut Context::from_waker(&foreign)).is_pending());
        nap.await;
    });
    assert_eq!(counter.wakes(), 0);
    assert_eq!(
        tape.about(&["timer"]),
        [
            "timer 1 for another at 1",
            "1 clones 1 for timer (1)",
            "timer 1 for 1 at 1",
            "timer 1 fires",
            "the timer wakes 1 with the timer's (0)",
        ]
    );
}

/// Case 78. The future that panics, a destructor that does, and a root that does.
#[test]
fn panics_are_told() {
    let tape = Tape::default();
    let event_loop = tape.event_loop();
    event_loop.run_until_complete(async {
        let panics = spawn(async { panic!("planned") });
        let dropped = spawn(async {
            let _bomb = common::OnDrop(|| panic!("planned"));
            pending::<()>().await;
        });
        yield_now().await;
        dropped.cancel();
        assert!(panics.await.unwrap_err().is_panic() && dropped.await.unwrap_err().is_panic());
    });
    panic_of(|| event_loop.run_until_complete(async { panic!("planned") }));
    event_loop.run_until_complete(async {});
    assert_eq!(
        tape.about(&["panicked", "!", "ended"]),
        ["panicked 2", "cancelled 3!", "ended done", "panicked 4", "ended panicked", "ended done"]
    );
}

#[test]
fn a_lost_waker_is_told_before_the_stall() {
    let tape = Tape::default();
    let gate = Gate::new();
    let error = tape
        .event_loop()
        .try_run_until_complete(async {
            let task = spawn(gate.clone());
            yield_now().await;
            gate.lose_waker();
            task.await.unwrap();
        })
        .unwrap_err();
    let events = tape.events();
    let lost = events.iter().position(|event| short(&event.what) == "1 drops 2 of unknown (0)").unwrap();
    let stalled = events.iter().position(
        |event| matches!(&event.what, What::Stalled(report) if handloop::RunError::Stalled(report.clone()) == error),
    );
    assert!(lost < stalled.unwrap());
    assert_eq!(tape.about(&["parked", "stalled", "ended"]), ["parked", "stalled", "ended stalled"]);
}

#[test]
fn a_task_waits_at_the_await_that_polled_its_leaf() {
    let tape = Tape::default();
    let here = line!();
    tape.event_loop().run_until_complete(async {
        sleep(seconds(1)).await;
        yield_now().await;
        let (promise, future) = create_future::<()>();
        assert!(timeout(seconds(1), future).await.is_err());
        // The promise that was given up in this poll is not what is waited for.
        spawn(sleep(seconds(1))).await.unwrap();
        gather([spawn(sleep(seconds(1)))]).await.unwrap();
        drop(promise);
        Box::pin(sleep(seconds(1))).await;
    });
    let lines: Vec<Vec<u32>> = tape
        .events()
        .iter()
        .filter_map(|event| match &event.what {
            What::PollEnded { id: Id::Task(1), waits_at, .. } => {
                Some(waits_at.iter().map(|at| at.line() - here).collect())
            }
            _ => None,
        })
        .collect();
    // A boxed future is polled by std, whose line says nothing.
    assert_eq!(lines, [vec![2], vec![3], vec![5, 5], vec![7], vec![8], vec![], vec![]]);
}

#[test]
fn the_lines_of_spawns_and_submissions() {
    let tape = Tape::default();
    let event_loop = tape.event_loop();
    let task = event_loop.handle().submit(async {});
    let here = line!();
    event_loop.run_until_complete(async {
        drop(spawn_named("named", async {}));
        task.await.unwrap();
    });
    let lines: Vec<(u32, Option<String>)> = tape
        .events()
        .into_iter()
        .filter_map(|event| match event.what {
            What::Spawned { name, .. } => Some((event.at.unwrap().line(), name)),
            What::Submitted { .. } => Some((event.at.unwrap().line(), None)),
            _ => None,
        })
        .collect();
    assert_eq!(lines, [(here + 1, None), (here - 1, None), (here + 2, Some("named".to_owned()))]);
}

/// What another thread does is numbered when the loop takes it over: its wake always before the poll.
#[test]
fn other_threads_are_told_by_name_and_before_what_they_cause() {
    watched(|| {
        let tape = Tape::default();
        let event_loop = tape.event_loop();
        let gate = Arc::new(Mutex::new(None::<Waker>));
        let (kept, has_kept) = channel();
        let slot = gate.clone();
        let waiting = event_loop.spawn(async move {
            let mut polls = 0;
            poll_fn(|context| {
                polls += 1;
                if polls == 2 {
                    return Poll::Ready(());
                }
                *slot.lock().unwrap() = Some(context.waker().clone());
                kept.send(()).unwrap();
                Poll::Pending
            })
            .await;
        });
        let handle = event_loop.handle();
        let helper = thread::Builder::new().name("helper".to_owned()).spawn(move || {
            has_kept.recv().unwrap();
            let waker = gate.lock().unwrap().take().unwrap();
            let hold = handle.hold_clock();
            drop(waker.clone());
            waker.wake_by_ref();
            waker.wake();
            let sum = handle.submit(async { 1 + 1 });
            let sleeping = handle.submit(pending::<()>());
            sleeping.cancel();
            drop(hold);
            assert_eq!(sum.result().unwrap(), 2);
            assert!(sleeping.result().is_err());
            drop(handle.submit(async {}));
        });
        event_loop.run_until_complete(waiting).unwrap();
        helper.unwrap().join().unwrap();
        drop(event_loop);
        assert_eq!(
            tape.about(&["helper", " 1 ", "poll 1", "pending 1", "ready 1"]),
            [
                "poll 1",
                "1 clones 1 for unknown (1)",
                "pending 1",
                "2 clones 2 for joiner 1 (1)",
                "helper clones 1 for unknown (2)",
                "helper drops 1 of unknown (1)",
                "unparked by helper",
                "helper wakes 1 (1)",
                "helper wakes 1 in vain with the unknown's (0)",
                "helper submits 3",
                "helper submits 4",
                "helper cancels 4",
                "helper wakes 4 in vain (0)",
                "poll 1",
                "ready 1",
                "helper joins 3",
                "helper joins 4",
                "helper submits 5",
                "helper detaches 5",
            ]
        );
    });
}

#[test]
fn threads_without_a_name_are_counted() {
    watched(|| {
        let tape = Tape::default();
        let event_loop = tape.event_loop();
        for n in 1..=2 {
            let mut task = None;
            thread::scope(|scope| {
                let handle = event_loop.handle();
                task = Some(scope.spawn(move || handle.submit(async {})).join().unwrap());
            });
            event_loop.run_until_complete(task.unwrap()).unwrap();
            assert_eq!(tape.about(&["submits"]), [format!("thread {n} submits {}", 2 * n)]);
        }
    });
}

/// The record of a program whose threads are ordered by the program is always the same, however fast they are.
#[test]
fn record_on_the_virtual_clock_is_the_same_on_every_run() {
    watched(|| {
        let record = |delay: u32| {
            let tape = Tape::default();
            let event_loop = tape.event_loop();
            let handle = event_loop.handle();
            let thread = thread::Builder::new()
                .name("driver".to_owned())
                .spawn(move || {
                    for n in 0..20 {
                        (0..delay * n).for_each(|_| std::hint::spin_loop());
                        let both = handle.hold_clock();
                        let tasks = [2, 1].map(|time| handle.submit(sleep(seconds(time))));
                        drop(both);
                        tasks.into_iter().for_each(|task| task.result().unwrap());
                        let job = handle.submit_with(move || async move {
                            // The job has its result only when its task waits for it.
                            let (go, may_go) = channel();
                            let job = run_in_executor(move || may_go.recv().map(|()| n).unwrap());
                            drop(spawn(async move {
                                yield_now().await;
                                yield_now().await;
                                go.send(()).unwrap();
                            }));
                            job.await.unwrap()
                        });
                        assert_eq!(job.result().unwrap(), n);
                    }
                    handle.stop();
                })
                .unwrap();
            event_loop.run_forever();
            thread.join().unwrap();
            drop(event_loop);
            tape.events()
        };
        let first = record(0);
        assert!(first.len() > 500);
        for delay in [1, 10, 100, 1_000, 10_000] {
            let again = record(delay);
            let differs = first.iter().zip(&again).find(|(one, other)| one != other);
            assert!(differs.is_none() && first.len() == again.len(), "{differs:?}");
        }
    });
}

/// On the virtual clock others wait until nothing is ready, but not for ever.
#[test]
fn a_task_that_yields_until_another_thread_is_heard_is_not_kept_waiting() {
    watched(|| {
        let tape = Tape::default();
        let event_loop = tape.event_loop();
        let handle = event_loop.handle();
        let is_over = Rc::new(Cell::new(false));
        let thread = thread::spawn(move || handle.submit(async { 42 }).result().unwrap());
        event_loop.run_until_complete(async {
            while !thread.is_finished() {
                yield_now().await;
            }
            is_over.set(true);
        });
        assert!(is_over.get());
        assert_eq!(thread.join().unwrap(), 42);
    });
}

#[test]
fn a_stop_from_elsewhere_is_told() {
    watched(|| {
        let tape = Tape::default();
        let event_loop = tape.event_loop();
        let handle = event_loop.handle();
        let thread = thread::Builder::new().name("stopper".to_owned()).spawn(move || handle.stop()).unwrap();
        event_loop.run_forever();
        thread.join().unwrap();
        assert_eq!(tape.take(), ["run", "parked", "unparked by stopper", "stopper stops", "ended stopped"]);
        event_loop.stop();
        event_loop.run_forever();
        assert_eq!(tape.take(), ["the loop stops", "run", "ended stopped"]);
    });
}

#[test]
fn notes_are_told_by_whoever_says_them() {
    watched(|| {
        let tape = Tape::default();
        let recorder = tape.recorder();
        let event_loop = EventLoop::builder().virtual_clock().record(&recorder).build();
        event_loop.run_until_complete(async {
            note!("on the loop, {}", 1);
            let elsewhere = recorder.clone();
            run_in_executor(move || elsewhere.note("elsewhere")).await.unwrap();
        });
        recorder.note("after the run");
        drop(event_loop);
        let own = thread::current().name().unwrap().to_owned();
        let said = tape.about(&["says"]);
        assert_eq!(said, ["1 says on the loop, 1", "loop-Task-2 says elsewhere", &format!("{own} says after the run")]);
        note!("where no loop runs");
        recorder.note("after the loop's end");
        assert!(tape.take().is_empty());
    });
}

#[test]
fn recorder_without_a_loop_numbers_what_it_is_told() {
    let tape = Tape::default();
    let recorder = tape.recorder();
    recorder.tell(seconds(3), None, What::RunBegun);
    recorder.note("a line");
    recorder.tell(seconds(4), None, What::RunEnded(Ended::Done));
    let events = tape.events();
    assert_eq!(
        events.iter().map(|event| (event.number, event.time.as_secs())).collect::<Vec<_>>(),
        [(1, 3), (2, 0), (3, 4)]
    );
}

#[test]
fn a_recorder_records_one_loop() {
    let recorder = Tape::default().recorder();
    let first = EventLoop::builder().record(&recorder).build();
    let text = panic_of(|| drop(EventLoop::builder().record(&recorder).build()));
    assert_eq!(text, "this Recorder records a loop already: make one for each loop");
    drop(first);
}

/// The observer is called under no lock: it may spawn, wake and read the loop. What it causes comes after.
#[test]
fn an_observer_may_use_the_loop() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let sink = order.clone();
    let mut has_spawned = false;
    let recorder = Recorder::new(move |event| {
        sink.lock().unwrap().push(short(&event.what));
        if matches!(event.what, What::PollBegun { .. }) && !std::mem::replace(&mut has_spawned, true) {
            drop(spawn(async {}));
            assert_eq!(snapshot().unwrap().ready, [Id::Task(2)]);
            sink.lock().unwrap().push("(back)".to_owned());
        }
    });
    EventLoop::builder().record(&recorder).build().run_until_complete(yield_now());
    let order = order.lock().unwrap();
    assert_eq!(order[2..7], ["poll 1", "(back)", "1 spawns 2", "1 detaches 2", "1 wakes 1 (0)"]);
}

#[test]
fn an_observer_that_panics_is_not_called_again() {
    let calls = Arc::new(Mutex::new(0));
    let counter = calls.clone();
    let recorder = Recorder::new(move |_| {
        *counter.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) += 1;
        panic!("planned");
    });
    let event_loop = EventLoop::builder().record(&recorder).build();
    assert_eq!(event_loop.run_until_complete(async { 42 }), 42);
    assert_eq!(*calls.lock().unwrap_or_else(|poisoned| poisoned.into_inner()), 1);
}

/// Case 44. Every reference that recording takes is given back: futures, outputs and the observer are dropped once, also
/// where wakers, handles and events outlive the loop, on whatever thread.
#[test]
fn recording_gives_back_what_it_takes() {
    watched(|| {
        let (futures, observers) = (Drops::new(), Drops::new());
        let observer = observers.token();
        let recorder = Recorder::new(move |_| {
            let _ = &observer;
        });
        let event_loop = EventLoop::builder().virtual_clock().on_report(|_| {}).record(&recorder).build();
        drop(recorder);
        let wakers: Arc<Mutex<Vec<Waker>>> = Arc::default();
        let handle = event_loop.handle();
        let mut handles = Vec::new();
        let tasks = event_loop.run_until_complete(async {
            let mut tasks = Vec::new();
            for n in 0..8 {
                let (token, wakers) = (futures.token(), wakers.clone());
                let body = async move {
                    let _token = token;
                    poll_fn(|context| {
                        wakers.lock().unwrap().push(context.waker().clone());
                        if n % 2 == 0 { Poll::Ready(()) } else { Poll::Pending }
                    })
                    .await;
                };
                if n < 4 { tasks.push(spawn(body)) } else { handles.push(handle.submit(body)) }
            }
            yield_now().await;
            yield_now().await;
            tasks
        });
        let barrier = Arc::new(Barrier::new(2));
        let (kept, ready) = (std::mem::take(&mut *wakers.lock().unwrap()), barrier.clone());
        assert_eq!(kept.len(), 8);
        let thread = thread::spawn(move || {
            let copies = kept.clone();
            kept.into_iter().for_each(Waker::wake);
            ready.wait(); // the loop is open until here
            ready.wait(); // and closed now
            copies.iter().for_each(Waker::wake_by_ref);
            drop(copies);
            handles.into_iter().for_each(|handle| drop(handle.result()));
        });
        barrier.wait();
        assert_eq!(futures.count(), 4);
        drop(handle);
        drop(event_loop);
        assert_eq!((futures.count(), observers.count()), (8, 1), "the observer goes with its loop");
        barrier.wait();
        thread.join().unwrap();
        drop(tasks);
        assert_eq!((futures.count(), observers.count()), (8, 1));
    });
}

/// On another executor, with nothing of this crate's but the wrapper.
#[test]
fn a_watched_future_tells_on_any_executor() {
    let tape = Tape::default();
    let recorder = tape.recorder();
    let has_polled = AtomicBool::new(false);
    let inner = poll_fn(|context| {
        if has_polled.swap(true, Ordering::Relaxed) {
            return Poll::Ready(42);
        }
        let waker = context.waker().clone();
        waker.wake_by_ref();
        waker.wake();
        Poll::Pending
    });
    assert_eq!(block_on(watch("answer", inner, &recorder)), 42);
    drop(watch("unpolled", pending::<()>(), &recorder));
    let events = tape.events();
    assert!(matches!(&events[0].what, What::Spawned { name: Some(name), queued: true, .. } if name == "answer"));
    assert!(matches!(events[2].what, What::WakerCloned { live: 1, .. }));
    assert!(matches!(events[5].what, What::PollEnded { outcome: Outcome::Pending, .. }));
    assert_eq!(
        tape.take()[1..],
        [
            "poll 1",
            "1 clones 1 for unknown (1)",
            "1 wakes 1 (1)",
            "1 wakes 1 in vain with the unknown's (0)",
            "pending 1",
            "poll 1",
            "ready 1",
            &format!("{} spawns 2", thread::current().name().unwrap()),
            "drop 2",
            "cancelled 2",
        ]
    );
}

/// Each waker's reference is given back once, whether it is called, dropped, or outlives the future; and the executor's
/// waker is called for each wake, the latest one.
#[test]
fn watched_future_gives_its_wakers_back() {
    let observers = Drops::new();
    let observer = observers.token();
    let recorder = Recorder::new(move |_| {
        let _ = &observer;
    });
    let kept: RefCell<Vec<Waker>> = RefCell::default();
    {
        let mut future = pin!(watch(
            "keeps",
            poll_fn(|context| {
                assert!(context.waker().will_wake(context.waker()));
                kept.borrow_mut().push(context.waker().clone());
                Poll::<()>::Pending
            }),
            &recorder,
        ));
        let (first, second) = (CountingWaker::new(), CountingWaker::new());
        assert!(future.as_mut().poll(&mut Context::from_waker(&first.1)).is_pending());
        assert!(future.as_mut().poll(&mut Context::from_waker(&second.1)).is_pending());
        kept.borrow()[0].wake_by_ref();
        let last = kept.borrow_mut().pop().unwrap();
        last.wake();
        assert_eq!((first.0.wakes(), second.0.wakes()), (0, 2));
    }
    drop(recorder);
    assert_eq!(observers.count(), 0);
    kept.borrow()[0].wake_by_ref();
    drop(kept);
    assert_eq!(observers.count(), 1);
}

#[test]
fn a_watched_future_that_panics_is_over() {
    let tape = Tape::default();
    let recorder = tape.recorder();
    assert_eq!(panic_of(|| block_on(watch("bomb", async { panic!("planned") }, &recorder))), "planned");
    assert_eq!(tape.take()[1..], ["poll 1", "panicked 1"]);
}

/// A future is dropped in the poll that ends it, so its events come before the end.
#[test]
fn destructors_of_a_finished_future_run_before_its_poll_has_ended() {
    let tape = Tape::default();
    tape.event_loop().run_until_complete(async {
        let mut nap = Box::pin(sleep(seconds(9)));
        poll_fn(|context| Poll::Ready(Pin::new(&mut nap).poll(context).is_pending())).await;
    });
    assert_eq!(
        tape.take()[3..8],
        ["1 clones 1 for timer (1)", "timer 1 for 1 at 9", "1 drops timer 1", "1 drops 1 of timer (0)", "ready 1"]
    );
}

/// On the virtual clock what another thread sent, however early, is taken over when nothing is ready.
#[test]
fn others_wait_until_nothing_is_ready() {
    watched(|| {
        let tape = Tape::default();
        let event_loop = tape.event_loop();
        let handle = event_loop.handle();
        event_loop.run_until_complete(async {
            let send = move || drop(handle.submit(async {}));
            thread::Builder::new().name("sender".to_owned()).spawn(send).unwrap().join().unwrap();
            for _ in 0..3 {
                yield_now().await;
            }
            sleep(seconds(1)).await;
        });
        assert_eq!(
            tape.about(&["poll", "submits", "clock"]),
            ["poll 1", "poll 1", "poll 1", "poll 1", "sender submits 2", "poll 2", "clock from 0", "poll 1"]
        );
    });
}

/// Another thread's clone, dropped here before the loop has heard that it was made.
#[test]
fn a_clone_made_elsewhere_is_dropped_here() {
    watched(|| {
        let tape = Tape::default();
        tape.event_loop().run_until_complete(poll_fn(|context| {
            let waker = context.waker();
            drop(thread::scope(|scope| scope.spawn(|| waker.clone()).join().unwrap()));
            Poll::Ready(())
        }));
        assert_eq!(tape.about(&["drops", "clones"]).len(), 2);
    });
}

/// A hold stops a recording loop before its next turn, also while tasks are ready.
#[test]
fn a_recording_loop_obeys_a_hold_at_once() {
    watched(|| {
        let tape = Tape::default();
        let event_loop = tape.event_loop();
        let (turns, handle) = (Arc::new(Mutex::new(0)), event_loop.handle());
        let count = turns.clone();
        let (begun, has_begun) = channel();
        let (held, is_held) = channel();
        drop(event_loop.spawn(async move {
            begun.send(()).unwrap();
            is_held.recv().unwrap();
            loop {
                *count.lock().unwrap() += 1;
                yield_now().await;
            }
        }));
        let thread = thread::spawn(move || {
            has_begun.recv().unwrap();
            let hold = handle.hold_clock();
            held.send(()).unwrap();
            // The turn that was under way ends; no other begins, however often this looks.
            for _ in 0..100 {
                thread::yield_now();
                assert!(*turns.lock().unwrap() <= 1);
            }
            drop(hold);
            handle.stop();
        });
        event_loop.run_forever();
        thread.join().unwrap();
    });
}

#[test]
fn a_timer_that_fires_between_two_runs_is_told_as_the_timer() {
    let tape = Tape::default();
    let event_loop = tape.event_loop();
    event_loop.run_until_complete(async { drop(call_later(Duration::ZERO, || ()).unwrap()) });
    event_loop.run_until_complete(async {});
    assert_eq!(tape.about(&["wakes"]), ["the timer wakes c1 with the timer's (0)"]);
}

#[test]
fn what_is_done_between_two_runs_is_the_loops() {
    let tape = Tape::default();
    let event_loop = tape.event_loop();
    drop(event_loop.spawn(async {}));
    event_loop.run_once();
    drop(event_loop.spawn(async {}));
    assert_eq!(tape.about(&["spawns"]), ["the loop spawns 1", "the loop spawns 2"]);
    let _ = event_loop.try_run_until_complete(pending::<()>());
    tape.take();
    drop(event_loop.handle().submit(async {}));
    event_loop.run_once();
    assert_eq!(tape.about(&["unparked"]), [""; 0], "after a stall the loop is no longer parked");
}

/// The wrapper keeps no waker of the executor's that its future does not ask for: a stall is still seen.
#[test]
fn a_watched_future_does_not_hide_a_stall() {
    watched(|| {
        let recorder = Tape::default().recorder();
        let error = EventLoop::new().try_run_until_complete(watch("stuck", pending::<()>(), &recorder)).unwrap_err();
        assert!(matches!(error, handloop::RunError::Stalled(_)));
    });
}

/// An executor's waker may do anything when it is cloned or dropped, also call the wrapper's waker.
#[test]
fn a_watched_future_runs_no_code_of_a_wakers_under_its_lock() {
    struct OnDropWake(Mutex<Option<Waker>>);
    impl std::task::Wake for OnDropWake {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for OnDropWake {
        fn drop(&mut self) {
            self.0.lock().unwrap().take().into_iter().for_each(|waker| waker.wake_by_ref());
        }
    }
    watched(|| {
        let tape = Tape::default();
        let kept: Arc<Mutex<Option<Waker>>> = Arc::default();
        let slot = kept.clone();
        let inner = poll_fn(move |context: &mut Context<'_>| {
            *slot.lock().unwrap() = Some(context.waker().clone());
            Poll::<()>::Pending
        });
        let mut future = pin!(watch("odd", inner, &tape.recorder()));
        let odd = Arc::new(OnDropWake(Mutex::new(None)));
        let waker = Waker::from(odd.clone());
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        *odd.0.lock().unwrap() = kept.lock().unwrap().clone();
        drop((odd, waker));
        // The old waker goes, and wakes as it does.
        let (_, other) = CountingWaker::new();
        assert!(future.as_mut().poll(&mut Context::from_waker(&other)).is_pending());
        assert!(!tape.about(&["wakes"]).is_empty());
    });
}

#[test]
fn an_observer_that_panics_may_have_a_destructor_that_does() {
    let bomb = common::OnDrop(|| panic!("planned"));
    let recorder = Recorder::new(move |_| {
        let _ = &bomb;
        panic!("planned");
    });
    EventLoop::builder().record(&recorder).build().run_until_complete(async {});
}
