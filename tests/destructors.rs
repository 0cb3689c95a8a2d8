//! A destructor that panics, wakes, spawns or waits for a lock, wherever the loop runs it: nothing lost, leaked, hung.

mod common;

use std::cell::RefCell;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use common::{Drops, Gate, OnDrop, Token, panic_of, panic_text, watched};
use handloop::{
    EventLoop, LoopHandle, RemoteTask, Report, ResultError, RunError, Task, create_future, gather, sleep, spawn,
    yield_now,
};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

fn settle(event_loop: &EventLoop) {
    while event_loop.run_once() {}
}

/// What `make` returns when it is called inside the running loop.
fn in_loop<T>(event_loop: &EventLoop, make: impl FnOnce() -> T) -> T {
    event_loop.run_until_complete(async { make() })
}

async fn hold<T>(held: T) {
    let _held = held;
    pending().await
}

fn poll_pending<F: Future + Unpin>(future: &mut F, waker: &Waker) {
    assert!(Pin::new(future).poll(&mut Context::from_waker(waker)).is_pending());
}

/// Strings in order, from any thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, event: impl Into<String>) {
        self.0.lock().unwrap().push(event.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// A virtual loop, its reports as `name: message`, and how often its shared half was dropped: once, when nothing of the
/// loop is left.
fn observed_loop() -> (EventLoop, Log, Drops) {
    let (reports, shared) = (Log::default(), Drops::new());
    let (log, token) = (reports.clone(), shared.token());
    let event_loop = EventLoop::builder()
        .virtual_clock()
        .on_report(move |report| match report {
            Report::Panic { task, message } => log.add(format!("{}: {message}", task.name)),
            other => log.add(format!("{token:?} {other}")),
        })
        .build();
    (event_loop, reports, shared)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Deed {
    Panic,
    /// Wakes another task.
    Wake,
    /// Spawns a task, and lists all there are.
    Spawn,
    /// Waits for a lock that another thread gives up only after it has used the loop.
    Lock,
}

/// Whether the destructor runs in an open loop, or in one that closes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Open,
    Closing,
}

impl Deed {
    fn expected(self, place: Place) -> &'static [&'static str] {
        match (self, place) {
            (Deed::Panic, _) => &["dropped"],
            (Deed::Wake, Place::Open) => &["dropped", "witness polled"],
            (Deed::Wake, Place::Closing) => &["dropped"],
            (Deed::Spawn, Place::Open) => &["dropped", "spawned task ran"],
            (Deed::Spawn, Place::Closing) => &["dropped", "spawned task cancelled"],
            (Deed::Lock, Place::Open) => &["dropped", "locked", "called back"],
            (Deed::Lock, Place::Closing) => &["dropped", "callback refused", "locked"],
        }
    }
}

/// Does its deed when it is dropped.
struct Doer {
    deed: Deed,
    log: Log,
    witness: Waker,
    /// Tells the thread that has the lock that somebody waits for it.
    asking: Sender<()>,
    lock: Arc<Mutex<()>>,
}

impl Drop for Doer {
    fn drop(&mut self) {
        self.log.add("dropped");
        match self.deed {
            Deed::Panic => panic!("deed"),
            Deed::Wake => self.witness.wake_by_ref(),
            Deed::Spawn => {
                let mut spawned = Spawned { log: self.log.clone(), has_run: false };
                drop(spawn(async move {
                    spawned.has_run = true;
                    spawned.log.add("spawned task ran");
                }));
                drop(handloop::all_tasks());
            }
            Deed::Lock => {
                self.asking.send(()).unwrap();
                drop(self.lock.lock().unwrap());
                self.log.add("locked");
            }
        }
    }
}

struct Spawned {
    log: Log,
    has_run: bool,
}

impl Drop for Spawned {
    fn drop(&mut self) {
        if !self.has_run {
            self.log.add("spawned task cancelled");
        }
    }
}

/// A task that logs each poll but the first.
struct Witness {
    log: Log,
    waker: Rc<RefCell<Option<Waker>>>,
}

impl Future for Witness {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.waker.replace(Some(context.waker().clone())).is_some() {
            self.log.add("witness polled");
        }
        Poll::Pending
    }
}

/// Something that drops a `Doer`, and what must become of it.
struct Scene {
    name: &'static str,
    place: Place,
    /// Makes the loop drop the doer, and returns what its owner learned.
    play: fn(&EventLoop, Doer) -> String,
    /// What its owner learns where the destructor does not panic, and where it does.
    learned: [&'static str; 2],
    /// What is reported in the two cases.
    reported: [&'static [&'static str]; 2],
}

