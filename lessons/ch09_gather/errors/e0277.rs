//! E0277

use std::num::ParseIntError;

use stage::{Task, try_gather};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

pub enum Failure {
    NoNumber(ParseIntError),
    TooLarge(u32),
}

pub async fn sum(tasks: Vec<Task<Result<u32, ParseIntError>>>) -> Result<u32, Failure> {
    let sum = try_gather(tasks).await?.into_iter().sum();
    if sum > 100 { Err(Failure::TooLarge(sum)) } else { Ok(sum) }
}

fn main() {
    drop(sum(Vec::new()));
}
