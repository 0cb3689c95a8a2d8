//! Chapter 11: a loop in a thread of its own, and what other threads may ask of it.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::convert::Infallible;
use std::future::poll_fn;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, Weak};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// Who listens to what this stage does. Alone nobody; the player records it.
pub static PLAYER: OnceLock<fn(&str, &'static Location<'static>)> = OnceLock::new();

/// Says what the stage does. The same in every stage.
#[track_caller]
pub fn tell(event: &str) {
    match (PLAYER.get(), event.strip_prefix("say ")) {
        (Some(player), _) => player(event, Location::caller()),
        (None, Some(line)) => println!("{line}"),
        (None, None) => {}
    }
}

/// Ready when its deadline has come.
pub struct Sleep<'a> {
    clock: &'a Arc<Clock>,
    deadline: Duration,
    timer: Option<u64>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.deadline {
            return Poll::Ready(());
        }
        self.timer = Some(self.clock.set(self.timer, self.deadline, context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.timer {
            self.clock.forget(number);
        }
    }
}

/// Says that it waits, sleeps for `x` seconds, and ends with a text.
pub async fn do_some_work(clock: &Arc<Clock>, x: u64) -> String {
    tell(&format!("say waiting: {x}"));
    Sleep { clock, deadline: clock.now().saturating_add(Duration::from_secs(x)), timer: None }.await;
    format!("Done after {x}s")
}

/// Where the time comes from: how much of it has passed since the start.
pub enum Time {
    Real(Instant),
    Virtual(Mutex<Duration>),
}

/// Deadlines, and whom to wake when they come.
#[derive(Default)]
struct Timers {
    /// Deadline and number: the earliest on top, equal ones in order of arrival.
    heap: BinaryHeap<Reverse<(Duration, u64)>>,
    wakers: HashMap<u64, Waker>,
    arrived: u64,
    is_watched: bool,
}

/// The time, and the timers that it fires.
pub struct Clock {
    time: Time,
    timers: Mutex<Timers>,
    changed: Condvar,
}

impl Clock {
    pub fn new(time: Time) -> Arc<Self> {
        Arc::new(Clock { time, timers: Mutex::default(), changed: Condvar::new() })
    }

    pub fn now(&self) -> Duration {
        match &self.time {
            Time::Real(start) => start.elapsed(),
            Time::Virtual(time) => *time.lock().unwrap(),
        }
    }

    /// Makes a timer, or gives the one that is there its latest waker.
    fn set(self: &Arc<Self>, number: Option<u64>, deadline: Duration, waker: Waker) -> u64 {
        let mut timers = self.timers.lock().unwrap();
        timers.arrived += u64::from(number.is_none());
        let number = number.unwrap_or(timers.arrived);
        let old = timers.wakers.insert(number, waker);
        if old.is_none() {
            tell(&format!("timer {number} {}", deadline.as_millis()));
            timers.heap.push(Reverse((deadline, number)));
            self.changed.notify_one();
        }
        if matches!(self.time, Time::Real(_)) && !std::mem::replace(&mut timers.is_watched, true) {
            let clock = self.clone();
            thread::spawn(move || while clock.watch() {});
        }
        drop(timers);
        number
    }

    fn forget(&self, number: u64) {
        let mut timers = self.timers.lock().unwrap();
        timers.heap.retain(|Reverse((_, other))| *other != number);
        if let Some(waker) = timers.wakers.remove(&number) {
            drop((timers, waker));
            tell(&format!("forget {number}"));
            self.changed.notify_one();
        }
    }

    /// Fires the earliest timer, or waits for it. False: there is none.
    fn watch(&self) -> bool {
        let mut timers = self.timers.lock().unwrap();
        let Some(&Reverse((deadline, number))) = timers.heap.peek() else {
            timers.is_watched = false;
            return false;
        };
        let time = deadline.saturating_sub(self.now());
        if time.is_zero() {
            tell(&format!("fire {number}"));
            timers.heap.pop();
            let waker = timers.wakers.remove(&number).expect("each entry has its waker");
            drop(timers);
            waker.wake();
        } else if let Time::Virtual(now) = &self.time {
            *now.lock().unwrap() = deadline;
            tell(&format!("clock {}", deadline.as_millis()));
        } else {
            drop(self.changed.wait_timeout(timers, time));
        }
        true
    }