impl Scene {
    fn check(&self) {
        for deed in [Deed::Panic, Deed::Wake, Deed::Spawn, Deed::Lock] {
            self.check_with(deed);
        }
    }

    fn check_with(&self, deed: Deed) {
        let name = format!("{}, {deed:?}", self.name);
        let (event_loop, reports, shared) = observed_loop();
        let (log, waker) = (Log::default(), Rc::new(RefCell::new(None)));
        // Task-1.
        drop(event_loop.spawn(Witness { log: log.clone(), waker: waker.clone() }));
        settle(&event_loop);

        let ((asking, asked), (locking, locked)) = (channel(), channel());
        let lock = Arc::new(Mutex::new(()));
        let other = {
            let (lock, log, handle) = (lock.clone(), log.clone(), event_loop.handle());
            thread::spawn(move || {
                let guard = lock.lock().unwrap();
                locking.send(()).unwrap();
                if asked.recv().is_ok() {
                    let called = log.clone();
                    if handle.call_soon_threadsafe(move || called.add("called back")).is_err() {
                        log.add("callback refused");
                    }
                    // The inbox's lock again, and that of the timers.
                    drop((handle.hold_clock(), handle.time()));
                }
                drop(guard);
            })
        };
        locked.recv().unwrap();
        let witness = waker.borrow().clone().unwrap();
        let doer = Doer { deed, log: log.clone(), witness, asking, lock };

        let learned = (self.play)(&event_loop, doer);
        let panics = usize::from(deed == Deed::Panic);
        assert_eq!(learned, self.learned[panics], "{name}");
        if self.place == Place::Open {
            settle(&event_loop);
            let value = event_loop.run_until_complete(async { spawn(async { 7 }).await.unwrap() });
            assert_eq!(value, 7, "{name}");
        }
        assert_eq!(log.take(), deed.expected(self.place), "{name}");
        assert_eq!(reports.take(), self.reported[panics], "{name}");
        other.join().unwrap();
        drop((event_loop, waker));
        assert_eq!(log.take(), [""; 0], "{name}");
        assert_eq!(shared.count(), 1, "{name}: something of the loop is left");
    }
}

fn check_all(scenes: &'static [Scene]) {
    watched(|| scenes.iter().for_each(Scene::check));
}

fn outcome<T: ToString>(mut task: Task<T>) -> String {
    match task.try_result().expect("the task is over") {
        Ok(output) => output.to_string(),
        Err(error) => error.to_string(),
    }
}

fn remote_outcome<T: ToString>(task: RemoteTask<T>) -> String {
    match task.result() {
        Ok(output) => output.to_string(),
        Err(error) => error.to_string(),
    }
}

fn nothing() -> String {
    String::new()
}

const CANCELLED: &str = "Task-2 was cancelled before it finished.";
const PANICKED: &str = "Task-2 panicked: deed";

/// A future whose field is dropped with it, after its last poll.
struct Holding {
    is_ready: bool,
    _doer: Doer,
}

impl Future for Holding {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
        if self.is_ready { Poll::Ready(7) } else { Poll::Pending }
    }
}

fn ready(doer: Doer) -> Holding {
    Holding { is_ready: true, _doer: doer }
}

fn waiting(doer: Doer) -> Holding {
    Holding { is_ready: false, _doer: doer }
}

