//! The check of exercise 4.2.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex04_2.rs"]
mod exercise;

use std::cell::RefCell;
use std::pin::pin;
use std::process::ExitCode;
use std::task::{Context, Poll};

use checker::contract::Probe;
use checker::{Verdict, messages};
use exercise::checksum;

fn main() -> ExitCode {
    checker::run("ex04_2", &[("4.5", weighs_little_and_does_the_same)])
}

const MOST_WEIGHT: usize = 256;

/// The exercise's `PAGE` has to stay as it is.
const PAGE: usize = 4096;

/// No two bytes of a page are the same all along, and no two pages.
fn page(number: usize) -> [u8; PAGE] {
    std::array::from_fn(|place| (place * 7 + number * 13) as u8 % 251)
}

fn weighs_little_and_does_the_same() -> Verdict {
    let weight = size_of_val(&checksum(page, 25));
    if weight > MOST_WEIGHT {
        return Err(messages::too_heavy("`checksum`", MOST_WEIGHT, weight));
    }
    for pages in [25, 1, 0] {
        let reads = RefCell::new(Vec::new());
        let read = |number| {
            reads.borrow_mut().push(number);
            page(number)
        };
        let mut future = pin!(checksum(read, pages));
        // How many pages were read before each pause.
        let mut pauses = Vec::new();
        let result = loop {
            let probe = Probe::new();
            match probe.with_waker(|waker| future.as_mut().poll(&mut Context::from_waker(waker))) {
                Poll::Ready(result) => break result,
                Poll::Pending if pauses.len() > 60 => return Err(messages::checksum_has_no_end(60)),
                Poll::Pending if probe.wakes() == 0 => return Err(messages::pause_wakes_nobody()),
                Poll::Pending => pauses.push(reads.borrow().len()),
            }
        };
        if let Some(twice) = (0..pages).find(|page| reads.borrow().iter().filter(|read| *read == page).count() > 1) {
            return Err(messages::page_read_twice(twice));
        }
        messages::first_difference("the pages that were read", &(0..pages).collect::<Vec<_>>(), &reads.borrow())?;
        if pauses.is_empty() && pages > 0 {
            return Err(messages::no_pause());
        }
        let expected: Vec<usize> = (1..=pages).collect();
        messages::first_difference("how many pages were read before each pause", &expected, &pauses)?;
        let sum: u64 = (0..pages).flat_map(page).map(u64::from).sum();
        if result != sum {
            return Err(messages::result_was(&sum.to_string(), &result.to_string()));
        }
    }
    Ok(())
}
