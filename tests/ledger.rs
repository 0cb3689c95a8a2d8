//! Nothing leaks and nothing is dropped twice: every scenario leaves as many allocations as it found, and each future,
//! output and callback in it is dropped once.
//!
//! All scenarios run in one test, one after the other, because the count of allocations is that of the process.
#![allow(unsafe_code)]
#![allow(clippy::async_yields_async, clippy::waker_clone_wake)] // Leaves are polled by hand, wakers counted.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use common::{CountingWaker, Gate, OnDrop, virtual_loop, watched};
use handloop::{
    Elapsed, EventLoop, ResultError, RunError, Task, all_tasks, call_later, call_soon, create_future, gather,
    gather_settled, run_in_executor, sleep, spawn, spawn_named, timeout, try_gather, yield_now,
};

// The ledger of allocations.

/// The system's allocator, which counts what is alive of the threads that are not outsiders. Each block has a prefix
/// that says whether it was counted, since it may be freed on another thread.
struct Counting;

static LIVE_BLOCKS: AtomicUsize = AtomicUsize::new(0);
static LIVE_BYTES: AtomicUsize = AtomicUsize::new(0);
/// The highest that `LIVE_BYTES` ever was.
static PEAK_BYTES: AtomicUsize = AtomicUsize::new(0);
/// Blocks allocated since the start.
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
/// The thread that allocated first, which is the main thread of the test harness.
static FIRST_THREAD: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// A thread of the test harness, whose own allocations do not matter.
    static OUTSIDER: Cell<bool> = const { Cell::new(false) };
}

fn is_counted_here() -> bool {
    OUTSIDER.with(|outsider| {
        let this = std::ptr::from_ref(outsider).addr();
        let first = match FIRST_THREAD.compare_exchange(0, this, SeqCst, SeqCst) {
            Ok(_) => this,
            Err(first) => first,
        };
        this != first && !outsider.get()
    })
}

/// The layout of a block with its prefix, and the length of that.
fn with_prefix(layout: Layout) -> (Layout, usize) {
    let align = layout.align().max(align_of::<usize>());
    let prefix = align.max(size_of::<usize>());
    (Layout::from_size_align(prefix + layout.size(), align).expect("no test allocates that much"), prefix)
}

