//! Exercise 5.3, find the bug: about 15 minutes.
//!
//! This `block_on` sleeps as many do: with `park` and `unpark` of its thread. A thread has one token. `unpark` puts it
//! there, and `park` takes it and returns; without a token, `park` sleeps until there is one. It may also return without
//! a reason. So a flag of its own says whether the waker was called.
//!
//! Almost always it works. With some futures it sleeps for ever. The library bach had this defect; the solution's file
//! says where.
//!
//! 1. Reproduce it: let `reproduce` return a future with which this `block_on` sleeps for ever, although the future keeps
//!    the contract: whenever it returns pending, its waker is called. Call it in the poll: the check sees no threads of
//!    yours.
//! 2. Repair `block_on`: it forgets no call of the waker, wherever that comes in, and polls again only after a call.
//!
//! `AtomicBool` and `thread` are used as those of std are. The check brings them along, so that another thread can come in
//! between any two operations on them, also in the middle of `wake`. It knows who will still call, so nothing hangs.
//! Check it with `cargo run -- check ch05 3`.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::atomic::{AtomicBool, Ordering};
use crate::thread::{self, Thread};

struct Signal {
    is_called: AtomicBool,
    thread: Thread,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.is_called.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// Polls a future until it is ready, and lets the thread sleep while nobody has called the waker.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let signal = Arc::new(Signal { is_called: AtomicBool::new(false), thread: thread::current() });
    let waker = Waker::from(signal.clone());
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return result;
        }
        signal.is_called.store(false, Ordering::SeqCst);
        while !signal.is_called.load(Ordering::SeqCst) {
            thread::park();
        }
    }
}

/// A future with which the `block_on` above sleeps for ever.
pub fn reproduce() -> Pin<Box<dyn Future<Output = ()>>> {
    todo!("a future that keeps the contract, and is never polled again")
}
