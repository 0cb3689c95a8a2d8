//! Exercise 8.1, fill in: about 2 minutes.
//!
//! A task is in one of five states, and four things can happen to it. Write `next`: the state that follows, or `None`
//! where that cannot happen to a task in this state. A wake can come at any time, also where it changes nothing. One
//! arrow is there already. Check it with `cargo run -- check ch08 1`.

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
        (Ready, Poll) => Some(Running),
        _ => todo!("what follows {state:?} when {event:?} comes"),
    }
}