/// RUST-08, CANC-11. Destructors of futures: at completion, cancel, close and detach, of tasks, submitted tasks and a
/// root.
#[test]
fn destructor_of_a_future_does_its_deed() {
    use Place::{Closing, Open};
    check_all(&[
        Scene {
            name: "completion",
            place: Open,
            play: |event_loop, doer| {
                let task = event_loop.spawn(ready(doer));
                settle(event_loop);
                outcome(task)
            },
            learned: ["7", "7"],
            reported: [&[], &["Task-2: deed"]],
        },
        Scene {
            name: "end of a poll that panics",
            place: Open,
            play: |event_loop, doer| {
                let mut bomb = Some(doer);
                let task = event_loop.spawn(std::future::poll_fn(move |_| -> Poll<u32> {
                    assert!(bomb.is_none(), "in poll");
                    bomb = None;
                    Poll::Pending
                }));
                settle(event_loop);
                outcome(task)
            },
            learned: ["Task-2 panicked: in poll", "Task-2 panicked: in poll"],
            reported: [&[], &["Task-2: deed"]],
        },
        Scene {
            name: "cancel",
            place: Open,
            play: |event_loop, doer| {
                let task = event_loop.spawn(waiting(doer));
                settle(event_loop);
                task.cancel();
                settle(event_loop);
                outcome(task)
            },
            learned: [CANCELLED, PANICKED],
            reported: [&[], &[]],
        },
        Scene {
            name: "cancel before the first poll",
            place: Open,
            play: |event_loop, doer| {
                let task = event_loop.spawn(waiting(doer));
                task.cancel();
                settle(event_loop);
                outcome(task)
            },
            learned: [CANCELLED, PANICKED],
            reported: [&[], &[]],
        },
        Scene {
            name: "close",
            place: Closing,
            play: |event_loop, doer| {
                let task = event_loop.spawn(waiting(doer));
                settle(event_loop);
                event_loop.close();
                outcome(task)
            },
            learned: [CANCELLED, PANICKED],
            reported: [&[], &[]],
        },
        Scene {
            name: "close before the first poll",
            place: Closing,
            play: |event_loop, doer| {
                let task = event_loop.spawn(waiting(doer));
                event_loop.close();
                outcome(task)
            },
            learned: [CANCELLED, PANICKED],
            reported: [&[], &[]],
        },
        Scene {
            name: "completion of a detached task",
            place: Open,
            play: |event_loop, doer| {
                drop(event_loop.spawn(ready(doer)));
                settle(event_loop);
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["Task-2: deed"]],
        },
        Scene {
            name: "cancel of a detached task",
            place: Open,
            play: |event_loop, doer| {
                let task = event_loop.spawn(waiting(doer));
                settle(event_loop);
                task.cancel();
                drop(task);
                settle(event_loop);
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["Task-2: deed"]],
        },
        Scene {
            name: "close with a detached task",
            place: Closing,
            play: |event_loop, doer| {
                drop(event_loop.spawn(waiting(doer)));
                settle(event_loop);
                event_loop.close();
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["Task-2: deed"]],
        },
        Scene {
            name: "completion of a submitted task",
            place: Open,
            play: |event_loop, doer| {
                let task = event_loop.handle().submit(ready(doer));
                settle(event_loop);
                remote_outcome(task)
            },
            learned: ["7", "7"],
            reported: [&[], &["Task-2: deed"]],
        },
        Scene {
            name: "cancel of a submitted task",
            place: Open,
            play: |event_loop, doer| {
                let task = event_loop.handle().submit(waiting(doer));
                settle(event_loop);
                task.cancel();
                settle(event_loop);
                remote_outcome(task)
            },
            learned: [CANCELLED, PANICKED],
            reported: [&[], &[]],
        },
        Scene {
            name: "close with a submitted task in the inbox",
            place: Closing,
            play: |event_loop, doer| {
                let task = event_loop.handle().submit(waiting(doer));
                event_loop.close();
                remote_outcome(task)
            },
            learned: [CANCELLED, PANICKED],
            reported: [&[], &[]],
        },
        Scene {
            name: "close with a detached submitted task",
            place: Closing,
            play: |event_loop, doer| {
                drop(event_loop.handle().submit(waiting(doer)));
                settle(event_loop);
                event_loop.close();
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["Task-2: deed"]],
        },
        Scene {
            name: "end of a stopped run's root",
            place: Open,
            play: |event_loop, doer| {
                event_loop.stop();
                let run = || event_loop.try_run_until_complete(waiting(doer));
                match catch_unwind(AssertUnwindSafe(run)) {
                    Ok(result) => result.map_or_else(|error: RunError| error.to_string(), |n| n.to_string()),
                    Err(payload) => panic_text(&*payload),
                }
            },
            learned: ["The event loop was stopped before its future completed.", "deed"],
            reported: [&[], &[]],
        },
    ]);
}

