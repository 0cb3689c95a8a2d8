//! What a loop keeps in memory does not grow with the wakes and the finished tasks of its life.
#![cfg(target_os = "linux")]

mod common;

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use common::{virtual_loop, watched};
use handloop::yield_now;

/// The most memory that this process has used until now, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

const MEGABYTE: usize = 1 << 20;

/// RUST-01, Case 34, Case 37. Millions of wakes from outside the running loop make one entry in the inbox, also for a
/// task that is over. A task that is over gives its memory back while its loop lives.
///
/// One test, so that no other uses memory meanwhile. Each part would need 80 MB or more if it kept what it must not.
#[test]
fn wakes_and_finished_tasks_leave_nothing_in_memory() {
    watched(|| {
        const WAKES: usize = 10 * MEGABYTE;
        let event_loop = virtual_loop();
        let kept: Rc<RefCell<Vec<Waker>>> = Rc::default();
        for output in [Poll::Pending, Poll::Ready(())] {
            let kept = kept.clone();
            drop(event_loop.spawn(poll_fn(move |context| {
                kept.borrow_mut().push(context.waker().clone());
                output
            })));
        }
        assert!(event_loop.run_once());
        for waker in kept.take() {
            let before = peak();
            (0..WAKES).for_each(|_| waker.wake_by_ref());
            assert!(peak() - before < 40 * MEGABYTE);
        }
        while event_loop.run_once() {}

        for cancels in [false, true] {
            let before = peak();
            for _ in 0..10_000 {
                let large = [1_u8; 8192];
                let task = event_loop.spawn(async move {
                    yield_now().await;
                    assert_eq!(large, [1; 8192]);
                });
                assert!(event_loop.run_once());
                assert!(!cancels || task.cancel());
                drop(task);
                assert!(event_loop.run_once());
            }
            assert!(peak() - before < 40 * MEGABYTE);
        }
    });
}
