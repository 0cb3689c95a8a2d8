//! The heap of timers stays small. Alone in its process, since it measures that: other tests beside it would count too.

mod common;

use std::future::{Future, pending};
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use common::{Trace, virtual_loop};
use handloop::{RunError, sleep, spawn, yield_now};

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Memory of this process in KiB, where the system tells it.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// TIME-07. Case 107. A million sleeps, each polled and dropped before its deadline, leave nothing behind: the heap does
/// not grow, live timers among them keep their order, and the clock has nowhere else to jump. (Unswept, the heap alone
/// would take 32 MiB.)
#[test]
fn a_million_cancelled_sleeps_leave_the_heap_small() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    let trace = Trace::new();
    event_loop.run_until_complete(async {
        let live = [3_u64, 1, 2].map(|n| {
            let trace = trace.clone();
            spawn(async move {
                sleep(seconds(n)).await;
                trace.add(n.to_string());
            })
        });
        yield_now().await;
        let before = resident();
        let mut context = Context::from_waker(Waker::noop());
        for n in 0..1_000_000 {
            let mut one = sleep(seconds(10 + n % 1000));
            assert!(Pin::new(&mut one).poll(&mut context).is_pending());
        }
        if let (Some(before), Some(after)) = (before, resident()) {
            assert!(after < before + 12 * 1024, "{before} KiB before, {after} KiB after");
        }
        handloop::gather(live).await.unwrap();
    });
    assert_eq!(trace.take(), ["1", "2", "3"]);
    assert_eq!(event_loop.time() - start, seconds(3));
    assert!(matches!(event_loop.try_run_until_complete(pending::<()>()), Err(RunError::Stalled(_))));
    assert_eq!(event_loop.time() - start, seconds(3));
}
