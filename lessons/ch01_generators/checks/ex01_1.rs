//! The check of exercise 1.1.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex01_1.rs"]
mod exercise;

use std::process::ExitCode;

use checker::{Verdict, messages};
use exercise::{Resumed, Ticks};

fn main() -> ExitCode {
    checker::run("ex01_1", &[("1.1", begins_with_the_first), ("1.2", goes_on_where_it_stopped)])
}

/// What it yields, and whether it completed; at most so many resumes.
fn run(ticks: &mut Ticks, most: usize) -> (Vec<u32>, bool) {
    let mut numbers = Vec::new();
    for _ in 0..most {
        match ticks.resume() {
            Resumed::Yielded(number) => numbers.push(number),
            Resumed::Complete(_) => return (numbers, true),
        }
    }
    (numbers, false)
}

fn begins_with_the_first() -> Verdict {
    let (seen, _) = run(&mut Ticks::new(25), 1);
    messages::first_difference("the first resume of Ticks::new(25): what it yields", &[1], &seen)
}

/// How far each number is from the first: where it begins is rule 1.1's.
fn steps(numbers: &[u32]) -> Vec<u32> {
    numbers.iter().map(|number| number.wrapping_sub(numbers[0]) + 1).collect()
}

fn goes_on_where_it_stopped() -> Verdict {
    let (mut one, mut other) = (Ticks::new(25), Ticks::new(25));
    let (mut seen, mut others) = (Vec::new(), Vec::new());
    for _ in 0..25 {
        seen.extend(run(&mut one, 1).0);
        others.extend(run(&mut other, 1).0);
    }
    let expected: Vec<u32> = (1..=25).collect();
    for seen in [seen, others].into_iter().filter(|seen| seen.len() == 25) {
        let what = "two of Ticks::new(25), resumed in turn: the numbers of each, counted from its first";
        messages::first_difference(what, &expected, &steps(&seen))?;
    }
    for last in [25, 1, 0] {
        let mut ticks = Ticks::new(last);
        let (numbers, is_complete) = run(&mut ticks, 60);
        let who = format!("Ticks::new({last})");
        if !is_complete {
            return Err(messages::never_complete(&who, 60));
        }
        if numbers.len() != last as usize {
            return Err(messages::yielded_so_many(&who, last as usize, numbers.len()));
        }
    }
    for last in [0, 25] {
        let mut ticks = Ticks::new(last);
        let word = (0..60).find_map(|_| if let Resumed::Complete(word) = ticks.resume() { Some(word) } else { None });
        if word != Some("done") {
            return Err(messages::result_was("\"done\"", &format!("{:?}", word.unwrap_or(""))));
        }
    }
    Ok(())
}
