//! Chapter 1: functions that pause, and a scheduler that lets each of them run in turn.

use std::collections::VecDeque;
use std::panic::Location;
use std::sync::OnceLock;

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

/// Counts down from a number, and pauses at each.
pub enum Countdown {
    Start { from: u32 },
    Paused { at: u32 },
    Done,
}

impl Generator for Countdown {
    type Yield = u32;
    type Return = &'static str;

    fn resume(&mut self) -> Resumed<u32, &'static str> {
        let next = match *self {
            Countdown::Start { from } => from,
            Countdown::Paused { at } => at - 1,
            Countdown::Done => panic!("a generator that is complete is not resumed"),
        };
        if next == 0 {
            *self = Countdown::Done;
            return Complete("lift-off");
        }
        *self = Countdown::Paused { at: next };
        Yielded(next)
    }
}

/// What `yield from` does: pauses wherever the inner generator pauses, and goes on when that is complete.
pub enum Announced {
    Start { inner: Countdown },
    Inside { inner: Countdown },
    Done,
}

impl Generator for Announced {
    type Yield = u32;
    type Return = String;

    fn resume(&mut self) -> Resumed<u32, String> {
        if let Announced::Start { inner } = self {
            tell("say counting");
            let inner = std::mem::replace(inner, Countdown::Done);
            *self = Announced::Inside { inner };
        }
        let Announced::Inside { inner } = self else { panic!("a generator that is complete is not resumed") };
        match inner.resume() {
            Yielded(number) => Yielded(number),
            Complete(word) => {
                *self = Announced::Done;
                Complete(format!("and {word}"))
            }
        }
    }
}

type Numbers = Box<dyn Generator<Yield = u32, Return = String>>;

/// Lets each generator run to its next pause, in turn, until all are complete.
pub fn run(generators: Vec<(&str, Numbers)>) {
    let mut ready: VecDeque<_> = (1..).zip(generators).collect();
    ready.iter().for_each(|(task, (name, _))| tell(&format!("task {task} {name}")));
    tell("begin");
    while let Some((task, (name, mut generator))) = ready.pop_front() {
        tell(&format!("poll {task}"));
        match generator.resume() {
            Yielded(number) => {
                tell(&format!("say {name}: {number}"));
                ready.push_back((task, (name, generator)));
                tell(&format!("wake {task}"));
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

pub fn main() {
    let countdown = |from| Announced::Start { inner: Countdown::Start { from } };
    run(vec![("Ann", Box::new(countdown(3))), ("Bob", Box::new(countdown(2)))]);
}
