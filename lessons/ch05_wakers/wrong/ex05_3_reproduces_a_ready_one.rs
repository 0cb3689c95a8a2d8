//! Breaks rule 5.5: its future is ready at once, and nothing is lost with that.

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

/// It has nothing to wait for.
pub fn reproduce() -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async {})
}
