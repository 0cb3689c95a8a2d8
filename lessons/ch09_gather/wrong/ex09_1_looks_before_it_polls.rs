//! Breaks rule 5.1: it looks whether all are there, and polls afterwards: when the last has given its result, it returns pending, and nobody is left to wake it.

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

        if results.iter().all(Option::is_some) {
            return Poll::Ready(results.drain(..).flatten().collect());
        }
        for (task, result) in tasks.iter_mut().zip(results.iter_mut()) {
            if result.is_none() {
                if let Poll::Ready(text) = Pin::new(task).poll(context) {
                    *result = Some(text);
                }
            }
        }
        Poll::Pending
    }
}
