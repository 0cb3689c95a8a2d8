//! The check of exercise 11.2.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex11_2.rs"]
mod exercise;

use std::process::ExitCode;

fn main() -> ExitCode {
    checker::run("ex11_2", &[])
}
