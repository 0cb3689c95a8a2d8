//! Exercise 9.1, fill in: about 2 minutes.
//!
//! `Gather` waits for all its tasks, and is ready with their results in the order of the tasks. `new` is written: it
//! makes a place for each result. Write `poll`.
//!
//! `Task` is the handle of a task: a future of its result, `Unpin`, ready once. These tasks do not fail, so the result is
//! a `String` as it is. The check brings them along. Check it with `cargo run -- check ch09 1`.

use std::pin::Pin;
use std::task::{Context, Poll};

use crate::tasks::Task;

pub struct Gather {
    tasks: Vec<Task>,
    /// What the task in the same place has given.
    results: Vec<Option<String>>,
}

impl Gather {
    pub fn new(tasks: Vec<Task>) -> Self {
        let results = tasks.iter().map(|_| None).collect();
        Gather { tasks, results }
    }
}

impl Future for Gather {
    type Output = Vec<String>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<String>> {
        // `tasks` and `results` are references here: use `iter_mut()` on both.
        let Gather { tasks, results } = self.get_mut();
        let _ = (tasks, results, context);
        todo!("poll each task that has given nothing, and keep what it gives in its place")
    }
}