    fn park(&self, parker: &Parker) {
        if let Time::Virtual(_) = self.time {
            while parker.ready.lock().unwrap().is_empty() {
                tell("park");
                if !self.watch() || self.now() == Duration::MAX {
                    break;
                }
            }
        }
        parker.park();
    }
}

/// Where a thread waits until it is woken. A wake that comes before it waits is not lost.
#[derive(Default)]
pub struct Parker {
    /// The ready queue: the numbers of the tasks that were woken.
    ready: Mutex<VecDeque<usize>>,
    changed: Condvar,
}

impl Parker {
    fn park(&self) {
        let mut ready = self.ready.lock().unwrap();
        while ready.is_empty() {
            ready = self.changed.wait(ready).unwrap();
        }
    }
}

/// What a task is doing.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum State {
    Waiting,
    Ready,
    Running,
    Woken,
    Over,
}

use State::*;

/// The arrows between the states. A task goes along no other.
pub static ARROWS: [(State, State); 7] = [
    (Waiting, Ready),
    (Ready, Running),
    (Running, Waiting),
    (Running, Woken),
    (Woken, Ready),
    (Running, Over),
    (Woken, Over),
];

/// Which task a waker is for, and where to put it.
struct Ticket {
    number: usize,
    is_cancelled: AtomicBool,
    state: Mutex<State>,
    parker: Arc<Parker>,
}

impl Ticket {
    fn cancel(&self) -> bool {
        if *self.state.lock().unwrap() == Over || self.is_cancelled.swap(true, Ordering::SeqCst) {
            return false;
        }
        tell(&format!("cancel {}", self.number));
        self.wake();
        true
    }

    fn wake(&self) {
        tell(&format!("wake {}", self.number));
        self.change(|state| match state {
            Waiting => Ready,
            Running => Woken,
            other => other,
        });
    }

    /// Goes along an arrow, or stays. Who becomes ready enters the ready queue.
    fn change(&self, next: impl Fn(State) -> State) {
        let mut state = self.state.lock().unwrap();
        let (from, to) = (*state, next(*state));
        assert!(from == to || ARROWS.contains(&(from, to)), "no arrow leads from {from:?} to {to:?}");
        *state = to;
        if from != to && to == Ready {
            self.parker.ready.lock().unwrap().push_back(self.number);
            self.parker.changed.notify_one();
        }
    }
}

/// What a waker points to.
type Target = Ticket;

static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

/// The target as an `Arc`, which takes one off the count when it is dropped.
fn own(pointer: *const ()) -> Arc<Target> {
    // SAFETY: from `into_raw` in `clone`, and then dropped once; or from `as_ptr` of the loop's `Arc`, and then never.
    unsafe { Arc::from_raw(pointer.cast()) }
}

fn clone(pointer: *const ()) -> RawWaker {
    let target = ManuallyDrop::new(own(pointer));
    tell(&format!("clone {}", target.number));
    RawWaker::new(Arc::into_raw(Arc::clone(&target)).cast(), &TABLE)
}

fn wake(pointer: *const ()) {
    wake_by_ref(pointer);
    release(pointer);
}

fn wake_by_ref(pointer: *const ()) {
    ManuallyDrop::new(own(pointer)).wake();
}

fn release(pointer: *const ()) {
    let target = own(pointer);
    tell(&format!("drop {}", target.number));
    drop(target);
}

/// The handle of a task: a future of its result, which it gives once. Whoever drops it lets the task run on.
pub struct Task<T> {
    ticket: Weak<Ticket>,
    number: usize,
    slot: Rc<Slot<T>>,
}

/// How a task ended: with its result, or without.
pub type Outcome<T> = Result<T, Ended>;

#[derive(Debug)]
pub enum Ended {
    Panicked(Box<dyn Any + Send>),
    Cancelled,
}

/// The result. A panic goes on from here.
fn result_of<T>(outcome: Outcome<T>) -> T {
    outcome.unwrap_or_else(|ended| match ended {
        Ended::Panicked(panic) => resume_unwind(panic),
        Ended::Cancelled => panic!("this task was cancelled, and has no result"),
    })
}

/// What a task and its handle share.
struct Slot<T> {
    result: Cell<Option<Outcome<T>>>,
    waiter: Cell<Option<Waker>>,
}

impl<T> Task<T> {
    /// Has the future dropped in the next turn. False where the task is over, or was cancelled before.
    pub fn cancel(&self) -> bool {
        self.ticket.upgrade().is_some_and(|ticket| ticket.cancel())
    }
}

