//! The check of exercise 8.1.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex08_1.rs"]
mod exercise;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;

use checker::{Verdict, is_todo, messages};
use exercise::Event::{self, Finish, Pending, Poll, Wake};
use exercise::State::{self, Over, Ready, Running, Waiting, Woken};
use exercise::next;

fn main() -> ExitCode {
    checker::run("ex08_1", &[("8.1", along_the_arrows), ("5.5", no_wake_is_lost)])
}

const ARROWS: [(State, State); 7] = [
    (Waiting, Ready),
    (Ready, Running),
    (Running, Waiting),
    (Running, Woken),
    (Woken, Ready),
    (Running, Over),
    (Woken, Over),
];

fn expected(state: State, event: Event) -> Option<State> {
    match (state, event) {
        (Waiting, Wake) | (Woken, Pending) => Some(Ready),
        (Ready, Poll) => Some(Running),
        (Running, Wake) => Some(Woken),
        (Ready | Woken | Over, Wake) => Some(state),
        (Running, Pending) => Some(Waiting),
        (Running | Woken, Finish) => Some(Over),
        (_, Poll | Pending | Finish) => None,
    }
}

/// Which rule an answer breaks: it leaves the arrows, or it stays on them and loses a wake.
fn broken(state: State, event: Event, seen: Option<Option<State>>) -> &'static str {
    let counts = matches!((state, event), (Ready | Running | Woken, Wake) | (Woken, Pending));
    let is_off = seen.is_none_or(|seen| seen.is_some_and(|to| to != state && !ARROWS.contains(&(state, to))));
    if counts && !is_off { "5.5" } else { "8.1" }
}

/// All pairs, in two orders: what `next` says depends on nothing else. The states of a poll come first, because what is
/// wrong there makes other pairs wrong.
fn all_pairs(rule: &str) -> Verdict {
    let mut pairs: Vec<(State, Event)> = [Running, Woken, Waiting, Ready, Over]
        .into_iter()
        .flat_map(|state| [Wake, Poll, Pending, Finish].map(|event| (state, event)))
        .collect();
    for _ in 0..2 {
        for &(state, event) in &pairs {
            let seen = match catch_unwind(AssertUnwindSafe(|| next(state, event))) {
                Ok(seen) => Some(seen),
                // What is not written yet is reported as that.
                Err(payload) if is_todo(payload.as_ref()) => resume_unwind(payload),
                Err(_) => None,
            };
            if seen != Some(expected(state, event)) && broken(state, event, seen) == rule {
                let is_arrow = seen.flatten().is_some_and(|to| ARROWS.contains(&(state, to)));
                let [state, event] = [format!("{state:?}"), format!("{event:?}")];
                let seen = seen.map(|seen| seen.map(|to| format!("{to:?}")));
                let seen = seen.as_ref().map(Option::as_deref);
                return Err(messages::state_after(&state, &event, seen, is_arrow));
            }
        }
        pairs.reverse();
    }
    Ok(())
}

fn along_the_arrows() -> Verdict {
    all_pairs("8.1")
}

fn no_wake_is_lost() -> Verdict {
    all_pairs("5.5")
}
