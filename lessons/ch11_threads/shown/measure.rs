//! What the stage and the finished machine in src cost on this machine. Both are optimised.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::HashMap;
use std::future::pending;
use std::hint::black_box;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use handloop::{gather, timeout};
use stage::{Clock, EventLoop, Handle, Time};

/// Makes no text: so what the stage tells costs nothing here.
macro_rules! format {
    ($($text:tt)*) => {
        String::new()
    };
}

#[allow(dead_code, unused_variables, clippy::type_complexity)]
#[path = "../stage.rs"]
mod stage;

/// Counts what each thread allocates.
struct Counting;

thread_local! {
    /// How often, and how many bytes in all.
    static ALLOCATED: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

// SAFETY: each call goes on to the system's own allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (count, bytes) = ALLOCATED.get();
        ALLOCATED.set((count + 1, bytes + layout.size()));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const HOUR: Duration = Duration::from_secs(3600);

/// Pending a number of times, having woken itself each time.
struct Yields(u32);

impl Future for Yields {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The stage and the finished machine, each with a virtual clock, on this thread.
struct Both {
    clock: &'static Arc<Clock>,
    handle: Arc<Handle>,
    stage: Rc<EventLoop<'static>>,
    src: handloop::EventLoop,
}

impl Both {
    fn new() -> Self {
        // The loop borrows its clock, and is to be kept beside it: this clock is never dropped.
        let clock: &'static Arc<Clock> = Box::leak(Box::new(Clock::new(Time::Virtual(Mutex::default()))));
        let handle = Arc::new(Handle::default());
        let stage = EventLoop::new(clock, &handle);
        Both { clock, handle, stage, src: handloop::EventLoop::builder().virtual_clock().build() }
    }

    /// Runs what is ready until it is over.
    fn run_stage(&self) {
        self.stage.run_until_complete(Yields(3));
    }

    fn run_src(&self) {
        self.src.run_until_complete(Yields(3));
    }
}

/// What is allocated for each of 64 tasks until all are over, where 64 others have made the lists large enough.
fn allocations<T>(make: impl Fn() -> T, run: impl Fn()) -> String {
    let mut each = (0, 0);
    for _ in 0..2 {
        let before = ALLOCATED.get();
        let kept: [T; 64] = std::array::from_fn(|_| make());
        run();
        let after = ALLOCATED.get();
        each = ((after.0 - before.0) / 64, (after.1 - before.1) / 64);
        drop(kept);
    }
    format_args!("{:>2}, {:>4} bytes", each.0, each.1).to_string()
}

/// The time of `code`, the shortest of five.
fn time(mut code: impl FnMut()) -> f64 {
    let times = (0..5).map(|_| {
        let start = Instant::now();
        code();
        start.elapsed().as_secs_f64()
    });
    times.fold(f64::MAX, f64::min)
}

fn compare(what: &str, count: u32, stage: impl FnMut(), src: impl FnMut()) {
    let (stage, src) = (time(stage), time(src));
    let each = |time: f64| time * 1e9 / f64::from(count);
    println!("{what:<40} {:>8.0} ns {:>8.0} ns {:>7.1}", each(stage), each(src), stage / src);
}

fn one_thread() {
    let Both { stage, src, .. } = Both::new();
    compare(
        "spawn a task, and poll it once",
        100_000,
        || {
            (0..100_000).for_each(|_| drop(stage.spawn("", async {})));
            stage.run_until_complete(async {});
        },
        || {
            (0..100_000).for_each(|_| drop(src.spawn(async {})));
            src.run_until_complete(async {});
        },
    );
    let Both { stage, src, .. } = Both::new();
    compare(
        "wake and poll a task",
        100_000,
        || stage.run_until_complete(Yields(100_000)),
        || src.run_until_complete(Yields(100_000)),
    );
    let Both { stage, src, .. } = Both::new();
    compare(
        "gather 1000, one ends in each turn",
        1000,
        || {
            let tasks: Vec<_> = (0..1000).map(|turns| stage.spawn("", Yields(turns))).collect();
            stage.run_until_complete(async { drop(stage::gather(tasks).await) });
        },
        || {
            let tasks: Vec<_> = (0..1000).map(|turns| src.spawn(Yields(turns))).collect();
            src.run_until_complete(async { drop(gather(tasks).await) });
        },
    );
    let both = Both::new();
    let Both { clock, stage, src, .. } = &both;
    let clock: &'static Arc<Clock> = clock;
    let sleeps = || async { _ = stage::timeout(clock, HOUR, pending::<()>()).await };
    let sleepers: Vec<_> = (0..10_000).map(|_| stage.spawn("", sleeps())).collect();
    let others: Vec<_> = (0..10_000).map(|_| src.spawn(handloop::sleep(HOUR))).collect();
    both.run_stage();
    both.run_src();
    compare(
        "set a timer and forget it, among 10,000",
        1000,
        || {
            stage.run_until_complete(async {
                for _ in 0..1000 {
                    stage::timeout(clock, HOUR, Yields(1)).await;
                }
            });
        },
        || {
            src.run_until_complete(async {
                for _ in 0..1000 {
                    _ = timeout(HOUR, Yields(1)).await;
                }
            });
        },
    );
    sleepers.iter().for_each(|task| _ = task.cancel());
    others.iter().for_each(|task| _ = task.cancel());
}

/// The loops run in threads of their own, and this one sends.
fn two_threads() {
    let clock = Clock::new(Time::Real(Instant::now()));
    let handle = Arc::new(Handle::default());
    let other = handle.clone();
    let stage = thread::spawn(move || EventLoop::new(&clock, &other).run_forever());
    let (sender, receiver) = channel();
    let src = thread::spawn(move || {
        let src = handloop::EventLoop::new();
        sender.send(src.handle()).unwrap();
        src.run_forever();
    });
    let src_handle = receiver.recv().unwrap();
    compare(
        "submit, and wait for the result",
        2000,
        || (0..2000).for_each(|_| _ = black_box(handle.submit("", || async { 7 }).result())),
        || (0..2000).for_each(|_| _ = black_box(src_handle.submit(async { 7 }).result())),
    );
    compare(
        "submit 20,000, and wait for the last",
        20_000,
        || {
            let remotes: Vec<_> = (0..20_000).map(|_| handle.submit("", || async { 7 })).collect();
            remotes.into_iter().for_each(|remote| _ = black_box(remote.result()));
        },
        || {
            let remotes: Vec<_> = (0..20_000).map(|_| src_handle.submit(async { 7 })).collect();
            remotes.into_iter().for_each(|remote| _ = black_box(remote.result()));
        },
    );
    handle.call_soon_threadsafe(|event_loop| event_loop.stop());
    src_handle.stop();
    stage.join().unwrap();
    src.join().unwrap();
}

fn main() {
    let both = Both::new();
    let remote = both.src.handle();
    let show = |what: &str, stage: String, src: String| println!("{what:<40} {stage:<16} {src}");
    show("allocated for a task", "stage".to_string(), "src".to_string());
    show(
        "that is spawned",
        allocations(|| both.stage.spawn("", Yields(1)), || both.run_stage()),
        allocations(|| both.src.spawn(Yields(1)), || both.run_src()),
    );
    show(
        "that is submitted",
        allocations(|| both.handle.submit("", || Yields(1)), || both.run_stage()),
        allocations(|| remote.submit(Yields(1)), || both.run_src()),
    );
    println!("time                                     stage       src         times");
    one_thread();
    two_threads();
    println!("pieces of the stage, alone");
    let piece = |what: &str, code: &mut dyn FnMut()| {
        let each = time(|| (0..100_000).for_each(|_| code())) * 1e4;
        println!("{what:<40} {each:>8.1} ns");
    };
    let (lock, cell) = (Mutex::new(0), Cell::new(0));
    piece("a Mutex, locked and unlocked", &mut || *black_box(&lock).lock().unwrap() += 1);
    piece("a Cell, in its place", &mut || black_box(&cell).set(cell.get() + 1));
    let mut table: HashMap<usize, usize> = (0..100).map(|number| (number, 0)).collect();
    piece("a HashMap: one entry out and in", &mut || {
        let entry = table.remove(black_box(&7)).unwrap();
        table.insert(7, entry);
    });
    let mut slots = vec![Some(0); 100];
    piece("a slot of a Vec, in its place", &mut || {
        let entry = slots[black_box(7)].take();
        slots[7] = entry;
    });
    piece("a text for `tell`", &mut || drop(std::format!("wake {}", black_box(7))));
    piece("an allocation, made and freed", &mut || drop(black_box(Box::new(7))));
}
