//! E0507

use std::pin::Pin;

pub fn take_out<F: Future>(pinned: Pin<Box<F>>) -> F {
    *pinned
}

fn main() {}