/// RUST-08. Destructors of outputs that nobody took: at completion and close of a detached task, and with a dropped
/// handle or gather. Those that a task of the user's drops panic in that task.
#[test]
fn destructor_of_an_output_does_its_deed() {
    use Place::{Closing, Open};
    check_all(&[
        Scene {
            name: "completion of a detached task",
            place: Open,
            play: |event_loop, doer| {
                drop(event_loop.spawn(async move { doer }));
                settle(event_loop);
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["Task-2: deed"]],
        },
        Scene {
            name: "completion of a detached task that was cancelled in its last poll",
            place: Open,
            play: |event_loop, doer| {
                let handle: Rc<RefCell<Option<Task<Doer>>>> = Rc::default();
                let own = handle.clone();
                *handle.borrow_mut() = Some(event_loop.spawn(async move {
                    let task = own.take().unwrap();
                    assert!(task.cancel());
                    drop(task);
                    doer
                }));
                settle(event_loop);
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["Task-2: deed"]],
        },
        Scene {
            name: "completion of a detached submitted task",
            place: Open,
            play: |event_loop, doer| {
                drop(event_loop.handle().submit(async move { doer }));
                settle(event_loop);
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["Task-2: deed"]],
        },
        Scene {
            name: "a handle dropped in a task",
            place: Open,
            play: |event_loop, doer| {
                let task = event_loop.spawn(async move { doer });
                settle(event_loop);
                assert!(!task.cancel());
                drop(event_loop.spawn(async move { drop(task) }));
                settle(event_loop);
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["Task-3: deed"]],
        },
        Scene {
            name: "a submitted task's handle dropped in a task",
            place: Open,
            play: |event_loop, doer| {
                let task = event_loop.handle().submit(async move { doer });
                settle(event_loop);
                drop(event_loop.spawn(async move { drop(task) }));
                settle(event_loop);
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["Task-3: deed"]],
        },
        Scene {
            name: "a pending gather dropped in a task",
            place: Open,
            play: |event_loop, doer| {
                let finished = event_loop.spawn(async move { Some(doer) });
                let gathered = gather([finished, event_loop.spawn(pending())]);
                settle(event_loop);
                drop(event_loop.spawn(async move { drop(gathered) }));
                settle(event_loop);
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["Task-4: deed"]],
        },
        Scene {
            name: "a handle dropped by the close",
            place: Closing,
            play: |event_loop, doer| {
                let task = event_loop.spawn(async move { doer });
                drop(event_loop.spawn(hold(task)));
                settle(event_loop);
                event_loop.close();
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["Task-3: deed"]],
        },
        Scene {
            name: "a kept promise dropped by the close",
            place: Closing,
            play: |event_loop, doer| {
                let (promise, future) = create_future();
                promise.set_result(doer);
                drop(event_loop.spawn(hold(future)));
                settle(event_loop);
                event_loop.close();
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["Task-2: deed"]],
        },
        Scene {
            name: "the payload of a detached task's panic",
            place: Open,
            play: |event_loop, doer| {
                drop(event_loop.spawn(async move { panic_any(doer) }));
                settle(event_loop);
                nothing()
            },
            learned: ["", ""],
            reported: [&["Task-2: (a payload that is not text)"], &["Task-2: (a payload that is not text)"]],
        },
        Scene {
            name: "the payload of a future that panics in its destructor at the close",
            place: Closing,
            play: |event_loop, doer| {
                let mut doer = Some(doer);
                drop(event_loop.spawn(hold(OnDrop(move || panic_any(doer.take().unwrap())))));
                settle(event_loop);
                event_loop.close();
                nothing()
            },
            learned: ["", ""],
            reported: [&["Task-2: (a payload that is not text)"], &["Task-2: (a payload that is not text)"]],
        },
    ]);
}

