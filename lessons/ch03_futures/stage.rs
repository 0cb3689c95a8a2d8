//! Chapter 3: futures, and a loop that polls each of them until it is ready.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::Location;
use std::pin::Pin;
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
pub enum DoSomeWork<'a> {
    Start { clock: &'a Clock, x: u64 },
    Sleeping { x: u64, inner: Sleep<'a> },
    Done,
}

impl Future for DoSomeWork<'_> {
    type Output = String;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<String> {
        if let DoSomeWork::Start { clock, x } = *self {
            tell(&format!("say waiting: {x}"));
            let inner = Sleep { clock, deadline: clock.now() + Duration::from_secs(x) };
            *self = DoSomeWork::Sleeping { x, inner };
        }
        let DoSomeWork::Sleeping { x, ref mut inner } = *self else { panic!("a future that is ready is not polled") };
        match Pin::new(inner).poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                *self = DoSomeWork::Done;
                Poll::Ready(format!("Done after {x}s"))
            }
        }
    }
}

/// The same, written by the compiler.
pub async fn do_some_work(clock: &Clock, x: u64) -> String {
    tell(&format!("say waiting: {x}"));
    Sleep { clock, deadline: clock.now() + Duration::from_secs(x) }.await;
    format!("Done after {x}s")
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

type Work<'a> = Pin<Box<dyn Future<Output = String> + 'a>>;

/// Polls all futures, round after round, with a pause in between, until each is ready.
pub fn run(clock: &Clock, pause: Duration, futures: Vec<(&str, Work)>) {
    let mut ready: VecDeque<_> = (1..).zip(futures).collect();
    let (mut last, mut polls) = (0, 0);
    ready.iter().for_each(|(task, (name, _))| tell(&format!("task {task} {name}")));
    tell("begin");
    while let Some((task, (name, mut future))) = ready.pop_front() {
        if task <= last {
            clock.wait_until(clock.now() + pause);
        }
        (last, polls) = (task, polls + 1);
        tell(&format!("poll {task}"));
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => {
                ready.push_back((task, (name, future)));
                tell(&format!("wake {task}"));
                tell(&format!("pending {task}"));
            }
            Poll::Ready(word) => {
                tell(&format!("say {name}: {word}"));
                tell(&format!("ready {task}"));
            }
        }
    }
    tell("end");
    tell(&format!("say Polls: {polls}"));
}

/// Three sleeps, of 1, 2 and 4 seconds, together.
pub fn article(clock: &Clock, pause: Duration) {
    let work = |x| Box::pin(do_some_work(clock, x));
    let by_hand = Box::pin(DoSomeWork::Start { clock, x: 2 });
    run(clock, pause, vec![("do_some_work(1)", work(1)), ("by hand", by_hand), ("do_some_work(4)", work(4))]);
    tell(&format!("say Time: {:.3}", clock.now().as_secs_f64()));
}

pub fn main() {
    article(&Clock::Real(Instant::now()), Duration::from_millis(500));
}