// SAFETY: every block comes from `System`, with room in front for a prefix that keeps the alignment; the prefix is
// taken off again before the block is given back, and the layout is computed the same way both times.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (whole, prefix) = with_prefix(layout);
        // SAFETY: the size is not zero, because the prefix is not.
        let start = unsafe { System.alloc(whole) };
        if start.is_null() {
            return start;
        }
        let is_counted = is_counted_here();
        // SAFETY: the last word of the prefix is inside the block, and aligned since the prefix is a multiple of it.
        unsafe { start.add(prefix - size_of::<usize>()).cast::<usize>().write(usize::from(is_counted)) };
        if is_counted {
            LIVE_BLOCKS.fetch_add(1, SeqCst);
            ALLOCATED.fetch_add(1, SeqCst);
            let bytes = LIVE_BYTES.fetch_add(layout.size(), SeqCst) + layout.size();
            PEAK_BYTES.fetch_max(bytes, SeqCst);
        }
        // SAFETY: inside the block.
        unsafe { start.add(prefix) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let (whole, prefix) = with_prefix(layout);
        // SAFETY: `alloc` has put the prefix in front of every block.
        let (start, counted) = unsafe { (block.sub(prefix), block.sub(size_of::<usize>()).cast::<usize>().read()) };
        if counted != 0 {
            LIVE_BLOCKS.fetch_sub(1, SeqCst);
            LIVE_BYTES.fetch_sub(layout.size(), SeqCst);
        }
        // SAFETY: it came from `System` with this layout.
        unsafe { System.dealloc(start, whole) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Blocks and bytes that are alive.
fn live() -> (usize, usize) {
    (LIVE_BLOCKS.load(SeqCst), LIVE_BYTES.load(SeqCst))
}

// The ledger of values.

const MOST_TOKENS: usize = 4096;

static DROPS: [AtomicU8; MOST_TOKENS] = [const { AtomicU8::new(0) }; MOST_TOKENS];
static MADE: AtomicUsize = AtomicUsize::new(0);

/// A value whose drops are counted. It owns nothing, so that a second drop would do no harm but be seen.
#[derive(Debug)]
struct Token(usize);

fn token() -> Token {
    let number = MADE.fetch_add(1, SeqCst);
    DROPS[number].store(0, SeqCst);
    Token(number)
}

impl Drop for Token {
    fn drop(&mut self) {
        DROPS[self.0].fetch_add(1, SeqCst);
    }
}

/// How many tokens of this scenario were dropped until now.
fn dropped() -> usize {
    DROPS[..MADE.load(SeqCst)].iter().filter(|drops| drops.load(SeqCst) > 0).count()
}

// What the scenarios are made of.

/// An expected panic is under way: its text would be kept by the test harness, and counted.
static QUIET: AtomicBool = AtomicBool::new(false);

/// Pending for ever; it keeps nothing but a token.
async fn stuck() {
    let _token = token();
    pending::<()>().await;
}

/// Holds a token, waits at the gate, and returns another token.
fn gated(gate: &Gate) -> impl Future<Output = Token> + use<> {
    let (gate, inner) = (gate.clone(), token());
    async move {
        gate.await;
        drop(inner);
        token()
    }
}

async fn panics() -> Token {
    let _token = token();
    yield_now().await;
    resume_unwind(Box::new(token()))
}

fn settle(event_loop: &EventLoop) {
    while event_loop.run_once() {}
}

fn quiet_loop() -> EventLoop {
    EventLoop::builder().virtual_clock().on_report(|_| {}).build()
}

/// The task's own waker.
async fn own_waker() -> Waker {
    poll_fn(|context| Poll::Ready(context.waker().clone())).await
}

fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

// Tasks.

/// Case 52.
fn task_is_spawned_and_joined() {
    let event_loop = virtual_loop();
    let output = event_loop.run_until_complete(async {
        let gate = Gate::new();
        let task = spawn(gated(&gate));
        yield_now().await;
        gate.open();
        task.await.unwrap()
    });
    assert_eq!(dropped(), 1);
    drop(output);
}

/// Case 64.
fn named_task_is_joined_by_a_task() {
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async {
        let inner = spawn_named("inner", async { token() });
        let outer = spawn_named(String::from("outer"), async move { (token(), inner.await.unwrap()) });
        assert_eq!(outer.name(), "outer");
        drop(outer.await.unwrap());
        assert_eq!(dropped(), 2);
    });
}

/// TASK-14. Case 65.
fn output_of_a_detached_task_is_dropped_once() {
    let event_loop = virtual_loop();
    let gate = Gate::new();
    drop(event_loop.spawn(gated(&gate)));
    settle(&event_loop);
    assert_eq!(dropped(), 0);
    gate.open();
    settle(&event_loop);
    assert_eq!(dropped(), 2);
}

fn output_is_taken_once() {
    let event_loop = virtual_loop();
    let mut task = event_loop.spawn(async { token() });
    assert!(task.try_result().is_none());
    settle(&event_loop);
    let output = task.try_result().unwrap().unwrap();
    QUIET.store(true, SeqCst);
    assert!(catch_unwind(AssertUnwindSafe(|| poll_with(&mut task, Waker::noop()))).is_err());
    QUIET.store(false, SeqCst);
    drop(task);
    assert_eq!(dropped(), 0);
    drop(output);
}

/// Case 57.
fn output_that_nobody_reads_is_dropped_with_the_handle() {
    let event_loop = virtual_loop();
    let task = event_loop.spawn(async { token() });
    settle(&event_loop);
    assert_eq!(dropped(), 0);
    drop(task);
    assert_eq!(dropped(), 1);
}

/// Case 66.
fn task_is_cancelled_before_its_first_poll() {
    let event_loop = virtual_loop();
    let mut task = event_loop.spawn(gated(&Gate::new()));
    assert!(task.cancel() && task.cancel());
    settle(&event_loop);
    assert_eq!(dropped(), 1);
    assert!(task.try_result().unwrap().unwrap_err().is_cancelled());
}

fn cancelled_future_is_dropped_once() {
    let event_loop = virtual_loop();
    let task = event_loop.spawn(gated(&Gate::new()));
    settle(&event_loop);
    task.cancel();
    assert_eq!(dropped(), 0);
    settle(&event_loop);
    assert_eq!(dropped(), 1);
}

/// Case 72.
fn task_is_cancelled_and_its_handle_dropped() {
    let event_loop = virtual_loop();
    let gate = Gate::new();
    let task = event_loop.spawn(gated(&gate));
    settle(&event_loop);
    task.cancel();
    drop(task);
    gate.open();
    settle(&event_loop);
    assert_eq!(dropped(), 1);
}

/// CANC-10. Case 67.
fn task_cancels_itself() {
    let event_loop = virtual_loop();
    for is_pending in [false, true] {
        event_loop.run_until_complete(async move {
            let own: Rc<RefCell<Option<Task<Token>>>> = Rc::default();
            let inner = own.clone();
            *own.borrow_mut() = Some(spawn(async move {
                inner.borrow().as_ref().unwrap().cancel();
                if is_pending {
                    stuck().await;
                }
                token()
            }));
            yield_now().await;
            let task = own.borrow_mut().take().unwrap();
            assert_eq!(task.await.is_err(), is_pending);
        });
    }
}

/// Case 78.
fn panic_is_joined() {
    let event_loop = virtual_loop();
    let error = event_loop.run_until_complete(async { spawn(panics()).await.unwrap_err() });
    assert_eq!(dropped(), 1);
    let payload = error.into_panic();
    assert_eq!(dropped(), 1);
    drop(payload);
}

/// DBG-02. Case 79.
fn panic_is_reported() {
    let event_loop = quiet_loop();
    drop(event_loop.spawn(panics()));
    settle(&event_loop);
    assert_eq!(dropped(), 2);
    let unread = event_loop.spawn(panics());
    settle(&event_loop);
    let outlives_the_loop = event_loop.spawn(panics());
    settle(&event_loop);
    drop(unread);
    drop(event_loop);
    assert_eq!(dropped(), 5);
    drop(outlives_the_loop);
}

/// Case 73.
fn destructors_panic() {
    struct Bomb(#[expect(dead_code)] Token);
    impl Drop for Bomb {
        fn drop(&mut self) {
            resume_unwind(Box::new(token()));
        }
    }
    let event_loop = quiet_loop();
    // Of an output that nobody takes, of a future that is done, of one that is cancelled, of one at the close.
    drop(event_loop.spawn(async { Bomb(token()) }));
    let hold = |bomb: Bomb, gate: Gate| async move {
        gate.await;
        drop(bomb);
    };
    struct Holds(Gate, #[expect(dead_code)] Bomb);
    impl Future for Holds {
        type Output = Token;
        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Token> {
            Pin::new(&mut self.0).poll(context).map(|()| token())
        }
    }
    let (open, closed) = (Gate::new(), Gate::new());
    open.open();
    let mut done = event_loop.spawn(Holds(open.clone(), Bomb(token())));
    let in_its_poll = event_loop.spawn(hold(Bomb(token()), open));
    let mut cancelled = event_loop.spawn(Holds(closed.clone(), Bomb(token())));
    let at_close = event_loop.spawn(hold(Bomb(token()), closed));
    settle(&event_loop);
    cancelled.cancel();
    settle(&event_loop);
    assert!(done.try_result().unwrap().is_ok());
    assert!(cancelled.try_result().unwrap().unwrap_err().is_panic());
    drop((event_loop, at_close, in_its_poll));
}

/// Layouts. A future of no size, one of an unusual alignment, one larger than its output and one smaller.
fn futures_of_every_layout_are_freed() {
    #[repr(align(128))]
    struct Aligned([u8; 3]);
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async {
        spawn(async {}).await.unwrap();
        assert_eq!(spawn(async { Aligned([7; 3]) }).await.unwrap().0, [7; 3]);
        let aligned = Aligned([8; 3]);
        let task = spawn(async move {
            yield_now().await;
            let at = std::ptr::from_ref(&aligned).addr();
            (at % 128, aligned.0[2])
        });
        assert_eq!(task.await.unwrap(), (0, 8));
        assert_eq!(spawn(async { [1_u8; 5000] }).await.unwrap()[4999], 1);
        let large = [2_u8; 5000];
        let task = spawn(async move {
            yield_now().await;
            large[4999]
        });
        assert_eq!(task.await.unwrap(), 2);
        assert_eq!(spawn(async { String::from("text") }).await.unwrap(), "text");
    });
}

// Loops that are dropped.

/// Cases 86, 94.
fn loop_is_dropped_with_tasks_in_every_state() {
    let event_loop = virtual_loop();
    let gate = Gate::new();
    let waiting = event_loop.spawn(gated(&gate));
    let sleeping = event_loop.spawn(async {
        let _token = token();
        sleep(Duration::from_secs(1)).await;
    });
    let finished = event_loop.spawn(async { token() });
    drop(event_loop.spawn(stuck()));
    settle(&event_loop);
    let woken = event_loop.spawn(gated(&gate));
    settle(&event_loop);
    gate.waker().unwrap().wake();
    let never_polled = event_loop.spawn(gated(&gate));
    let cancelled = event_loop.spawn(gated(&gate));
    cancelled.cancel();
    assert_eq!(dropped(), 0);
    drop(event_loop);
    assert_eq!(dropped(), 6, "all but the output of the finished one");
    drop((waiting, sleeping, finished, woken, never_polled, cancelled));
}

/// Cases 57, 58. Loop, handle and waker are dropped in each order, for a task of each end.
fn loop_handle_and_waker_are_dropped_in_every_order() {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for order in orders {
        for end in 0..4 {
            for on_other_thread in [false, true] {
                let event_loop = quiet_loop();
                let gate = Gate::new();
                let inner = gate.clone();
                let task = event_loop.spawn(async move {
                    let _token = token();
                    inner.await;
                    if end == 2 {
                        resume_unwind(Box::new(token()));
                    }
                    token()
                });
                settle(&event_loop);
                let waker = gate.waker().unwrap();
                match end {
                    0 => gate.lose_waker(),
                    1 | 2 => gate.open(),
                    _ => drop(task.cancel()),
                }
                settle(&event_loop);
                drop(gate);
                let (mut event_loop, mut task, mut waker) = (Some(event_loop), Some(task), Some(waker));
                for next in order {
                    match next {
                        0 => event_loop = None,
                        1 => task = None,
                        _ if on_other_thread => {
                            let waker = waker.take();
                            thread::spawn(move || drop(waker)).join().unwrap();
                        }
                        _ => waker = None,
                    }
                }
                drop((event_loop, task, waker));
            }
        }
    }
}

/// RUST-07. Cases 38, 39.
fn waker_outlives_its_loop() {
    let event_loop = virtual_loop();
    let gate = Gate::new();
    let task = event_loop.spawn(gated(&gate));
    settle(&event_loop);
    let wakers = [gate.waker().unwrap(), gate.waker().unwrap(), gate.waker().unwrap()];
    let (sender, receiver) = channel::<()>();
    let thread = thread::spawn(move || {
        receiver.recv().unwrap();
        let [a, b, c] = wakers;
        a.wake_by_ref();
        drop(a.clone());
        b.wake();
        drop(c);
        a.wake();
    });
    drop((event_loop, task));
    assert_eq!(dropped(), 1, "the future is dropped with its loop");
    sender.send(()).unwrap();
    thread.join().unwrap();
    gate.lose_waker();
}

/// Case 40.
fn tasks_are_woken_while_their_loop_closes() {
    let event_loop = virtual_loop();
    let gates: Vec<Gate> = (0..3).map(|_| Gate::new()).collect();
    let tasks: Vec<Task<()>> = (0..3)
        .map(|number| {
            let all = gates.clone();
            event_loop.spawn(async move {
                let own = all[number].clone();
                let _wakes = OnDrop(move || {
                    drop(token());
                    all.iter().for_each(Gate::open);
                    all.iter().filter_map(Gate::waker).for_each(Waker::wake);
                });
                own.await;
            })
        })
        .collect();
    settle(&event_loop);
    drop(event_loop);
    assert_eq!(dropped(), 3);
    drop(tasks);
}

/// Case 39.
fn task_is_woken_from_another_thread_while_its_loop_closes() {
    let event_loop = virtual_loop();
    let gate = Gate::new();
    let task = event_loop.spawn(gated(&gate));
    settle(&event_loop);
    let waker = gate.waker().unwrap();
    let (begun, begins) = channel::<()>();
    let thread = thread::spawn(move || {
        for _ in 0..200 {
            waker.wake_by_ref();
            waker.clone().wake();
        }
        begun.send(()).unwrap();
        for _ in 0..200 {
            waker.wake_by_ref();
            waker.clone().wake();
        }
    });
    begins.recv().unwrap();
    drop(event_loop);
    thread.join().unwrap();
    drop(task);
}

/// Case 89.
fn destructors_spawn_while_their_loop_closes() {
    let event_loop = virtual_loop();
    let kept: Rc<RefCell<Vec<Task<Token>>>> = Rc::default();
    let inner = kept.clone();
    drop(event_loop.spawn(async move {
        let _spawns = OnDrop(|| {
            inner.borrow_mut().push(spawn(gated(&Gate::new())));
            drop(spawn(gated(&Gate::new())));
            let refused = token();
            assert!(call_soon(move || drop(refused)).is_err());
        });
        pending::<()>().await;
    }));
    settle(&event_loop);
    drop(event_loop);
    assert_eq!(dropped(), 3);
    assert!(kept.borrow()[0].is_finished());
}

/// Case 96.
fn waker_lies_in_its_own_future() {
    let event_loop = virtual_loop();
    let task = event_loop.spawn(async {
        let _own = (own_waker().await, token());
        pending::<()>().await;
    });
    settle(&event_loop);
    drop(event_loop);
    assert_eq!(dropped(), 1);
    drop(task);
}

fn waker_lies_in_its_own_output() {
    let event_loop = virtual_loop();
    let output = || async { (own_waker().await, token()) };
    drop(event_loop.spawn(output()));
    drop(event_loop.handle().submit(output()));
    settle(&event_loop);
    assert_eq!(dropped(), 2);
    let unread = (event_loop.spawn(output()), event_loop.handle().submit(output()));
    settle(&event_loop);
    drop(event_loop);
    assert_eq!(dropped(), 2);
    drop(unread);
}

/// The last of these handles lies in its own task's future, the others in a circle of three.
fn tasks_wait_for_themselves_and_each_other() {
    let event_loop = virtual_loop();
    let handles: Rc<RefCell<Vec<Option<Task<()>>>>> = Rc::default();
    for awaited in [1, 2, 0, 3] {
        let inner = handles.clone();
        let task = event_loop.spawn(async move {
            let _token = token();
            let task = inner.borrow_mut()[awaited].take().unwrap();
            task.await.unwrap_err();
        });
        handles.borrow_mut().push(Some(task));
    }
    settle(&event_loop);
    let error = event_loop.try_run_until_complete(pending::<()>()).unwrap_err();
    assert!(matches!(error, RunError::Stalled(report) if report.tasks.len() == 5));
    assert_eq!(dropped(), 0);
    drop(event_loop);
    assert_eq!(dropped(), 4);
}

/// Cases 54, 61, 62.
fn joiner_of_each_kind_is_dropped_once() {
    let event_loop = virtual_loop();
    let gate = Gate::new();
    let (foreign, waker) = CountingWaker::new();
    let (other, other_waker) = CountingWaker::new();
    // Replaced by another, dropped with its handle, dropped at the end of the loop.
    let mut replaced = event_loop.spawn(gated(&gate));
    let mut detached = event_loop.spawn(gated(&gate));
    let mut closed = event_loop.spawn(gated(&gate));
    let in_a_group = gather([event_loop.spawn(gated(&gate))]);
    for task in [&mut replaced, &mut detached, &mut closed] {
        assert!(poll_with(task, &waker).is_pending());
    }
    assert!(poll_with(&mut replaced, &other_waker).is_pending());
    let mut in_a_group = Some(in_a_group);
    assert!(poll_with(in_a_group.as_mut().unwrap(), &waker).is_pending());
    drop(detached);
    drop(event_loop);
    assert_eq!((foreign.wakes(), other.wakes()), (2, 1));
    drop((replaced, closed, in_a_group));
}

/// A waker is dropped by a destructor of a thread's locals, when the loop's own are gone or not.
fn waker_called_while_thread_locals_are_destroyed() {
    type Last = OnDrop<Box<dyn FnMut()>>;
    thread_local! {
        static BEFORE: RefCell<Option<Last>> = const { RefCell::new(None) };
        static AFTER: RefCell<Option<Last>> = const { RefCell::new(None) };
    }
    let wakes = |gate: &Gate| -> Last {
        let gate = gate.clone();
        OnDrop(Box::new(move || gate.open()))
    };
    thread::spawn(move || {
        let gate = Gate::new();
        BEFORE.set(Some(wakes(&gate)));
        let event_loop = virtual_loop();
        let task = event_loop.spawn(gated(&gate));
        settle(&event_loop);
        let other = Gate::new();
        drop(event_loop.spawn(gated(&other)));
        settle(&event_loop);
        let mut kept = Some((event_loop, task, other.clone()));
        AFTER.set(Some(OnDrop(Box::new(move || {
            other.open();
            drop(kept.take());
        }))));
    })
    .join()
    .unwrap();
}

/// Case 44.
fn refcount_ledger() {
    let (before, _) = live();
    let event_loop = virtual_loop();
    let gate = Gate::new();
    let task = event_loop.spawn(gated(&gate));
    settle(&event_loop);
    let first = gate.waker().unwrap();
    gate.lose_waker();
    let clones: Vec<Waker> = (0..5).map(|_| first.clone()).collect();
    assert!(clones.iter().all(|clone| clone.will_wake(&first)));
    clones.iter().for_each(Waker::wake_by_ref);
    drop((event_loop, task, gate));
    let (held, _) = live();
    assert!(held > before, "the task's allocation lives as long as a waker");
    drop(first);
    // The list itself is the one block that goes with the clones.
    clones.into_iter().enumerate().for_each(|(number, clone)| {
        assert_eq!(live().0, held, "clone {number} keeps all of it");
        if number % 2 == 0 { clone.wake() } else { drop(clone) }
    });
    assert_eq!(live().0, before);
}

/// Case 37. The wake goes nowhere, and what it was made from is freed at once.
fn waker_of_a_finished_task_makes_no_entry() {
    let event_loop = virtual_loop();
    let gate = Gate::new();
    let task = event_loop.spawn(gated(&gate));
    settle(&event_loop);
    let waker = gate.waker().unwrap();
    gate.open();
    settle(&event_loop);
    drop(task);
    let (held, _) = live();
    waker.wake_by_ref();
    assert_eq!(live().0, held);
    waker.wake();
    assert_eq!(live().0, held - 1);
    assert!(!event_loop.run_once());
}

// Roots.

fn root_is_stopped_stalled_and_panics() {
    let event_loop = virtual_loop();
    drop(event_loop.spawn(stuck()));
    event_loop.stop();
    assert_eq!(event_loop.try_run_until_complete(stuck()).unwrap_err(), RunError::Stopped);
    assert_eq!(dropped(), 1);
    let stalled = event_loop.try_run_until_complete(stuck()).unwrap_err();
    assert!(matches!(stalled, RunError::Stalled(_)));
    assert_eq!(dropped(), 2);
    let payload = catch_unwind(AssertUnwindSafe(|| event_loop.run_until_complete(panics()))).unwrap_err();
    assert_eq!(dropped(), 3);
    drop(payload);
    let mut kept = Box::pin(stuck());
    event_loop.stop();
    event_loop.try_run_until_complete(kept.as_mut()).unwrap_err();
    assert_eq!(dropped(), 4);
    // A waker of a root that is over.
    let waker = event_loop.run_until_complete(own_waker());
    waker.wake_by_ref();
    settle(&event_loop);
    drop(event_loop);
    waker.wake();
}

// Wakes.

fn many_wakes_are_one_entry() {
    let event_loop = virtual_loop();
    let gate = Gate::new();
    drop(event_loop.spawn(gated(&gate)));
    settle(&event_loop);
    for _ in 0..1000 {
        gate.waker().unwrap().wake();
    }
    assert!(event_loop.run_once());
    assert!(!event_loop.run_once());
    assert_eq!(gate.polls(), 2);
    let waker = gate.waker().unwrap();
    thread::spawn(move || (0..1000).for_each(|_| waker.clone().wake())).join().unwrap();
    event_loop.run_until_complete(async {
        (0..1000).for_each(|_| gate.waker().unwrap().wake());
        gate.waker().unwrap().wake_by_ref();
    });
    settle(&event_loop);
}

// Gathers.

/// GATH-01, GATH-03.
fn gathers_complete() {
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async {
        let (first, second) = (Gate::new(), Gate::new());
        let outputs = gather([spawn(gated(&first)), spawn(async { token() })]);
        let settled = gather_settled([spawn(gated(&second)), spawn(panics())]);
        let tried = try_gather([spawn(async { Ok::<_, Token>(token()) })]);
        yield_now().await;
        first.open();
        second.open();
        assert_eq!(outputs.await.unwrap().len(), 2);
        assert_eq!(settled.await.len(), 2);
        assert_eq!(tried.await.unwrap().len(), 1);
        assert!(gather(Vec::<Task<Token>>::new()).await.unwrap().is_empty());
    });
}

/// GATH-02, GATH-09.
fn gathers_fail_and_the_rest_goes_on() {
    let event_loop = quiet_loop();
    let (first, second) = (Gate::new(), Gate::new());
    event_loop.run_until_complete(async {
        let error = gather([spawn(gated(&first)), spawn(panics()), spawn(panics())]).await.unwrap_err();
        assert!(error.is_panic());
        let inner = second.clone();
        let late = spawn(async move {
            inner.await;
            Ok::<Token, Token>(token())
        });
        let done = spawn(async { Ok(token()) });
        let failed = spawn(async { Err(token()) });
        try_gather([late, done, failed]).await.unwrap_err();
    });
    let before = dropped();
    first.open();
    second.open();
    settle(&event_loop);
    assert_eq!(dropped(), before + 3, "a future and two outputs of those that went on");
}

/// GATH-04, GATH-05. Case 75.
fn gathers_are_dropped() {
    let event_loop = virtual_loop();
    let gate = Gate::new();
    let two = || [event_loop.spawn(gated(&gate)), event_loop.spawn(gated(&gate))];
    drop(gather(two()));
    drop(gather_settled(two()));
    settle(&event_loop);
    assert_eq!(dropped(), 4);
    let (_counter, waker) = CountingWaker::new();
    let mut polled = gather(two());
    let mut settled = gather_settled(two());
    assert!(poll_with(&mut polled, &waker).is_pending());
    assert!(poll_with(&mut settled, &waker).is_pending());
    settle(&event_loop);
    drop((polled, settled));
    settle(&event_loop);
    assert_eq!(dropped(), 8);
    // One child has ended, and nobody reads its output.
    let done = event_loop.spawn(async { token() });
    let half = gather([done, event_loop.spawn(gated(&gate))]);
    settle(&event_loop);
    drop(half);
    settle(&event_loop);
}

fn loop_is_dropped_while_a_gather_waits() {
    let event_loop = virtual_loop();
    let gate = Gate::new();
    let children = [event_loop.spawn(gated(&gate)), event_loop.spawn(gated(&gate))];
    let task = event_loop.spawn(async { gather(children).await.unwrap() });
    let outside = gather_settled([event_loop.spawn(gated(&gate))]);
    settle(&event_loop);
    drop(event_loop);
    assert_eq!(dropped(), 3);
    drop((task, outside));
}

// Timers.

fn sleeps_end_and_are_cancelled() {
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async {
        let _never_polled = sleep(Duration::from_secs(1));
        sleep(Duration::from_secs(1)).await;
        sleep(Duration::ZERO).await;
        assert_eq!(timeout(Duration::from_secs(1), stuck()).await, Err(Elapsed));
        assert_eq!(dropped(), 1);
        drop(timeout(Duration::from_secs(1), async { token() }).await.unwrap());
        let mut for_ever = sleep(Duration::MAX);
        assert!(poll_with(&mut for_ever, Waker::noop()).is_pending());
        let task = spawn(async {
            let _token = token();
            sleep(Duration::from_secs(9)).await;
        });
        yield_now().await;
        task.cancel();
    });
    settle(&event_loop);
    assert_eq!(dropped(), 3);
}

