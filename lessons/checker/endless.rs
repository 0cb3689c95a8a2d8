//! An end for code that would not come back: it uses something of the check so often that it is ended from within.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};

/// What such code is ended with.
pub struct Endless;

/// Counts one use more. Past `most` the code that makes it is ended.
pub fn count(uses: &Cell<usize>, most: usize) {
    uses.set(uses.get() + 1);
    if uses.get() > most {
        panic_any(Endless);
    }
}

/// What the code returns; `None`: it was ended. A panic of its own goes on.
pub fn ends<R>(code: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(code)) {
        Ok(returned) => Some(returned),
        Err(payload) if payload.is::<Endless>() => None,
        Err(payload) => resume_unwind(payload),
    }
}