/// A waker of the user's that does nothing, until its last clone is dropped.
struct DoerWaker(#[allow(dead_code, reason = "does its deed")] Doer);

impl Wake for DoerWaker {
    fn wake(self: Arc<Self>) {}
}

fn waker(doer: Doer) -> Waker {
    Waker::from(Arc::new(DoerWaker(doer)))
}

/// A task that waits for the gate, and whose joiner waits with the doer for its waker.
fn joined_by(event_loop: &EventLoop, doer: Doer) -> (Gate, Task<u32>) {
    let gate = Gate::new();
    let opened = gate.clone();
    let mut task = event_loop.spawn(async move {
        opened.await;
        7
    });
    poll_pending(&mut task, &waker(doer));
    settle(event_loop);
    (gate, task)
}

/// RUST-08. Destructors of wakers that wait for a task, a gather, a submitted task, a promise or a sleep: where the
/// loop calls and drops them they panic for themselves; where a task of the user's drops them, in that task.
#[test]
fn destructor_of_a_waker_does_its_deed() {
    use Place::{Closing, Open};
    check_all(&[
        Scene {
            name: "completion of a task",
            place: Open,
            play: |event_loop, doer| {
                let (gate, task) = joined_by(event_loop, doer);
                gate.open();
                settle(event_loop);
                outcome(task)
            },
            learned: ["7", "7"],
            reported: [&[], &[]],
        },
        Scene {
            name: "cancel of a task",
            place: Open,
            play: |event_loop, doer| {
                let (_, task) = joined_by(event_loop, doer);
                task.cancel();
                settle(event_loop);
                outcome(task)
            },
            learned: [CANCELLED, CANCELLED],
            reported: [&[], &[]],
        },
        Scene {
            name: "close",
            place: Closing,
            play: |event_loop, doer| {
                let (_, task) = joined_by(event_loop, doer);
                event_loop.close();
                outcome(task)
            },
            learned: [CANCELLED, CANCELLED],
            reported: [&[], &[]],
        },
        Scene {
            name: "detach of a task",
            place: Open,
            play: |event_loop, doer| {
                let (gate, task) = joined_by(event_loop, doer);
                drop(event_loop.spawn(async move { drop(task) }));
                settle(event_loop);
                gate.open();
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["Task-3: deed"]],
        },
        Scene {
            name: "another waker in its place",
            place: Open,
            play: |event_loop, doer| {
                let (gate, task) = joined_by(event_loop, doer);
                let kept = Rc::new(RefCell::new(task));
                let polled = kept.clone();
                drop(event_loop.spawn(async move { poll_pending(&mut *polled.borrow_mut(), Waker::noop()) }));
                settle(event_loop);
                gate.open();
                settle(event_loop);
                outcome(Rc::into_inner(kept).unwrap().into_inner())
            },
            learned: ["7", "7"],
            reported: [&[], &["Task-3: deed"]],
        },
        Scene {
            name: "completion of a submitted task",
            place: Open,
            play: |event_loop, doer| {
                let mut task = event_loop.handle().submit(async { 7 });
                poll_pending(&mut task, &waker(doer));
                settle(event_loop);
                remote_outcome(task)
            },
            learned: ["7", "7"],
            reported: [&[], &[]],
        },
        Scene {
            name: "cancel of a submitted task",
            place: Open,
            play: |event_loop, doer| {
                let mut task = event_loop.handle().submit(pending::<u32>());
                poll_pending(&mut task, &waker(doer));
                task.cancel();
                settle(event_loop);
                remote_outcome(task)
            },
            learned: [CANCELLED, CANCELLED],
            reported: [&[], &[]],
        },
        Scene {
            name: "close with a submitted task",
            place: Closing,
            play: |event_loop, doer| {
                let mut task = event_loop.handle().submit(pending::<u32>());
                poll_pending(&mut task, &waker(doer));
                event_loop.close();
                remote_outcome(task)
            },
            learned: [CANCELLED, CANCELLED],
            reported: [&[], &[]],
        },
        Scene {
            name: "detach of a submitted task",
            place: Open,
            play: |event_loop, doer| {
                let mut task = event_loop.handle().submit(pending::<u32>());
                poll_pending(&mut task, &waker(doer));
                settle(event_loop);
                drop(event_loop.spawn(async move { drop(task) }));
                settle(event_loop);
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["Task-3: deed"]],
        },
        Scene {
            name: "completion of a gather",
            place: Open,
            play: |event_loop, doer| {
                let mut gathered = gather([3, 4].map(|x| event_loop.spawn(async move { x })));
                poll_pending(&mut gathered, &waker(doer));
                settle(event_loop);
                event_loop.run_until_complete(gathered).unwrap().iter().sum::<u32>().to_string()
            },
            learned: ["7", "7"],
            reported: [&[], &[]],
        },
        Scene {
            name: "close with a gather",
            place: Closing,
            play: |event_loop, doer| {
                let mut gathered = gather([event_loop.spawn(pending::<u32>())]);
                poll_pending(&mut gathered, &waker(doer));
                event_loop.close();
                handloop::run(gathered).unwrap_err().to_string()
            },
            learned: [CANCELLED, CANCELLED],
            reported: [&[], &[]],
        },
        Scene {
            name: "a gather dropped in a task",
            place: Open,
            play: |event_loop, doer| {
                let mut gathered = gather([event_loop.spawn(pending::<u32>())]);
                poll_pending(&mut gathered, &waker(doer));
                drop(event_loop.spawn(async move { drop(gathered) }));
                settle(event_loop);
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["Task-3: deed"]],
        },
        Scene {
            name: "a promise's future dropped in a task",
            place: Open,
            play: |event_loop, doer| {
                let (promise, mut future) = create_future::<u32>();
                poll_pending(&mut future, &waker(doer));
                drop(event_loop.spawn(async move { drop(future) }));
                settle(event_loop);
                promise.is_cancelled().to_string()
            },
            learned: ["true", "true"],
            reported: [&[], &["Task-2: deed"]],
        },
        Scene {
            name: "a sleep that ends",
            place: Open,
            play: |event_loop, doer| {
                event_loop.run_until_complete(async move {
                    let mut timer = sleep(SECOND);
                    poll_pending(&mut timer, &waker(doer));
                    sleep(SECOND).await;
                    timer.await;
                });
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &[]],
        },
        Scene {
            name: "a sleep dropped in a task",
            place: Open,
            play: |event_loop, doer| {
                drop(event_loop.spawn(async move {
                    let mut timer = sleep(HOUR);
                    poll_pending(&mut timer, &waker(doer));
                    drop(timer);
                }));
                settle(event_loop);
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["Task-2: deed"]],
        },
        Scene {
            name: "a sleep polled with another waker",
            place: Open,
            play: |event_loop, doer| {
                drop(event_loop.spawn(async move {
                    let mut timer = sleep(HOUR);
                    poll_pending(&mut timer, &waker(doer));
                    poll_pending(&mut timer, Waker::noop());
                }));
                settle(event_loop);
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["Task-2: deed"]],
        },
        Scene {
            name: "close with a sleep that goes on",
            place: Closing,
            play: |event_loop, doer| {
                let mut timer = in_loop(event_loop, || sleep(HOUR));
                poll_pending(&mut timer, &waker(doer));
                event_loop.close();
                format!("{timer:?}")
            },
            learned: ["Sleep { .. }", "Sleep { .. }"],
            reported: [&[], &[]],
        },
    ]);
}

/// RUST-08, LOOP-10. Destructors of what callbacks captured: when they run, are cancelled, or are dropped by the close;
/// a dropped handle changes nothing.
#[test]
fn destructor_of_a_callback_does_its_deed() {
    use Place::{Closing, Open};
    check_all(&[
        Scene {
            name: "a callback that runs",
            place: Open,
            play: |event_loop, doer| {
                let handle = event_loop.call_soon(move || drop(doer)).unwrap();
                settle(event_loop);
                handle.cancelled().to_string()
            },
            learned: ["false", "false"],
            reported: [&[], &["a callback: deed"]],
        },
        Scene {
            name: "a detached callback that runs",
            place: Open,
            play: |event_loop, doer| {
                drop(event_loop.call_soon(move || drop(doer)).unwrap());
                settle(event_loop);
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["a callback: deed"]],
        },
        Scene {
            name: "a cancelled callback",
            place: Open,
            play: |event_loop, doer| {
                let handle = event_loop.call_soon(move || drop(doer)).unwrap();
                handle.cancel();
                settle(event_loop);
                handle.cancelled().to_string()
            },
            learned: ["true", "true"],
            reported: [&[], &["a callback: deed"]],
        },
        Scene {
            name: "a callback at the close",
            place: Closing,
            play: |event_loop, doer| {
                drop(event_loop.call_soon(move || drop(doer)).unwrap());
                event_loop.close();
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["a callback: deed"]],
        },
        Scene {
            name: "a timer that fires",
            place: Open,
            play: |event_loop, doer| {
                drop(event_loop.call_later(SECOND, move || drop(doer)).unwrap());
                event_loop.run_until_complete(sleep(SECOND));
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["a callback: deed"]],
        },
        Scene {
            name: "a cancelled timer",
            place: Open,
            play: |event_loop, doer| {
                let timer = event_loop.call_later(SECOND, move || drop(doer)).unwrap();
                timer.cancel();
                settle(event_loop);
                timer.cancelled().to_string()
            },
            learned: ["true", "true"],
            reported: [&[], &["a callback: deed"]],
        },
        Scene {
            name: "a timer at the close",
            place: Closing,
            play: |event_loop, doer| {
                drop(event_loop.call_later(SECOND, move || drop(doer)).unwrap());
                event_loop.close();
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["a callback: deed"]],
        },
        Scene {
            name: "a threadsafe callback that runs",
            place: Open,
            play: |event_loop, doer| {
                event_loop.handle().call_soon_threadsafe(move || drop(doer)).unwrap();
                settle(event_loop);
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["a callback: deed"]],
        },
        Scene {
            name: "a threadsafe callback at the close",
            place: Closing,
            play: |event_loop, doer| {
                event_loop.handle().call_soon_threadsafe(move || drop(doer)).unwrap();
                event_loop.close();
                nothing()
            },
            learned: ["", ""],
            reported: [&[], &["a callback: deed"]],
        },
    ]);
}

/// RUST-08, CANC-11. A destructor that drops the handle of its own task and then panics: the panic is reported, and its
/// payload dropped.
#[test]
fn destructor_that_drops_its_own_handle_and_panics_is_reported() {
    for ends_by_close in [false, true] {
        let (event_loop, reports, _) = observed_loop();
        let (handle, drops): (Rc<RefCell<Option<Task<()>>>>, _) = (Rc::default(), Drops::new());
        let (own, token) = (handle.clone(), RefCell::new(Some(drops.token())));
        *handle.borrow_mut() = Some(event_loop.spawn(hold(OnDrop(move || {
            drop(own.take());
            panic_any(token.take().unwrap());
        }))));
        settle(&event_loop);
        if ends_by_close {
            event_loop.close();
        } else {
            assert!(handle.borrow().as_ref().unwrap().cancel());
            settle(&event_loop);
        }
        assert_eq!(reports.take(), ["Task-1: (a payload that is not text)"]);
        assert_eq!(drops.count(), 1);
    }
}

/// RUST-08. The handle of a submitted task is dropped, and the destructor of its waker panics: the task is detached all
/// the same, its output is dropped and its panic reported.
#[test]
fn waker_that_panics_when_its_handle_is_dropped_leaks_no_output() {
    struct PanicsOnDrop;
    impl Wake for PanicsOnDrop {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            panic!("a waker's destructor");
        }
    }
    let (event_loop, reports, shared) = observed_loop();
    let drops = Drops::new();
    let token = drops.token();
    let mut finishes = event_loop.handle().submit(async move { token });
    let mut panics = event_loop.handle().submit(async { panic!("boom") });
    poll_pending(&mut finishes, &Waker::from(Arc::new(PanicsOnDrop)));
    poll_pending(&mut panics, &Waker::from(Arc::new(PanicsOnDrop)));
    assert_eq!(panic_of(|| drop(finishes)), "a waker's destructor");
    assert_eq!(panic_of(|| drop(panics)), "a waker's destructor");
    settle(&event_loop);
    assert_eq!(drops.count(), 1);
    assert_eq!(reports.take(), ["Task-2: boom"]);
    drop(event_loop);
    assert_eq!(shared.count(), 1);
}

