//! Exercise 5.3, solved.
//!
//! The flag was reset after the poll, and with it a call that came during the poll was forgotten. The token of the thread
//! did not help: `park` took it and returned, the flag said that nobody had called, and the second `park` slept for ever.
//! The repair resets the flag before the poll. A call up to there is answered by this poll; a call from there on is in
//! the flag when the poll is over. Between the last look at the flag and `park` a call may still come in: then the token
//! is there, since `wake` sets the flag first and puts the token there second, and `park` returns at once.
//!
//! It can be done without moving the reset: `while !signal.is_called.swap(false, …)` looks and resets in one step.
//!
//! bach had this defect, and the same repair: its pull request 48, "reset `woken` flag before polling task".

use std::future::poll_fn;
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
        signal.is_called.store(false, Ordering::SeqCst);
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return result;
        }
        while !signal.is_called.load(Ordering::SeqCst) {
            thread::park();
        }
    }
}

/// Its first poll calls the waker before it returns pending.
pub fn reproduce() -> Pin<Box<dyn Future<Output = ()>>> {
    let mut polls = 0;
    Box::pin(poll_fn(move |context| {
        polls += 1;
        if polls == 2 {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }))
}