impl<T> Future for Task<T> {
    type Output = Outcome<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(result) = self.slot.result.take() {
            tell(&format!("join {}", self.number));
            return Poll::Ready(result);
        }
        tell(&format!("wait {}", self.number));
        self.slot.waiter.set(Some(context.waker().clone()));
        Poll::Pending
    }
}

/// What a future is ready with, or what ended it: a panic, also of a destructor, or a cancel.
async fn caught<F: Future>(future: F, ticket: Arc<Ticket>) -> Outcome<F::Output> {
    let mut future = Some(Box::pin(future));
    let poll = poll_fn(|context| {
        let poll = catch_unwind(AssertUnwindSafe(|| match &mut future {
            Some(future) if !ticket.is_cancelled.load(Ordering::SeqCst) => future.as_mut().poll(context).map(Ok),
            _ => {
                future = None;
                Poll::Ready(Err(Ended::Cancelled))
            }
        }));
        poll.unwrap_or_else(|panic| Poll::Ready(Err(Ended::Panicked(panic))))
    });
    poll.await
}

/// Waits for a future until `limit` is over. Then it is dropped, and there is no result.
pub async fn timeout<F: Future>(clock: &Arc<Clock>, limit: Duration, future: F) -> Option<F::Output> {
    let mut sleep = pin!(Sleep { clock, deadline: clock.now().saturating_add(limit), timer: None });
    let mut future = pin!(future);
    let result = poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => sleep.as_mut().poll(context).map(|()| None),
    });
    result.await
}

/// Tasks that are cancelled when nobody waits for them any more.
struct Children<T>(Vec<Task<T>>);

impl<T> Drop for Children<T> {
    fn drop(&mut self) {
        self.0.iter().for_each(|task| _ = task.cancel());
    }
}

