//! Breaks rule 5.6: `wake` unparks the thread before it sets the flag, so the thread looks, sees no call and parks.

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
        self.thread.unpark();
        self.is_called.store(true, Ordering::SeqCst);
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
