//! The article's first program with a thread for each sleep. It takes 4 seconds of real time.

use std::thread;
use std::time::{Duration, Instant};

fn do_some_work(x: u64) -> String {
    println!("waiting: {x}");
    thread::sleep(Duration::from_secs(x));
    format!("Done after {x}s")
}

fn main() {
    let start = Instant::now();
    let threads = [1, 2, 4].map(|x| thread::spawn(move || do_some_work(x)));
    for thread in threads {
        println!("Task ret: {}", thread.join().unwrap());
    }
    println!("Time: {:.3}", start.elapsed().as_secs_f64());
}
