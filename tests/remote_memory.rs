//! The memory of a submitted task outlives every reference to it.

mod common;

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;

use common::{virtual_loop, watched};
use handloop::{LoopHandle, yield_now};

/// Case 44, RCT-17. A task that is submitted and cancelled within one poll of its own loop is numbered, cancelled, and
/// kept until its handle goes.
#[test]
fn task_submitted_and_cancelled_in_one_poll_lives_as_long_as_its_handle() {
    watched(|| {
        let error = virtual_loop().run_until_complete(async {
            let remote = LoopHandle::current().unwrap().submit(async {});
            assert!(remote.cancel());
            yield_now().await;
            yield_now().await;
            assert!(remote.is_finished());
            remote.await.unwrap_err()
        });
        assert_eq!(error.to_string(), "Task-2 was cancelled before it finished.");
        assert_eq!(error.id(), 2);
    });
}

/// Drops are counted where no allocation is involved, so that a second drop is counted too.
struct Counted(&'static AtomicUsize);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Case 57, Case 37. + A submitted task that woke itself in its last poll is still queued while another thread takes
/// its output: the output is dropped once.
#[test]
fn output_taken_elsewhere_while_its_task_is_still_queued_is_dropped_once() {
    watched(|| {
        static DROPS: AtomicUsize = AtomicUsize::new(0);
        const ROUNDS: usize = 20_000;
        let event_loop = virtual_loop();
        let handle = event_loop.handle();
        let other = thread::spawn(move || {
            for round in 1..=ROUNDS {
                let remote = handle.submit(poll_fn(|context| {
                    context.waker().wake_by_ref();
                    Poll::Ready(Counted(&DROPS))
                }));
                drop(remote.result().unwrap());
                drop(remote);
                assert_eq!(DROPS.load(Ordering::SeqCst), round);
            }
            handle.stop();
        });
        event_loop.run_forever();
        other.join().unwrap();
    });
}
