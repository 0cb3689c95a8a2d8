//! A sleep of `Duration::MAX`: what `+` does with it, and what `saturating_add` does.

use std::panic::{catch_unwind, set_hook};
use std::time::Duration;

fn main() {
    let now = Duration::from_secs(5);
    set_hook(Box::new(|_| {}));
    let panic = catch_unwind(|| now + Duration::MAX).unwrap_err();
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    println!("now + MAX: it panics: {}", text.unwrap_or("without a text"));

    let deadline = now.saturating_add(Duration::MAX);
    println!("now.saturating_add(MAX): {} s", deadline.as_secs());
    println!("in years: {}", deadline.as_secs() / (365 * 24 * 3600));
}
