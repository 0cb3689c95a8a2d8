//! A hand-written asyncio: event loop, tasks, timers, gather, cancellation and submission from other threads, on std
//! alone.
//!
//! ```
//! use std::time::Duration;
//!
//! async fn do_some_work(x: u64) -> String {
//!     println!("waiting: {x}");
//!     handloop::sleep(Duration::from_secs(x)).await;
//!     format!("Done after {x}s")
//! }
//!
//! let event_loop = handloop::EventLoop::builder().virtual_clock().build();
//! let start = event_loop.time();
//! let results = event_loop.run_until_complete(async {
//!     let tasks = [1, 2, 4].map(|x| handloop::spawn(do_some_work(x)));
//!     handloop::gather(tasks).await.unwrap()
//! });
//! assert_eq!(results, ["Done after 1s", "Done after 2s", "Done after 4s"]);
//! assert_eq!(event_loop.time() - start, Duration::from_secs(4));
//! ```
//!
//! # The map
//!
//! Read the modules in this order, which is that of the lessons.
//!
//! | module | its one idea |
//! |---|---|
//! | `yield_now` | a leaf future: pending once, having woken itself |
//! | `state` | the atomic word of a task: who keeps it, and what other threads may know |
//! | `task` | one allocation for header, joiner and future; its parts are `block`, `joiner`, `local`, `outside`, `queue` |
//! | `waker` | four functions over a pointer to a task |
//! | `timer` | a heap of deadlines, and the one thread that watches the earliest |
//! | `sleep` | `sleep` and `timeout` over the timers |
//! | `shared` | the half of a loop that other threads may touch: the inbox, the counts, the place to park |
//! | `local` | the other half: the ready and the waiting tasks, and the end of both |
//! | `turn` | what a loop does again and again: take over, poll, finish |
//! | `idle` | what it does when nothing is ready: jump, park, or find itself stalled |
//! | `context` | which loop runs on this thread: `spawn` and `time` ask for it |
//! | `builder` | a loop with a virtual clock, a limit for slow polls, a receiver of reports |
//! | `event_loop` | `EventLoop` and `run` |
//! | `callback` | `call_soon`, `call_later`, `call_at`, and the handles that cancel |
//! | `stall` | a loop that can never finish says so |
//! | `report` | slow polls, unjoined panics, and what is known of a task |
//! | [`record`] | every event, numbered and told to an observer; its parts are `recorder`, `recording`, `news`, `leaf`, `waker`, `watch`, `snapshot` |
//! | `join` | `Task` and `JoinError` |
//! | `gather` | many tasks, one wake |
//! | `promise` | a result that is yet to come, in two halves |
//! | `handle` | `LoopHandle`: submit from another thread, hold the clock |
//! | `remote` | `RemoteTask`: wait there, blocking or not |
//! | `executor` | `run_in_executor`: blocking work on a thread of its own |
//! | `unwind` | panics of user code, caught and kept |
//! | `slab` | values with a number for each |
//! | `macros` | what would else be written many times |
//! | `sync` | the one place that names `std::sync` and `std::thread` |
//!
//! IDs such as TASK-14 number what asyncio does, and cases such as "case 60" what any executor owes its users; the
//! tests carry the same ones: `grep -rn TASK-14 tests`.

#[macro_use]
mod macros;

mod yield_now;
// The task and the wakers are the only modules with unsafe code; `record::waker` is the third.
mod state;
#[allow(unsafe_code)]
mod task;
#[allow(unsafe_code)]
mod waker;
mod timer;
mod sleep;
mod shared;
mod local;
mod turn;
mod idle;
mod context;
mod builder;
mod event_loop;
mod callback;
mod stall;
mod report;
pub mod record;
mod join;
mod gather;
mod promise;
mod handle;
mod remote;
mod executor;
mod unwind;
mod slab;
mod sync;

pub use builder::Builder;
pub use callback::{Handle, LoopClosed, call_at, call_later, call_soon};
pub use context::{spawn, spawn_named, time};
pub use event_loop::{EventLoop, RunError, run};
pub use executor::run_in_executor;
pub use gather::{Gather, GatherSettled, TryGather, TryGatherError, gather, gather_settled, try_gather};
pub use handle::{ClockHold, LoopHandle};
pub use join::{JoinError, Task};
pub use promise::{BrokenPromise, Promise, PromiseFuture, create_future};
pub use remote::{RemoteTask, ResultError};
pub use report::{Report, TaskInfo, TaskState, all_tasks, current_task};
pub use sleep::{Elapsed, Sleep, Timeout, sleep, timeout};
pub use stall::{StallReport, StalledTask, WakerFate};
pub use yield_now::{YieldNow, yield_now};

/// What must not compile, and the statements and cases that say so.
#[cfg(doctest)]
#[doc = include_str!("../tests/types.md")]
struct Types;

/// Every example of the front page runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
