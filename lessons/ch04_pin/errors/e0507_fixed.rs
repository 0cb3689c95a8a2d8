//! The twin of e0507.rs: the box is handed on, and the future stays where it is.

use std::pin::Pin;

pub fn hand_on<F: Future>(pinned: Pin<Box<F>>) -> Pin<Box<F>> {
    pinned
}

fn main() {}
