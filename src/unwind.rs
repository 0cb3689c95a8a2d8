//! Panics of user code: caught at the border of the loop, kept, and put into words.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Runs user code. Unwind safety is asserted because nothing that the panic may have left half done is used again:
/// a future is dropped, a callback is gone.
pub(crate) fn catch<R>(code: impl FnOnce() -> R) -> Result<R, Payload> {
    catch_unwind(AssertUnwindSafe(code))
}

/// Drops a value that has a destructor of the user's, and returns the panic of that destructor.
pub(crate) fn drop_quietly<T>(value: T) -> Option<Payload> {
    catch(|| drop(value)).err()
}

/// Drops a payload, and the one that its own destructor may panic with. One that panics even then is leaked: it could
/// go on for ever.
pub(crate) fn discard(payload: Payload) {
    std::mem::forget(drop_quietly(payload).and_then(drop_quietly));
}

/// The text of a panic, as `panic!` was given it.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "(a payload that is not text)".to_owned()
    }
}

/// Calls a waker. It may be anybody's: its panic is its own, and goes no further. Whoever calls this holds no lock.
pub(crate) fn wake_one(waker: Waker) {
    if let Err(payload) = catch(|| waker.wake()) {
        discard(payload);
    }
}
