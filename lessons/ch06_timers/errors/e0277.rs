//! E0277

use std::collections::BinaryHeap;
use std::time::Duration;

pub struct Entry {
    pub deadline: Duration,
    pub number: u64,
}

fn main() {
    let entry = Entry { deadline: Duration::from_secs(1), number: 1 };
    let heap = BinaryHeap::from([entry]);
    println!("{}", heap.len());
}