/// RUST-12.
fn sleep_outlives_its_loop() {
    let (counter, waker) = CountingWaker::new();
    let event_loop = virtual_loop();
    let mut inside = event_loop.run_until_complete(async { sleep(Duration::from_secs(3600)) });
    assert!(poll_with(&mut inside, &waker).is_pending());
    drop(event_loop);
    assert_eq!(counter.wakes(), 1, "it is told that its loop is gone");
    // From here on the timers of the process serve it.
    assert!(poll_with(&mut inside, &waker).is_pending());
    drop(inside);
}

fn sleep_outside_any_loop_is_dropped() {
    let (_counter, waker) = CountingWaker::new();
    let mut outside = sleep(Duration::from_secs(3600));
    assert!(poll_with(&mut outside, &waker).is_pending());
    drop(outside);
    let mut outside = Box::pin(timeout(Duration::from_secs(3600), stuck()));
    assert!(poll_with(&mut outside, &waker).is_pending());
    drop(outside);
}

/// Case 109.
fn timer_thread_ends_with_its_loop() {
    let event_loop = EventLoop::new();
    drop(event_loop.spawn(async {
        let _token = token();
        sleep(Duration::from_secs(3600)).await;
    }));
    event_loop.run_until_complete(async { sleep(Duration::from_millis(1)).await });
    drop(event_loop);
    assert_eq!(dropped(), 1);
}

