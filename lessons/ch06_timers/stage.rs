//! Chapter 6: one timer thread, which waits for the earliest of all deadlines.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::future::poll_fn;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
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

/// Two futures as one: ready when both are, with both results.
pub struct Join<A: Future, B: Future> {
    a: Pin<Box<A>>,
    b: Pin<Box<B>>,
    results: (Option<A::Output>, Option<B::Output>),
}

/// A `Join` may move: its futures stay where their boxes are, and no result is ever pinned.
impl<A: Future, B: Future> Unpin for Join<A, B> {}

impl<A: Future, B: Future> Future for Join<A, B> {
    type Output = (A::Output, B::Output);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.results.0.is_none() {
            if let Poll::Ready(result) = self.a.as_mut().poll(context) {
                self.results.0 = Some(result);
            }
        }
        if self.results.1.is_none() {
            if let Poll::Ready(result) = self.b.as_mut().poll(context) {
                self.results.1 = Some(result);
            }
        }
        match (self.results.0.take(), self.results.1.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            unfinished => {
                self.results = unfinished;
                Poll::Pending
            }
        }
    }
}

pub fn join<A: Future, B: Future>(a: A, b: B) -> Join<A, B> {
    Join { a: Box::pin(a), b: Box::pin(b), results: (None, None) }
}

/// What a future is ready with, and how many polls it took.
pub async fn counted<F: Future>(future: F) -> (F::Output, usize) {
    let (mut future, mut polls) = (pin!(future), 0);
    let result = poll_fn(|context| {
        polls += 1;
        future.as_mut().poll(context)
    });
    (result.await, polls)
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
            while !*parker.is_called.lock().unwrap() {
                tell("park");
                if !self.watch() || self.now() == Duration::MAX {
                    panic!("nobody is left who could wake this thread");
                }
            }
        }
        parker.park();
    }
}

/// Where a thread waits until it is woken. A wake that comes before it waits is not lost.
#[derive(Default)]
pub struct Parker {
    is_called: Mutex<bool>,
    changed: Condvar,
}

impl Parker {
    fn park(&self) {
        let mut is_called = self.is_called.lock().unwrap();
        while !*is_called {
            is_called = self.changed.wait(is_called).unwrap();
        }
        *is_called = false;
    }

    fn wake(&self) {
        tell("wake 1");
        *self.is_called.lock().unwrap() = true;
        self.changed.notify_one();
    }
}

/// What a waker points to.
type Target = Parker;

static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

/// The target as an `Arc`, which takes one off the count when it is dropped.
fn own(pointer: *const ()) -> Arc<Target> {
    // SAFETY: from `into_raw` in `clone`, and then dropped once; or from `as_ptr` of the loop's `Arc`, and then never.
    unsafe { Arc::from_raw(pointer.cast()) }
}

fn clone(pointer: *const ()) -> RawWaker {
    let target = ManuallyDrop::new(own(pointer));
    tell("clone 1");
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
    tell("drop 1");
    drop(target);
}

/// Polls a future until it is ready, and parks the thread while it is not.
pub fn block_on<F: Future>(clock: &Clock, future: F) -> F::Output {
    let (parker, mut future) = (Arc::new(Parker::default()), pin!(future));
    // SAFETY: the table keeps the contract of a waker. This one has no count, is not dropped, and `parker` outlives it.
    let waker = ManuallyDrop::new(unsafe { Waker::new(Arc::as_ptr(&parker).cast(), &TABLE) });
    tell("task 1 join");
    tell("begin");
    loop {
        tell("poll 1");
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            tell("ready 1");
            tell("end");
            return result;
        }
        tell("pending 1");
        clock.park(&parker);
    }
}

/// Three sleeps, of 1, 2 and 4 seconds, together, in one task.
pub fn article(clock: &Arc<Clock>) {
    let work = |x| counted(do_some_work(clock, x));
    let all = async {
        let ((one, two), four) = join(join(work(1), work(2)), work(4)).await;
        for (word, polls) in [one, two, four] {
            tell(&format!("say {word}, in {polls} polls"));
        }
    };
    block_on(clock, all);
    tell(&format!("say Time: {:.3}", clock.now().as_secs_f64()));
}

pub fn main() {
    article(&Clock::new(Time::Real(Instant::now())));
}
