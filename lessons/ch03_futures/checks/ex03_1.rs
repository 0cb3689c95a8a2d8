//! The check of exercise 3.1.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex03_1.rs"]
mod exercise;

use std::pin::Pin;
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};

use checker::{Verdict, messages};
use exercise::Countdown;

fn main() -> ExitCode {
    checker::run("ex03_1", &[("3.1", each_poll_returns_one_of_two), ("1.2", counts_in_its_field)])
}

/// No countdown of a check needs so many polls.
const MOST: usize = 60;

fn poll(countdown: &mut Countdown) -> Poll<&'static str> {
    Pin::new(countdown).poll(&mut Context::from_waker(Waker::noop()))
}

/// How often it is pending, and the word that it is ready with. `None`: it is not ready after so many polls.
fn run(mut countdown: Countdown) -> Option<(usize, &'static str)> {
    (0..MOST).find_map(|pending| match poll(&mut countdown) {
        Poll::Ready(word) => Some((pending, word)),
        Poll::Pending => None,
    })
}

fn each_poll_returns_one_of_two() -> Verdict {
    for left in [25, 1, 0] {
        // One that is never ready does not keep its count: that is rule 1.2's.
        let Some((pending, word)) = run(Countdown::new(left)) else { continue };
        let who = format!("Countdown::new({left})");
        if pending != left as usize {
            return Err(messages::pending_so_often(&who, left as usize, pending));
        }
        if word != "lift-off" {
            return Err(messages::result_was("\"lift-off\"", &format!("{word:?}")));
        }
    }
    Ok(())
}

fn counts_in_its_field() -> Verdict {
    let lengths = [25, 20];
    let Some(alone) = lengths.map(|left| run(Countdown::new(left))).into_iter().collect::<Option<Vec<_>>>() else {
        return Err(messages::never_ready("Countdown::new(25)", MOST));
    };
    let mut two = lengths.map(Countdown::new);
    let mut pending = [None; 2];
    for so_far in 0..MOST {
        for (countdown, pending) in two.iter_mut().zip(&mut pending).filter(|(_, pending)| pending.is_none()) {
            if poll(countdown).is_ready() {
                *pending = Some(so_far);
            }
        }
    }
    for ((left, (expected, _)), seen) in lengths.into_iter().zip(alone).zip(pending) {
        if seen != Some(expected) {
            return Err(messages::disturbed(&format!("Countdown::new({left})"), expected, seen));
        }
    }
    Ok(())
}