/// RUST-08, RCT-12, case 60. While a future is dropped because of a cancel its task is not over: its handle has no
/// result yet.
#[test]
fn task_is_not_over_while_its_future_is_dropped() {
    let (event_loop, _, _) = observed_loop();
    let (handle, log): (Rc<RefCell<Option<Task<()>>>>, _) = (Rc::default(), Log::default());
    let (own, seen) = (handle.clone(), log.clone());
    *handle.borrow_mut() = Some(event_loop.spawn(hold(OnDrop(move || {
        let is_over = own.borrow_mut().as_mut().unwrap().is_finished();
        seen.add(format!("over in the destructor: {is_over}"));
    }))));
    settle(&event_loop);
    handle.borrow().as_ref().unwrap().cancel();
    settle(&event_loop);
    assert!(handle.borrow().as_ref().unwrap().is_finished());
    assert_eq!(log.take(), ["over in the destructor: false"]);
}

/// Tells on which thread it was dropped; neither `Send` nor `Sync`.
struct Bound {
    name: &'static str,
    dropping: Sender<(&'static str, thread::ThreadId)>,
    _not_send: Rc<()>,
}

impl Drop for Bound {
    fn drop(&mut self) {
        self.dropping.send((self.name, thread::current().id())).unwrap();
    }
}

/// RUST-07, cases 71 and 72. However a future ends, and whoever ends it, it is dropped on its loop's thread: cancelled
/// from another thread; cancelled there with its handle dropped at once, which the loop answers without being asked
/// again; detached there and done later; finished or panicked while joined from there; kept by a waker there; or left
/// to the close. A waker may outlive all that.
#[test]
fn futures_are_dropped_on_the_loops_own_thread() {
    watched(|| {
        let home = thread::current().id();
        let (dropping, dropped) = channel();
        let event_loop = EventLoop::new();
        let handle = event_loop.handle();
        let other = thread::spawn(move || {
            let (polling, polled) = channel();
            let submit = |name: &'static str, end: fn() -> Pin<Box<dyn Future<Output = u32>>>| {
                let (polling, dropping) = (polling.clone(), dropping.clone());
                let task = handle.submit_with(move || async move {
                    let _bound = Bound { name, dropping, _not_send: Rc::default() };
                    let waker = std::future::poll_fn(|context| Poll::Ready(context.waker().clone())).await;
                    polling.send(waker).unwrap();
                    end().await
                });
                (task, polled.recv().unwrap())
            };
            let ended = |name| assert_eq!(dropped.recv().unwrap(), (name, home));

            let (task, _) = submit("cancelled", || Box::pin(pending()));
            assert!(task.cancel());
            ended("cancelled");
            assert!(matches!(task.result(), Err(ResultError::Failed(error)) if error.is_cancelled()));

            let (task, waker) = submit("cancelled and let go", || Box::pin(pending()));
            assert!(task.cancel());
            drop((task, waker));
            ended("cancelled and let go");

            let (task, waker) = submit("let go with its waker kept", || Box::pin(pending()));
            assert!(task.cancel());
            drop(task);
            ended("let go with its waker kept");
            waker.wake_by_ref();
            drop(waker);

            let (task, _) = submit("finished", || {
                Box::pin(async {
                    yield_now().await;
                    7
                })
            });
            ended("finished");
            assert_eq!(task.result().unwrap(), 7);

            let (task, _) = submit("panicked", || Box::pin(async { panic!("boom") }));
            ended("panicked");
            assert!(matches!(task.result(), Err(ResultError::Failed(error)) if error.is_panic()));

            let (task, waker) = submit("left to the close", || Box::pin(pending()));
            let (detached, _) = submit("detached and left to the close", || Box::pin(pending()));
            drop(detached);
            handle.stop();
            (task, waker, dropped)
        });
        event_loop.run_forever();
        let (task, waker, dropped) = other.join().unwrap();
        drop(event_loop);
        let left: Vec<_> = dropped.try_iter().collect();
        assert_eq!(left, [("left to the close", home), ("detached and left to the close", home)]);
        thread::spawn(move || drop((task, waker))).join().unwrap();
        assert_eq!(dropped.try_iter().count(), 0);
    });
}

