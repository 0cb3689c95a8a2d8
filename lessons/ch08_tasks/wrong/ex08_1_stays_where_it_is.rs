//! Breaks rule 8.1: what cannot happen leaves the task where it is, and so nobody hears of it.

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
        _ => Some(state),
    }
}