// Callbacks.

/// SOON-03, TIME-06, LOOP-10, LOOP-12.
fn callbacks_run_and_are_cancelled() {
    let event_loop = quiet_loop();
    let callback = || {
        let token = token();
        move || drop(token)
    };
    drop(event_loop.call_soon(callback()).unwrap());
    let cancelled = event_loop.call_soon(callback()).unwrap();
    cancelled.cancel();
    let timer = event_loop.call_later(Duration::from_secs(1), callback()).unwrap();
    timer.cancel();
    timer.cancel();
    event_loop.handle().call_soon_threadsafe(callback()).unwrap();
    let panicking = token();
    drop(event_loop.call_soon(move || resume_unwind(Box::new(panicking))).unwrap());
    settle(&event_loop);
    assert_eq!(dropped(), 5);
    // Run by its timer, due already, and never.
    drop(event_loop.call_later(Duration::from_secs(1), callback()).unwrap());
    drop(event_loop.call_later(Duration::ZERO, callback()).unwrap());
    drop(event_loop.call_later(Duration::MAX, callback()).unwrap());
    event_loop.run_until_complete(async { sleep(Duration::from_secs(2)).await });
    assert_eq!(dropped(), 7);
    // Dropped with the loop.
    drop(event_loop.call_soon(callback()).unwrap());
    drop(event_loop.call_later(Duration::from_secs(1), callback()).unwrap());
    event_loop.handle().call_soon_threadsafe(callback()).unwrap();
    let handle = event_loop.handle();
    let outlives = event_loop.call_later(Duration::from_secs(1), callback()).unwrap();
    drop(event_loop);
    assert_eq!(dropped(), 12);
    outlives.cancel();
    // Given back.
    drop(handle.call_soon_threadsafe(callback()).unwrap_err());
    assert_eq!(dropped(), 13);
}

