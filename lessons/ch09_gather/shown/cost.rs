//! What a task that sleeps costs on this machine, in memory: all that is allocated is counted.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use stage::{Clock, EventLoop, Time, do_some_work, gather};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

struct Counting;

static BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: each call goes on to the system's own allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    stage::PLAYER.get_or_init(|| |_, _| ());
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    let event_loop = EventLoop::new(&clock);
    let before = BYTES.load(Ordering::Relaxed);
    let tasks: Vec<_> = (0..1000).map(|_| event_loop.spawn("work", do_some_work(&clock, 4))).collect();
    // Ready at 1 s, when all the others sleep.
    event_loop.run_until_complete(do_some_work(&clock, 1));
    let bytes = BYTES.load(Ordering::Relaxed) - before;
    println!("a thousand tasks that sleep: {} bytes each", bytes / 1000);
    let results = event_loop.run_until_complete(gather(tasks));
    println!("all {} are over at {} s", results.len(), clock.now().as_secs());
}