/// RUST-07. Callbacks sent from another thread are dropped on the loop's own, called or not.
#[test]
fn callbacks_are_dropped_on_the_loops_own_thread() {
    watched(|| {
        let home = thread::current().id();
        let (dropping, dropped) = channel();
        let event_loop = EventLoop::new();
        let send = |handle: LoopHandle| {
            let dropping = dropping.clone();
            let held = OnDrop(move || dropping.send(thread::current().id()).unwrap());
            thread::spawn(move || handle.call_soon_threadsafe(move || drop(held)).unwrap()).join().unwrap();
        };
        send(event_loop.handle());
        assert!(event_loop.run_once());
        assert_eq!(dropped.try_iter().collect::<Vec<_>>(), [home]);
        send(event_loop.handle());
        drop(event_loop);
        assert_eq!(dropped.try_iter().collect::<Vec<_>>(), [home]);
    });
}

/// RUST-07. A waker keeps no future alive: while every waker of a task is still there, its future goes at completion,
/// cancel and close.
#[test]
fn waker_keeps_no_future_alive() {
    for end in ["completion", "cancel", "close"] {
        let (event_loop, _, shared) = observed_loop();
        let (gate, drops) = (Gate::new(), Drops::new());
        let (opened, token): (Gate, Token) = (gate.clone(), drops.token());
        let task = event_loop.spawn(async move {
            let _token = token;
            opened.await;
        });
        settle(&event_loop);
        let waker = gate.waker().unwrap();
        match end {
            "completion" => gate.open(),
            "cancel" => assert!(task.cancel()),
            _ => event_loop.close(),
        }
        if !event_loop.is_closed() {
            settle(&event_loop);
        }
        assert_eq!(drops.count(), 1, "{end}");
        drop((task, event_loop, gate));
        assert_eq!(shared.count(), 0, "{end}");
        waker.wake();
        assert_eq!((drops.count(), shared.count()), (1, 1), "{end}");
    }
}
