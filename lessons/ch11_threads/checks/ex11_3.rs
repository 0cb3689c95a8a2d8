//! The check of exercise 11.3.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex11_3.rs"]
mod exercise;

use std::process::ExitCode;

fn main() -> ExitCode {
    checker::run("ex11_3", &[])
}
