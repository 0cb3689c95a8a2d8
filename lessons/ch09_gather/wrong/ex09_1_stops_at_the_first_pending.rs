//! Breaks rule 9.4: it returns at the first task that is pending, and those behind it cannot wake it.

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
                match Pin::new(task).poll(context) {
                    Poll::Ready(text) => *result = Some(text),
                    Poll::Pending => return Poll::Pending,
                }
            }
        }
        Poll::Ready(results.drain(..).flatten().collect())
    }
}
