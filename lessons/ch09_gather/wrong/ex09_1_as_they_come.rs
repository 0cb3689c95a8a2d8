//! Breaks rule 9.1: it puts each result behind those that are there, so the first to end has the first place.

use std::pin::Pin;
use std::task::{Context, Poll};

use crate::tasks::Task;

pub struct Gather {
    tasks: Vec<Task>,
    results: Vec<String>,
}

impl Gather {
    pub fn new(tasks: Vec<Task>) -> Self {
        Gather { tasks, results: Vec::new() }
    }
}

impl Future for Gather {
    type Output = Vec<String>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<String>> {
        let Gather { tasks, results } = self.get_mut();
        let mut place = 0;
        while place < tasks.len() {
            match Pin::new(&mut tasks[place]).poll(context) {
                Poll::Ready(text) => {
                    results.push(text);
                    tasks.remove(place);
                }
                Poll::Pending => place += 1,
            }
        }
        if !tasks.is_empty() {
            return Poll::Pending;
        }
        Poll::Ready(std::mem::take(results))
    }
}
