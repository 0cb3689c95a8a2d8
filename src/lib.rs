//! A hand-written asyncio on std alone.
mod yield_now;
mod state;
#[allow(unsafe_code)]
mod task;
#[allow(unsafe_code)]
mod waker;
mod timer;
mod sleep;
mod shared;
mod local;
mod context;
mod event_loop;
mod callback;
mod join;
mod gather;
mod stall;
mod report;
mod unwind;
mod promise;
mod handle;
mod remote;
mod executor;
mod sync;
pub use callback::*; pub use event_loop::*; pub use executor::*; pub use gather::{gather,gather_settled,try_gather,Gather,GatherSettled,TryGather,TryGatherError};
pub use handle::*; pub use join::*; pub use promise::*; pub use remote::*; pub use report::{TaskInfo,TaskState,Report,current_task,all_tasks}; pub use sleep::*; pub use stall::{StallReport,StalledTask,WakerFate}; pub use yield_now::*;