fn callback_holds_its_own_handle() {
    let event_loop = virtual_loop();
    for seconds in [1, 9] {
        let own = Rc::new(RefCell::new(None));
        let (inner, held) = (own.clone(), token());
        let timer = event_loop.call_later(Duration::from_secs(seconds), move || {
            drop((inner, held));
        });
        *own.borrow_mut() = Some(timer.unwrap());
    }
    event_loop.run_until_complete(async {
        let _ = call_later(Duration::ZERO, || {}).unwrap();
        sleep(Duration::from_secs(2)).await;
    });
    assert_eq!(dropped(), 1);
    drop(event_loop);
    assert_eq!(dropped(), 2);
}

// Promises.

/// FUT-04, FUT-10, CANC-09. Case 62.
fn promises_are_kept_broken_and_ignored() {
    let (_counter, waker) = CountingWaker::new();
    let polled = || {
        let (promise, mut future) = create_future::<Token>();
        assert!(poll_with(&mut future, &waker).is_pending());
        (promise, future)
    };
    let (promise, mut future) = polled();
    promise.set_result(token());
    assert_eq!(dropped(), 0);
    drop(future.try_result().unwrap().unwrap());
    let (promise, future) = polled();
    promise.set_result(token());
    drop(future);
    let (promise, future) = polled();
    drop(future);
    promise.set_result(token());
    assert_eq!(dropped(), 3);
    let (promise, future) = polled();
    thread::spawn(move || drop(promise)).join().unwrap();
    drop(future);
    let (promise, future) = polled();
    drop(future);
    drop(promise);
    drop(create_future::<Token>());
    // Broken by the end of the loop whose task was to keep it.
    let event_loop = virtual_loop();
    let (promise, mut future) = polled();
    drop(event_loop.spawn(async move {
        stuck().await;
        promise.set_result(token());
    }));
    settle(&event_loop);
    drop(event_loop);
    assert!(future.try_result().unwrap().is_err());
}

