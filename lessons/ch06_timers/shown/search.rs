//! How many entries an insertion touches: in a sorted list, as chapter 2 has it, and in a heap.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A deadline that counts how often it is compared. The earlier one is the greater.
struct Counted<'a>(u32, &'a Cell<u32>);

impl Ord for Counted<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.1.set(self.1.get() + 1);
        other.0.cmp(&self.0)
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
        let compared = Cell::new(0);
        let mut heap = BinaryHeap::new();
        (0..entries).rev().for_each(|deadline| heap.push(Counted(deadline, &compared)));
        println!("{entries} insertions: the list moves {moved} entries, the heap compares {} times", compared.get());
    }
}
