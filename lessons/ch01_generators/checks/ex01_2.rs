//! The check of exercise 1.2.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex01_2.rs"]
mod exercise;

use std::cell::Cell;
use std::process::ExitCode;
use std::rc::Rc;

use checker::{Verdict, messages};
use exercise::{Both, Generator, Resumed};

fn main() -> ExitCode {
    checker::run(
        "ex01_2",
        &[("1.4", pauses_where_the_inner_ones_do), ("1.5", goes_on_with_the_result), ("1.3", asks_nobody_again)],
    )
}

/// Yields the numbers of a range, and counts how often it is resumed after its end; then it completes once more.
struct Spy {
    numbers: std::ops::Range<u32>,
    result: &'static str,
    is_over: bool,
    late: Rc<Cell<usize>>,
}

impl Spy {
    fn new(numbers: std::ops::Range<u32>, result: &'static str) -> Self {
        Spy { numbers, result, is_over: false, late: Rc::default() }
    }
}

impl Generator for Spy {
    fn resume(&mut self) -> Resumed<u32, &'static str> {
        if self.is_over {
            self.late.set(self.late.get() + 1);
        }
        match self.numbers.next() {
            Some(number) => Resumed::Yielded(number),
            None => {
                self.is_over = true;
                Resumed::Complete(self.result)
            }
        }
    }
}

/// All that it yields, and its result; at most so many resumes.
fn run(mut both: Both<Spy, Spy>, most: usize) -> (Vec<u32>, Option<(&'static str, &'static str)>) {
    let mut numbers = Vec::new();
    for _ in 0..most {
        match both.resume() {
            Resumed::Yielded(number) => numbers.push(number),
            Resumed::Complete(results) => return (numbers, Some(results)),
        }
    }
    (numbers, None)
}

fn pauses_where_the_inner_ones_do() -> Verdict {
    for (first, second) in [(12, 25), (0, 20), (20, 0), (0, 0)] {
        let second = first..first + second;
        let (seen, _) = run(Both::new(Spy::new(0..first, "a"), Spy::new(second.clone(), "b")), 60);
        let expected: Vec<u32> = (0..second.end).collect();
        let what = format!("both, of generators that yield {first} and {} numbers: what it yields", second.len());
        messages::first_difference(&what, &expected, &seen)?;
    }
    Ok(())
}

fn goes_on_with_the_result() -> Verdict {
    for (a, b) in [("a", "b"), ("", "end"), ("one", "")] {
        match run(Both::new(Spy::new(0..12, a), Spy::new(12..25, b)), 60).1 {
            Some(seen) if seen == (a, b) => {}
            Some(seen) => return Err(messages::result_was(&format!("{:?}", (a, b)), &format!("{seen:?}"))),
            None => return Err(messages::never_complete("Both", 60)),
        }
    }
    // Two at a time must not know of each other.
    let mut two =
        [("first", "x"), ("second", "y")].map(|(a, b)| (Both::new(Spy::new(0..3, a), Spy::new(3..20, b)), (a, b)));
    for _ in 0..25 {
        for (both, expected) in &mut two {
            match both.resume() {
                Resumed::Yielded(_) => {}
                Resumed::Complete(seen) if seen == *expected => return Ok(()),
                Resumed::Complete(seen) => {
                    return Err(messages::result_was(&format!("{expected:?}"), &format!("{seen:?}")));
                }
            }
        }
    }
    Err(messages::never_complete("Both", 25))
}

fn asks_nobody_again() -> Verdict {
    let spies = [Spy::new(0..12, "a"), Spy::new(12..25, "b")];
    let late = [spies[0].late.clone(), spies[1].late.clone()];
    let [first, second] = spies;
    run(Both::new(first, second), 60);
    match late.map(|late| late.get()) {
        [0, 0] => Ok(()),
        [0, _] => Err(messages::resumed_after_its_end("the second generator")),
        _ => Err(messages::resumed_after_its_end("the first generator")),
    }
}
