//! What a thread that waits costs on this machine, and what a timer costs. Only Linux tells about threads.

use std::cmp::Reverse;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Waker;
use std::thread;
use std::time::Duration;

/// A number out of what Linux tells of this process, in its own unit.
fn of_process(name: &str) -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().nth(1)?.parse().ok())
}

fn main() {
    let names = [("Threads", ""), ("VmSize", " kB of address space"), ("VmRSS", " kB in memory")];
    let before = names.map(|(name, _)| of_process(name));
    let waiting: Vec<Sender<()>> = (0..1000)
        .map(|_| {
            let (stop, stopped): (Sender<()>, Receiver<()>) = channel();
            thread::spawn(move || stopped.recv());
            stop
        })
        .collect();
    for ((name, unit), before) in names.into_iter().zip(before) {
        match (before, of_process(name)) {
            (Some(before), Some(after)) => println!("{name}: {}{unit} more", after - before),
            _ => println!("{name}: (only Linux tells){unit} more"),
        }
    }
    drop(waiting);
    let (heap, map) = (size_of::<Reverse<(Duration, u64)>>(), size_of::<(u64, Waker)>());
    println!("a timer: {heap} bytes in the heap, {map} in the map; a thousand: {}", 1000 * (heap + map));
}
