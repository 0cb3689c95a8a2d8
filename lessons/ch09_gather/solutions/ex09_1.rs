//! Exercise 9.1, solved.
//!
//! `zip` walks through the tasks and the places together, so a result cannot come into another place, in whatever order
//! the tasks end. A place that is `None` belongs to a task that has given nothing: only those are polled. The look for
//! an empty place comes after the loop, because the last one may have been filled in this very poll, and nobody would
//! wake the gather again. With no tasks there is no empty place, so the first poll is ready.
//!
//! A task that is pending does not end the loop. The results would be the same: when it ends, it wakes the gather, and
//! those of the others wait for that. But a failure of the others would wait as well, and rule 9.4 says at once. So each
//! poll asks all that have given nothing. Exercise 9.3 is about an error that waits.

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
        let Gather { tasks, results } = self.get_mut();
        for (task, result) in tasks.iter_mut().zip(results.iter_mut()) {
            if result.is_none() {
                if let Poll::Ready(text) = Pin::new(task).poll(context) {
                    *result = Some(text);
                }
            }
        }
        if results.iter().any(Option::is_none) {
            return Poll::Pending;
        }
        Poll::Ready(results.drain(..).flatten().collect())
    }
}
