//! Breaks rule 9.1: its results are in a variable of `poll`, and what an earlier poll has found is gone.

use std::pin::Pin;
use std::task::{Context, Poll};

use crate::tasks::Task;

pub struct Gather {
    /// `None` once it has ended.
    tasks: Vec<Option<Task>>,
}

impl Gather {
    pub fn new(tasks: Vec<Task>) -> Self {
        Gather { tasks: tasks.into_iter().map(Some).collect() }
    }
}

impl Future for Gather {
    type Output = Vec<String>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<String>> {
        let tasks = &mut self.get_mut().tasks;
        let mut results: Vec<Option<String>> = tasks.iter().map(|_| None).collect();
        for (task, result) in tasks.iter_mut().zip(results.iter_mut()) {
            if let Some(task) = task {
                if let Poll::Ready(text) = Pin::new(task).poll(context) {
                    *result = Some(text);
                }
            }
        }
        for (task, result) in tasks.iter_mut().zip(results.iter()) {
            if result.is_some() {
                *task = None;
            }
        }
        if results.iter().any(Option::is_none) {
            return Poll::Pending;
        }
        Poll::Ready(results.into_iter().flatten().collect())
    }
}
