//! Breaks rule 5.1: it polls the tasks with a context of its own, whose waker wakes nobody.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

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
        let _ = context;
        let context = &mut Context::from_waker(Waker::noop());
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
