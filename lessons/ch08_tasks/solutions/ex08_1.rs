//! Exercise 8.1, solved.
//!
//! Each arrow of the lesson's table is one pair; `Running | Woken` and `Finish` are two of them. A wake changes nothing
//! in the three states that are left: a task that is ready or woken will be polled anyway, and one that is over never
//! again. All else is `None`, because only a task in the ready queue is polled, and a poll can return only while it is
//! under way.

use Event::*;
use State::*;

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum State {
    Waiting,
    Ready,
    Running,
    Woken,
    Over,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Event {
    /// Somebody calls a waker of the task.
    Wake,
    /// The loop takes the task out of the ready queue, and begins to poll it.
    Poll,
    /// The poll returns, and the future is pending.
    Pending,
    /// The poll returns, and the future is ready.
    Finish,
}

/// The state after an event; `None`: this event cannot come in this state.
pub fn next(state: State, event: Event) -> Option<State> {
    match (state, event) {
        (Waiting, Wake) => Some(Ready),
        (Ready, Poll) => Some(Running),
        (Running, Pending) => Some(Waiting),
        (Running, Wake) => Some(Woken),
        (Woken, Pending) => Some(Ready),
        (Running | Woken, Finish) => Some(Over),
        (Ready | Woken | Over, Wake) => Some(state),
        _ => None,
    }
}
