//! How many entries an insertion moves: in a sorted list, as chapter 2 has it, and in a heap.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// The earlier deadline is the greater one. It counts the comparisons in which a new one is the greater: after each of
/// these the heap moves one entry.
struct Counted<'a>(u32, &'a Cell<u32>);

impl Ord for Counted<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = other.0.cmp(&self.0);
        self.1.set(self.1.get() + u32::from(order.is_gt()));
        order
    }
}

impl PartialOrd for Counted<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Counted<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Counted<'_> {}

fn main() {
    for entries in [10, 100, 1000] {
        // The worst case of both: each new deadline is earlier than all that are there.
        let (mut list, mut moved) = (Vec::new(), 0);
        for deadline in (0..entries).rev() {
            let place = list.partition_point(|other| *other <= deadline);
            moved += list.len() - place;
            list.insert(place, deadline);
        }
        let moved_in_heap = Cell::new(0);
        let mut heap = BinaryHeap::new();
        (0..entries).rev().for_each(|deadline| heap.push(Counted(deadline, &moved_in_heap)));
        println!("{entries} insertions: the list moves {moved} entries, the heap {}", moved_in_heap.get());
    }
}