// Submissions.

/// RCT-04, RCT-10, RCT-12, RCT-17, RCT-19. Cases 57, 58.
fn submissions_end_in_every_way() {
    let event_loop = quiet_loop();
    let handle = event_loop.handle();
    let value = || {
        let inner = token();
        async move {
            yield_now().await;
            drop(inner);
            token()
        }
    };
    // Read, dropped unread, dropped before it ran, cancelled before it ran, panicked and read, panicked and dropped.
    let read = handle.submit(value());
    let unread = handle.submit(value());
    drop(handle.submit(value()));
    let cancelled = handle.submit(value());
    assert!(cancelled.cancel());
    let panicked = handle.submit(panics());
    drop(handle.submit(panics()));
    let made = handle.submit_with({
        let make = token();
        move || {
            drop(make);
            let not_send = Rc::new(token());
            async move {
                yield_now().await;
                drop(not_send);
                token()
            }
        }
    });
    settle(&event_loop);
    drop(read.result().unwrap());
    drop(unread);
    drop(made.result().unwrap());
    assert!(matches!(cancelled.result(), Err(ResultError::Failed(error)) if error.is_cancelled()));
    assert!(matches!(panicked.result(), Err(ResultError::Failed(error)) if error.is_panic()));
    // Over at the end of the loop: one that waits, one that never ran, one that is finished; and one refused.
    let (_counter, waker) = CountingWaker::new();
    let mut waiting = handle.submit(stuck());
    assert!(poll_with(&mut waiting, &waker).is_pending());
    let finished = handle.submit(value());
    let panicked = handle.submit(panics());
    settle(&event_loop);
    let never_ran = handle.submit(value());
    drop(handle.submit(stuck()));
    drop(event_loop);
    let refused = handle.submit(value());
    assert!(matches!(refused.result(), Err(ResultError::Failed(error)) if error.is_cancelled()));
    drop(handle.submit_with(|| async { unreachable!("the loop is closed") as u8 }));
    drop(finished.result().unwrap());
    drop((waiting, never_ran, panicked));
}

/// RCT-02, RCT-04. Cases 2, 71.
fn submissions_of_another_thread() {
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let thread = thread::spawn(move || {
        let read = handle.submit(async { token() });
        drop(read.result().unwrap());
        // Made here, because the loop may not poll it before it is cancelled.
        let held = token();
        let stuck = handle.submit(async move {
            let _held = held;
            pending::<()>().await;
        });
        assert!(matches!(stuck.result_timeout(Duration::ZERO), Err(ResultError::Timeout)));
        stuck.cancel();
        stuck.result().unwrap_err();
        drop(handle.submit(async { token() }));
        let callback = token();
        handle.call_soon_threadsafe(move || drop(callback)).unwrap();
        handle.stop();
    });
    event_loop.run_forever();
    thread.join().unwrap();
    settle(&event_loop);
    assert_eq!(dropped(), 4);
}

