//! Chapter 5: a waker by hand, and a thread that parks until it is woken.

use std::cell::{Cell, RefCell};
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
    clock: &'a Clock,
    deadline: Duration,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.deadline {
            return Poll::Ready(());
        }
        self.clock.wake_at(self.deadline, context.waker().clone());
        Poll::Pending
    }
}

/// Says that it waits, sleeps for `x` seconds, and ends with a text.
pub async fn do_some_work(clock: &Clock, x: u64) -> String {
    tell(&format!("say waiting: {x}"));
    Sleep { clock, deadline: clock.now() + Duration::from_secs(x) }.await;
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
pub enum Clock {
    Real(Instant),
    Virtual(Cell<Duration>, RefCell<Vec<(Duration, Waker)>>),
}

impl Clock {
    pub fn now(&self) -> Duration {
        match self {
            Clock::Real(start) => start.elapsed(),
            Clock::Virtual(time, _) => time.get(),
        }
    }

    /// The waker is called at the deadline: by a thread of its own, or, on a virtual clock, by `park`.
    fn wake_at(&self, deadline: Duration, waker: Waker) {
        if let Clock::Virtual(_, sleepers) = self {
            return sleepers.borrow_mut().push((deadline, waker));
        }
        let time = deadline.saturating_sub(self.now());
        thread::spawn(move || {
            thread::sleep(time);
            waker.wake();
        });
    }

    fn park(&self, parker: &Parker) {
        if let Clock::Virtual(time, sleepers) = self {
            while !*parker.is_called.lock().unwrap() {
                tell("park");
                assert!(!sleepers.borrow().is_empty(), "nobody is left who could wake this thread");
                sleepers.borrow_mut().sort_by_key(|(deadline, _)| *deadline);
                let (deadline, waker) = sleepers.borrow_mut().remove(0);
                time.set(deadline.max(time.get()));
                tell(&format!("clock {}", self.now().as_millis()));
                waker.wake();
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
pub fn article(clock: &Clock) {
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
    article(&Clock::Real(Instant::now()));
}
