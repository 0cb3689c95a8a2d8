//! What `BinaryHeap` has on top, what `Reverse` changes, and what decides among equal deadlines.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

fn main() {
    let mut heap = BinaryHeap::from([2, 4, 1]);
    println!("the deadlines alone: {:?} comes first", heap.pop().unwrap());
    let mut heap = BinaryHeap::from([Reverse(2), Reverse(4), Reverse(1)]);
    println!("each in Reverse: {:?} comes first", heap.pop().unwrap());

    let mut heap = BinaryHeap::new();
    for (number, deadline) in [(1, 4), (2, 1), (3, 2), (4, 1), (5, 1)] {
        heap.push(Reverse((deadline, number)));
    }
    while let Some(Reverse((deadline, number))) = heap.pop() {
        println!("{deadline} s: timer {number}");
    }
}
