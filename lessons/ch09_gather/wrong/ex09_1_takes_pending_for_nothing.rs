//! Breaks rule 9.3: it polls every task in each poll and writes down what it says, so pending takes the place of a result.

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
            *result = match Pin::new(task).poll(context) {
                Poll::Ready(text) => Some(text),
                Poll::Pending => None,
            };
        }
        if results.iter().any(Option::is_none) {
            return Poll::Pending;
        }
        Poll::Ready(results.drain(..).flatten().collect())
    }
}
