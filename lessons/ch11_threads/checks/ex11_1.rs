//! The check of exercise 11.1.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex11_1.rs"]
mod exercise;

use std::process::ExitCode;

fn main() -> ExitCode {
    checker::run("ex11_1", &[])
}
