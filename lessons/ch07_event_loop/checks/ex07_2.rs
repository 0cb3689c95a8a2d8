//! The check of exercise 7.2.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex07_2.rs"]
mod exercise;

use std::process::ExitCode;
use std::rc::Rc;

use checker::turns::{self, Loop, Task};
use checker::{Verdict, lock};
use exercise::EventLoop;

fn main() -> ExitCode {
    checker::run(
        "ex07_2",
        &[
            ("7.5", || only("7.5")),
            ("7.2", || only("7.2")),
            ("4.6", || only("4.6")),
            ("7.6", || only("7.6")),
            ("7.3", || only("7.3")),
            ("7.4", || only("7.4")),
            ("7.7", || only("7.7")),
        ],
    )
}

impl Loop for EventLoop {
    fn put_in(&self, task: Task) {
        let spawn: fn(&EventLoop, Task) = EventLoop::spawn;
        spawn(self, task);
    }

    fn take_a_turn(&self) {
        let turn: fn(&EventLoop) = EventLoop::turn;
        turn(self);
    }
}

/// The first breach of this rule: the others are other rules'.
fn only(rule: &str) -> Verdict {
    let breaches = turns::breaches(|| Rc::new(EventLoop::default()));
    breaches.into_iter().find(|breach| breach.rule == rule).map_or(Ok(()), |breach| Err(breach.seen))
}
