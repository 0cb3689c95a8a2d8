//! E0597

use std::sync::Arc;

use stage::{Ended, Handle};

#[allow(dead_code, clippy::type_complexity)]
#[path = "../stage.rs"]
mod stage;

pub fn longest(handle: &Arc<Handle>) -> Result<usize, Ended> {
    let pages = vec![String::from("one"), String::from("three")];
    let lent: &[String] = &pages;
    let longest = handle.submit("longest", move || async move { lent.iter().map(String::len).max() });
    longest.result().map(Option::unwrap_or_default)
}

fn main() {
    let handle = Arc::new(Handle::default());
    let _ = longest(&handle);
}