/// A submission races with the end of its loop: it runs or is refused, and is dropped once in either case.
fn submissions_race_with_the_end_of_their_loop() {
    for _ in 0..20 {
        let event_loop = EventLoop::new();
        let handle = event_loop.handle();
        let (begun, begins) = channel::<()>();
        let thread = thread::spawn(move || {
            for number in 0..20 {
                if number == 3 {
                    begun.send(()).unwrap();
                }
                let inner = token();
                let task = handle.submit(async move {
                    yield_now().await;
                    inner
                });
                match number % 3 {
                    0 => drop(task),
                    1 => drop(task.cancel()),
                    _ => drop(task.result()),
                }
                let callback = token();
                drop(handle.call_soon_threadsafe(move || drop(callback)));
            }
        });
        while begins.try_recv().is_err() {
            event_loop.run_once();
        }
        drop(event_loop);
        thread.join().unwrap();
    }
}

// Jobs.

/// EXEC-02, EXEC-04.
fn jobs_end_in_every_way() {
    let event_loop = quiet_loop();
    // No job ends before the last was begun: its thread would be let go of then, and not be joined.
    let all_begun = Arc::new(Barrier::new(5));
    let (go, told) = channel::<()>();
    let outlives = event_loop.run_until_complete(async {
        let begun: [_; 5] = std::array::from_fn(|_| all_begun.clone());
        let [a, b, c, d, e] = begun;
        let code = token();
        let awaited = run_in_executor(move || {
            a.wait();
            (code, token())
        });
        let panicked = run_in_executor(move || -> Token {
            b.wait();
            resume_unwind(Box::new(token()))
        });
        drop(run_in_executor(move || {
            c.wait();
            token()
        }));
        drop(run_in_executor(move || -> Token {
            d.wait();
            resume_unwind(Box::new(token()))
        }));
        let outlives = run_in_executor(move || {
            e.wait();
            told.recv().unwrap();
            token()
        });
        drop(awaited.await.unwrap());
        assert!(panicked.await.unwrap_err().is_panic());
        outlives
    });
    go.send(()).unwrap();
    drop(event_loop);
    drop(outlives);
}

// Looking.

fn reports_and_handles_own_nothing_of_the_loop() {
    let event_loop = virtual_loop();
    let handle = event_loop.handle();
    let clone = handle.clone();
    drop(clone.hold_clock());
    event_loop.run_until_complete(async {
        let task = spawn(stuck());
        yield_now().await;
        assert_eq!(all_tasks().len(), 2);
        assert!(format!("{task:?}").starts_with("Task {"));
        task.cancel();
        let error = task.await.unwrap_err();
        assert_eq!(error.to_string(), "Task-2 was cancelled before it finished.");
    });
    drop(handle);
    drop(clone);
    drop(event_loop.spawn(stuck()));
    let RunError::Stalled(report) = event_loop.try_run_until_complete(pending::<()>()).unwrap_err() else {
        panic!("it must stall")
    };
    drop(event_loop);
    assert_eq!(report.tasks.len(), 2);
}

macro_rules! scenarios {
    ($($name:ident),* $(,)?) => { [$((stringify!($name), $name as fn())),*] };
}

/// RUST-07, CANC-17. Cases 40, 44, 57, 66, 67, 78, 86, 94, 96, and those that the scenarios name. Every scenario, once
/// warmed up, leaves as many live blocks and bytes as it found, and drops each of its values once. Then: a task is one
/// allocation, a wake none, and cancelled sleeps leave a bounded heap.
#[test]
fn every_block_is_freed_and_every_value_dropped_once() {
    // What this thread allocates while it waits is not the scenarios'.
    OUTSIDER.set(true);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !QUIET.load(SeqCst) {
            usual(panic);
        }
    }));
    watched(|| {
        // The process keeps what the heap of its timers has grown to, and the thread that serves it.
        cancel_sleeps_outside_any_loop(1000);
        settle_the_thread_of_the_process();
        let mut failures = Vec::new();
        for (name, scenario) in scenarios![
            task_is_spawned_and_joined,
            named_task_is_joined_by_a_task,
            output_of_a_detached_task_is_dropped_once,
            output_is_taken_once,
            output_that_nobody_reads_is_dropped_with_the_handle,
            task_is_cancelled_before_its_first_poll,
            cancelled_future_is_dropped_once,
            task_is_cancelled_and_its_handle_dropped,
            task_cancels_itself,
            panic_is_joined,
            panic_is_reported,
            destructors_panic,
            futures_of_every_layout_are_freed,
            loop_is_dropped_with_tasks_in_every_state,
            loop_handle_and_waker_are_dropped_in_every_order,
            waker_outlives_its_loop,
            tasks_are_woken_while_their_loop_closes,
            task_is_woken_from_another_thread_while_its_loop_closes,
            destructors_spawn_while_their_loop_closes,
            waker_lies_in_its_own_future,
            waker_lies_in_its_own_output,
            tasks_wait_for_themselves_and_each_other,
            joiner_of_each_kind_is_dropped_once,
            waker_called_while_thread_locals_are_destroyed,
            refcount_ledger,
            waker_of_a_finished_task_makes_no_entry,
            root_is_stopped_stalled_and_panics,
            many_wakes_are_one_entry,
            gathers_complete,
            gathers_fail_and_the_rest_goes_on,
            gathers_are_dropped,
            loop_is_dropped_while_a_gather_waits,
            sleeps_end_and_are_cancelled,
            sleep_outlives_its_loop,
            sleep_outside_any_loop_is_dropped,
            timer_thread_ends_with_its_loop,
            callbacks_run_and_are_cancelled,
            callback_holds_its_own_handle,
            promises_are_kept_broken_and_ignored,
            submissions_end_in_every_way,
            submissions_of_another_thread,
            submissions_race_with_the_end_of_their_loop,
            jobs_end_in_every_way,
            reports_and_handles_own_nothing_of_the_loop,
        ] {
            for round in 0..5 {
                MADE.store(0, SeqCst);
                let before = live();
                let ended = catch_unwind(scenario);
                let after = live();
                if ended.is_err() {
                    drop(ended);
                    failures.push(format!("{name}: it panicked"));
                    break;
                }
                let made = MADE.load(SeqCst);
                let wrong: Vec<(usize, u8)> = (0..made)
                    .map(|number| (number, DROPS[number].load(SeqCst)))
                    .filter(|(_, drops)| *drops != 1)
                    .collect();
                if !wrong.is_empty() {
                    failures.push(format!("{name}: (token, drops) {wrong:?} of {made}"));
                    break;
                }
                // The first rounds warm up what the process keeps.
                if round >= 2 && before != after {
                    failures.push(format!("{name}: (blocks, bytes) {before:?} before, {after:?} after"));
                    break;
                }
            }
        }
        assert!(failures.is_empty(), "{failures:#?}");
        task_is_one_allocation_and_a_wake_is_none();
        cancelled_sleeps_leave_a_bounded_heap();
        cancelled_timers_leave_a_bounded_heap();
        cancelled_sleeps_outside_any_loop_leave_a_bounded_heap();
    });
}

