//! Chapter 2: generators that say when they want to go on, and a scheduler with a clock.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::Location;
use std::sync::OnceLock;
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

/// What a generator gives back when it stops.
#[derive(Debug, PartialEq)]
pub enum Resumed<Y, R> {
    /// It has paused, and can be resumed.
    Yielded(Y),
    /// It is over.
    Complete(R),
}

use Resumed::{Complete, Yielded};

/// A function that pauses.
pub trait Generator {
    type Yield;
    type Return;

    /// Runs to the next pause, or to the end.
    fn resume(&mut self) -> Resumed<Self::Yield, Self::Return>;
}

/// When a generator that has paused wants to go on.
pub enum When {
    Now,
    After(Duration),
}

/// Says that it waits, sleeps for `x` seconds, and ends with a text.
pub enum DoSomeWork {
    Start { x: u64 },
    Sleeping { x: u64 },
    Done,
}

impl Generator for DoSomeWork {
    type Yield = When;
    type Return = String;

    fn resume(&mut self) -> Resumed<When, String> {
        match *self {
            DoSomeWork::Start { x } => {
                tell(&format!("say waiting: {x}"));
                *self = DoSomeWork::Sleeping { x };
                Yielded(if x == 0 { When::Now } else { When::After(Duration::from_secs(x)) })
            }
            DoSomeWork::Sleeping { x } => {
                *self = DoSomeWork::Done;
                Complete(format!("Done after {x}s"))
            }
            DoSomeWork::Done => panic!("a generator that is complete is not resumed"),
        }
    }
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

type Work = Box<dyn Generator<Yield = When, Return = String>>;

/// Lets each generator run to its next pause, in turn, and sleep as long as it asks for, until all are complete.
pub fn run(clock: &Clock, generators: Vec<(&str, Work)>) {
    let mut ready: VecDeque<_> = (1..).zip(generators).collect();
    let mut sleepers: Vec<(Duration, _)> = Vec::new();
    ready.iter().for_each(|(task, (name, _))| tell(&format!("task {task} {name}")));
    tell("begin");
    while !ready.is_empty() || !sleepers.is_empty() {
        if ready.is_empty() {
            clock.wait_until(sleepers[0].0);
        }
        let now = clock.now();
        while sleepers.first().is_some_and(|(deadline, _)| *deadline <= now) {
            let (_, (task, rest)) = sleepers.remove(0);
            tell(&format!("fire {task}"));
            ready.push_back((task, rest));
            tell(&format!("wake {task} by the timer"));
        }
        let Some((task, (name, mut generator))) = ready.pop_front() else { continue };
        tell(&format!("poll {task}"));
        match generator.resume() {
            Yielded(When::Now) => {
                ready.push_back((task, (name, generator)));
                tell(&format!("wake {task}"));
                tell(&format!("pending {task}"));
            }
            Yielded(When::After(time)) => {
                let deadline = clock.now().saturating_add(time);
                let place = sleepers.partition_point(|(other, _)| *other <= deadline);
                sleepers.insert(place, (deadline, (task, (name, generator))));
                tell(&format!("timer {task} {task} {}", deadline.as_millis()));
                tell(&format!("pending {task}"));
            }
            Complete(word) => {
                tell(&format!("say {name}: {word}"));
                tell(&format!("ready {task}"));
            }
        }
    }
    tell("end");
}

/// Three sleeps, of 1, 2 and 4 seconds, together.
pub fn article(clock: &Clock) {
    let work = |x| Box::new(DoSomeWork::Start { x });
    run(clock, vec![("do_some_work(1)", work(1)), ("do_some_work(2)", work(2)), ("do_some_work(4)", work(4))]);
    tell(&format!("say Time: {:.3}", clock.now().as_secs_f64()));
}

pub fn main() {
    article(&Clock::Real(Instant::now()));
}
