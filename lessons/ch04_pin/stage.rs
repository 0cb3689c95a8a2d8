//! Chapter 4: futures that must not move, and a join of two.

use std::cell::Cell;
use std::future::poll_fn;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};
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

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.deadline { Poll::Ready(()) } else { Poll::Pending }
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
    Virtual(Cell<Duration>),
}

impl Clock {
    pub fn now(&self) -> Duration {
        match self {
            Clock::Real(start) => start.elapsed(),
            Clock::Virtual(time) => time.get(),
        }
    }

    pub fn wait_until(&self, deadline: Duration) {
        match self {
            Clock::Real(_) => std::thread::sleep(deadline.saturating_sub(self.now())),
            Clock::Virtual(time) => time.set(deadline.max(time.get())),
        }
        tell(&format!("clock {}", self.now().as_millis()));
    }
}

/// Polls a future until it is ready, with a pause between two polls.
pub fn block_on<F: Future>(clock: &Clock, pause: Duration, future: F) -> F::Output {
    let mut future = pin!(future);
    tell("task 1 join");
    tell("begin");
    loop {
        tell("poll 1");
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            tell("ready 1");
            tell("end");
            return result;
        }
        tell("wake 1");
        tell("pending 1");
        clock.wait_until(clock.now() + pause);
    }
}

/// Three sleeps, of 1, 2 and 4 seconds, together, in one task.
pub fn article(clock: &Clock, pause: Duration) {
    let work = |x| counted(do_some_work(clock, x));
    let all = async {
        let ((one, two), four) = join(join(work(1), work(2)), work(4)).await;
        for (word, polls) in [one, two, four] {
            tell(&format!("say {word}, in {polls} polls"));
        }
    };
    block_on(clock, pause, all);
    tell(&format!("say Time: {:.3}", clock.now().as_secs_f64()));
}

pub fn main() {
    article(&Clock::Real(Instant::now()), Duration::from_millis(500));
}