fn task_is_one_allocation_and_a_wake_is_none() {
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async {
        let round = || async {
            let tasks: [Task<u64>; 10] = std::array::from_fn(|number| {
                spawn(async move {
                    yield_now().await;
                    own_waker().await.wake();
                    yield_now().await;
                    number as u64
                })
            });
            let mut sum = 0;
            for task in tasks {
                sum += task.await.unwrap();
            }
            assert_eq!(sum, 45);
        };
        // Places for the waiting tasks.
        round().await;
        let before = ALLOCATED.load(SeqCst);
        round().await;
        assert_eq!(ALLOCATED.load(SeqCst) - before, 10, "ten tasks");
        let before = ALLOCATED.load(SeqCst);
        for _ in 0..1000 {
            yield_now().await;
        }
        assert_eq!(ALLOCATED.load(SeqCst) - before, 0, "a thousand wakes");
    });
}

/// A debug build is slow.
const MANY: usize = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };

/// The most bytes that were alive above `before` since then.
fn peak_since(before: usize) -> usize {
    PEAK_BYTES.load(SeqCst).saturating_sub(before)
}

#[track_caller]
fn assert_bounded(limit: usize, code: impl FnOnce()) {
    let (_, before) = live();
    PEAK_BYTES.store(before, SeqCst);
    code();
    let peak = peak_since(before);
    assert!(peak < limit, "{peak} bytes at the peak");
    assert_eq!(live().1, before, "bytes that are left");
}

/// TIME-07. Case 107. A cancelled sleep costs no memory for longer than the sweep takes to come.
fn cancelled_sleeps_leave_a_bounded_heap() {
    for alive in [0, 1, 100] {
        assert_bounded(100_000, || {
            let event_loop = virtual_loop();
            event_loop.run_until_complete(async {
                let mut waiting: Vec<_> = (0..alive).map(|_| sleep(Duration::from_secs(7200))).collect();
                waiting.iter_mut().for_each(|sleep| assert!(poll_with(sleep, Waker::noop()).is_pending()));
                for number in 0..MANY / 3 {
                    // Before and behind those that wait.
                    let mut cancelled = sleep(Duration::from_secs(if number % 2 == 0 { 3600 } else { 9000 }));
                    assert!(poll_with(&mut cancelled, Waker::noop()).is_pending());
                }
            });
        });
    }
}

/// TIME-06, TIME-07. The same for callbacks and for tasks that sleep.
fn cancelled_timers_leave_a_bounded_heap() {
    assert_bounded(200_000, || {
        let event_loop = virtual_loop();
        for _ in 0..MANY / 200 {
            for _ in 0..100 {
                event_loop.call_later(Duration::from_secs(3600), || {}).unwrap().cancel();
                let task = event_loop.spawn(sleep(Duration::from_secs(3600)));
                task.cancel();
            }
            settle(&event_loop);
            let sleeping: Vec<_> = (0..100).map(|_| event_loop.spawn(sleep(Duration::from_secs(3600)))).collect();
            settle(&event_loop);
            sleeping.iter().for_each(|task| assert!(task.cancel()));
            settle(&event_loop);
        }
    });
}

/// RUST-12, TIME-07. The same for the timers of the process.
fn cancelled_sleeps_outside_any_loop_leave_a_bounded_heap() {
    assert_bounded(100_000, || cancel_sleeps_outside_any_loop(MANY / 3));
    let before = ALLOCATED.load(SeqCst);
    cancel_sleeps_outside_any_loop(1000);
    assert_eq!(ALLOCATED.load(SeqCst) - before, 0);
}

/// Waits until the thread of the process's timers has begun and let go of what it was begun with, and makes it an
/// outsider: what it frees after a wake would come at any moment.
fn settle_the_thread_of_the_process() {
    struct Bell(Mutex<bool>, Condvar);
    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            OUTSIDER.set(true);
            *self.0.lock().unwrap() = true;
            self.1.notify_all();
        }
    }
    // When the second is called, the thread has freed what the first fire allocated.
    let mut fires = 0;
    while fires < 2 {
        let bell = Arc::new(Bell(Mutex::new(false), Condvar::new()));
        let waker = Waker::from(bell.clone());
        let mut short = sleep(Duration::from_millis(1));
        if poll_with(&mut short, &waker).is_pending() {
            drop(bell.1.wait_while(bell.0.lock().unwrap(), |rung| !*rung).unwrap());
            // Its own clone goes last, so that this thread frees the bell.
            while Arc::strong_count(&bell) > 2 {
                thread::yield_now();
            }
            fires += 1;
        }
    }
}

fn cancel_sleeps_outside_any_loop(count: usize) {
    for _ in 0..count {
        let mut cancelled = sleep(Duration::from_secs(3600));
        assert!(poll_with(&mut cancelled, Waker::noop()).is_pending());
    }
}