/// Waits for all tasks. Each result has the place of its argument; the first that `accept` refuses ends the wait.
async fn collect<T, V, E>(
    tasks: impl IntoIterator<Item = Task<T>>,
    accept: fn(Outcome<T>) -> Result<V, E>,
) -> Result<Vec<V>, E> {
    let mut tasks = Children(tasks.into_iter().collect());
    let mut results: Vec<Option<V>> = tasks.0.iter().map(|_| None).collect();
    let all = poll_fn(|context| {
        for (task, result) in tasks.0.iter_mut().zip(&mut results).filter(|(_, result)| result.is_none()) {
            if let Poll::Ready(outcome) = Pin::new(task).poll(context) {
                match accept(outcome) {
                    Ok(value) => *result = Some(value),
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
        }
        if results.iter().any(Option::is_none) {
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    });
    let outcome = all.await;
    tasks.0.clear();
    outcome?;
    Ok(results.into_iter().flatten().collect())
}

/// The results of all tasks. The first panic goes on at once, in the task that waits; the others run on.
pub async fn gather<T>(tasks: impl IntoIterator<Item = Task<T>>) -> Vec<T> {
    result_of(collect(tasks, |outcome| outcome).await)
}

/// The values of all tasks, or the first error, at once; the others run on. A panic goes on as in `gather`.
pub async fn try_gather<T, E>(tasks: impl IntoIterator<Item = Task<Result<T, E>>>) -> Result<Vec<T>, E> {
    let values = collect(tasks, |outcome| outcome.map_err(Err::<E, _>)?.map_err(Ok)).await;
    values.map_err(|failure| failure.unwrap_or_else(|ended| result_of(Err(ended))))
}

/// How each of the tasks ended, when all have.
pub async fn gather_settled<T>(tasks: impl IntoIterator<Item = Task<T>>) -> Vec<Outcome<T>> {
    let Ok(outcomes) = collect(tasks, Ok::<_, Infallible>).await;
    outcomes
}

/// What other threads have of a loop. While one of them has it, the loop waits for them.
#[derive(Default)]
pub struct Handle {
    /// Whether the loop is closed, and what it has not taken over yet.
    inbox: Mutex<(bool, Vec<Box<dyn FnOnce(&EventLoop<'_>) + Send>>)>,
    parker: Arc<Parker>,
    thread: OnceLock<thread::ThreadId>,
}

impl Handle {
    /// Has the loop call a closure in its next turn: entry 0 is no task's, and ends the park. A closed loop drops it.
    pub fn call_soon_threadsafe(&self, job: impl FnOnce(&EventLoop<'_>) + Send + 'static) {
        let (is_closed, jobs) = &mut *self.inbox.lock().unwrap();
        if !*is_closed {
            tell("send");
            jobs.push(Box::new(job));
            self.parker.ready.lock().unwrap().push_back(0);
            self.parker.changed.notify_one();
        }
    }

    /// Has the loop make a future and a task of it, which stay on its thread. The result comes here.
    pub fn submit<F: Future<Output: Send> + 'static>(
        self: &Arc<Self>,
        name: &'static str,
        make: impl FnOnce() -> F + Send + 'static,
    ) -> Remote<F::Output> {
        let ((sender, receiver), ticket) = (std::sync::mpsc::channel(), Arc::<Mutex<Weak<Ticket>>>::default());
        let remote = Remote { handle: self.clone(), receiver, ticket: ticket.clone() };
        self.call_soon_threadsafe(move |event_loop| {
            let task = event_loop.spawn(name, make());
            *ticket.lock().unwrap() = task.ticket.clone();
            event_loop.spawn("sender", async move { sender.send(task.await) });
        });
        remote
    }
}

/// The handle of a task in the loop of another thread.
pub struct Remote<T> {
    handle: Arc<Handle>,
    receiver: std::sync::mpsc::Receiver<Outcome<T>>,
    ticket: Arc<Mutex<Weak<Ticket>>>,
}

impl<T> Remote<T> {
    pub fn result(self) -> Outcome<T> {
        assert!(self.handle.thread.get() != Some(&thread::current().id()), "on the loop's own thread, spawn and await");
        self.receiver.recv().unwrap_or(Err(Ended::Cancelled))
    }

    pub fn cancel(&self) {
        let ticket = self.ticket.clone();
        self.handle.call_soon_threadsafe(move |_| _ = ticket.lock().unwrap().upgrade().map(|ticket| ticket.cancel()));
    }
}

type Row<'a> = (Arc<Ticket>, Pin<Box<dyn Future<Output = ()> + 'a>>);

/// Runs many tasks on one thread.
pub struct EventLoop<'a> {
    clock: &'a Clock,
    parker: Arc<Parker>,
    tasks: RefCell<HashMap<usize, Row<'a>>>,
    spawned: Cell<usize>,
    handle: Arc<Handle>,
    is_stopped: Cell<bool>,
}

impl<'a> EventLoop<'a> {
    pub fn new(clock: &'a Clock, handle: &Arc<Handle>) -> Rc<Self> {
        handle.thread.set(thread::current().id()).expect("a handle is for one loop");
        let (parker, handle, is_stopped) = (handle.parker.clone(), handle.clone(), Cell::new(false));
        Rc::new(EventLoop { clock, parker, tasks: RefCell::default(), spawned: Cell::new(1), handle, is_stopped })
    }

    pub fn run_forever(&self) {
        tell("begin");
        while !self.is_stopped.take() {
            self.turn();
        }
        tell("end");
    }

    pub fn stop(&self) {
        tell("stop");
        self.is_stopped.set(true);
    }

    /// Calls a closure on a thread of its own. The task waits for it, and the loop does not.
    pub fn run_in_executor<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Task<T> {
        let (sender, receiver) = std::sync::mpsc::channel();
        let result = poll_fn(move |_| receiver.try_recv().map_or(Poll::Pending, Poll::Ready));
        let task = self.spawn("executor", async move { result_of(result.await) });
        let ticket = task.ticket.upgrade().unwrap();
        thread::spawn(move || {
            _ = sender.send(catch_unwind(AssertUnwindSafe(work)).map_err(Ended::Panicked));
            ticket.wake();
        });
        task
    }

    /// Makes a task of a future, and puts it into the ready queue.
    pub fn spawn<T: 'a>(&self, name: &str, future: impl Future<Output = T> + 'a) -> Task<T> {
        let number = self.spawned.replace(self.spawned.get() + 1);
        tell(&format!("task {number} {name}"));
        let (is_cancelled, state, parker) = (AtomicBool::new(false), Mutex::new(Waiting), self.parker.clone());
        let ticket = Arc::new(Ticket { number, is_cancelled, state, parker });
        ticket.change(|_| Ready);
        let slot = Rc::new(Slot { result: Cell::new(None), waiter: Cell::new(None) });
        let task = Task { ticket: Arc::downgrade(&ticket), number, slot: slot.clone() };
        let future = caught(future, ticket.clone());
        let future = async move {
            slot.result.set(Some(future.await));
            if let Some(waiter) = slot.waiter.take() {
                waiter.wake();
            }
        };
        self.tasks.borrow_mut().insert(number, (ticket, Box::pin(future)));
        task
    }

    /// Calls a closure in the next turn.
    pub fn call_soon(&self, callback: impl FnOnce() + 'a) {
        self.spawn("callback", async { callback() });
    }

    /// Takes turns until this future is ready.
    pub fn run_until_complete<T: 'a>(&self, future: impl Future<Output = T> + 'a) -> T {
        let task = self.spawn("main", future);
        tell("begin");
        loop {
            self.turn();
            if let Some(outcome) = task.slot.result.take() {
                tell("end");
                return result_of(outcome);
            }
        }
    }

    /// Cancels all tasks that are left, and runs until none is.
    pub fn close(&self) {
        let _refused = std::mem::replace(&mut *self.handle.inbox.lock().unwrap(), (true, Vec::new()));
        while !self.tasks.borrow().is_empty() {
            tell("close");
            let mut left: Vec<_> = self.tasks.borrow().values().map(|(ticket, _)| ticket.clone()).collect();
            left.sort_by_key(|ticket| ticket.number);
            left.into_iter().for_each(|ticket| _ = ticket.cancel());
            self.turn();
        }
    }

    /// Polls each task that is ready by now. Who is woken meanwhile is for the next turn.
    fn turn(&self) {
        let nobody_is_ready = || self.parker.ready.lock().unwrap().is_empty();
        let no_waker_is_left = || self.tasks.borrow().values().all(|(ticket, _)| Arc::strong_count(ticket) == 2);
        // Looks at the queue last: who wakes puts the task there, and only then gives its waker's count back.
        let is_alone = Arc::strong_count(&self.handle) == 1;
        let is_stalled = is_alone && nobody_is_ready() && no_waker_is_left() && nobody_is_ready();
        assert!(!is_stalled, "stalled: all tasks wait, and no waker is left that could wake one");
        self.clock.park(&self.parker);
        let batch = self.parker.ready.lock().unwrap().len();
        let jobs = std::mem::take(&mut self.handle.inbox.lock().unwrap().1);
        for job in jobs {
            tell("job");
            job(self);
        }
        for number in (0..batch).map_while(|_| self.parker.ready.lock().unwrap().pop_front()) {
            let Some((ticket, mut future)) = self.tasks.borrow_mut().remove(&number) else { continue };
            // SAFETY: the table keeps the contract of a waker. This one has no count, is not dropped, and `ticket` outlives it.
            let waker = ManuallyDrop::new(unsafe { Waker::new(Arc::as_ptr(&ticket).cast(), &TABLE) });
            tell(&format!("poll {number}"));
            ticket.change(|_| Running);
            let is_ready = future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
            tell(&format!("{} {number}", if is_ready { "ready" } else { "pending" }));
            let rest = if is_ready { Over } else { Waiting };
            ticket.change(|state| if state == Woken && !is_ready { Ready } else { rest });
            if !is_ready {
                self.tasks.borrow_mut().insert(number, (ticket, future));
            }
        }
    }
}

impl Drop for EventLoop<'_> {
    fn drop(&mut self) {
        self.close();
    }
}

fn more_work() {
    tell("say More work 1");
    thread::sleep(Duration::from_secs(1));
    tell("say Finished more work 1");
}

/// The article's second program: a loop in a thread of its own, to which this one submits.
pub fn article(clock: &Arc<Clock>) {
    let handle = Arc::new(Handle::default());
    let [six, four] = [(6, "do_some_work(6)"), (4, "do_some_work(4)")].map(|(x, name)| {
        let clock = clock.clone();
        handle.submit(name, move || async move { tell(&format!("say {}", do_some_work(&clock, x).await)) })
    });
    tell(&format!("say TIME: {:.3}", clock.now().as_secs_f64()));
    thread::scope(|scope| {
        scope.spawn(|| EventLoop::new(clock, &handle).run_forever());
        six.result().and(four.result()).unwrap();
        handle.call_soon_threadsafe(|_| more_work());
        handle.call_soon_threadsafe(|event_loop| event_loop.stop());
    });
    tell(&format!("say Time: {:.3}", clock.now().as_secs_f64()));
}

pub fn main() {
    article(&Clock::new(Time::Real(Instant::now())));
}
