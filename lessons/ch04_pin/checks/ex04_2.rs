//! The check of exercise 4.2.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex04_2.rs"]
mod exercise;

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::process::ExitCode;
use std::task::Poll;

use checker::contract::Probe;
use checker::{Verdict, endless, messages};
use exercise::{PAGE, checksum};

fn main() -> ExitCode {
    checker::run(
        "ex04_2",
        &[("4.5", weighs_little), ("3.1", does_the_same_in_each_poll), ("3.4", each_pause_wakes_its_context)],
    )
}

const MOST_WEIGHT: usize = 256;

/// As it was handed out.
const WHOLE_PAGE: usize = 4096;

/// More pauses than any check needs.
const MOST: usize = 60;

/// No check reads so many pages; past it they are ended from within.
const TOO_MANY: usize = 10_000;

/// No two bytes of a page are the same all along, and no two pages.
fn page(number: usize) -> [u8; PAGE] {
    std::array::from_fn(|place| (place * 7 + number * 13) as u8 % 251)
}

fn weighs_little() -> Verdict {
    if PAGE != WHOLE_PAGE {
        return Err(messages::other_page(WHOLE_PAGE, PAGE));
    }
    let weight = size_of_val(&checksum(page, 25));
    if weight > MOST_WEIGHT { Err(messages::too_heavy("`checksum`", MOST_WEIGHT, weight)) } else { Ok(()) }
}

/// What a run does.
struct Run {
    /// `None`: not ready after so many polls.
    result: Option<u64>,
    reads: Vec<usize>,
    /// How many pages were read before each pause.
    pauses: Vec<usize>,
    /// How often each pause woke its context.
    wakes: Vec<usize>,
}

fn run(pages: usize) -> Result<Run, String> {
    let (reads, count) = (RefCell::new(Vec::new()), Cell::new(0));
    let read = |number| {
        reads.borrow_mut().push(number);
        endless::count(&count, TOO_MANY);
        page(number)
    };
    let mut future = pin!(checksum(read, pages));
    let mut run = Run { result: None, reads: Vec::new(), pauses: Vec::new(), wakes: Vec::new() };
    while run.result.is_none() && run.pauses.len() < MOST {
        let probe = Probe::new();
        match endless::ends(|| probe.poll(future.as_mut())) {
            Some(Poll::Ready(result)) => run.result = Some(result),
            Some(Poll::Pending) => {
                run.pauses.push(reads.borrow().len());
                run.wakes.push(probe.wakes());
            }
            None => return Err(messages::reads_without_end(pages, TOO_MANY)),
        }
    }
    run.reads = reads.borrow().clone();
    Ok(run)
}

fn does_the_same_in_each_poll() -> Verdict {
    for pages in [25, 1, 0] {
        let run = run(pages)?;
        let Some(result) = run.result else { return Err(messages::pauses_without_end(pages, MOST)) };
        messages::each_page_once(pages, &run.reads)?;
        messages::pauses_after_each_page(pages, &run.pauses)?;
        let sum: u64 = (0..pages).flat_map(page).map(u64::from).sum();
        if result != sum {
            return Err(messages::result_was(&sum.to_string(), &result.to_string()));
        }
    }
    Ok(())
}

fn each_pause_wakes_its_context() -> Verdict {
    let wakes = run(25)?.wakes;
    wakes.iter().position(|wakes| *wakes == 0).map_or(Ok(()), |place| Err(messages::pause_wakes_nobody(place + 1)))
}
