//! The twin of e0277.rs: the entries have an order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub deadline: Duration,
    pub number: u64,
}

fn main() {
    let entry = Entry { deadline: Duration::from_secs(1), number: 1 };
    let heap = BinaryHeap::from([Reverse(entry)]);
    println!("{}", heap.len());
}
