//! Breaks rule 5.1: it takes a task that has ended out of the list in the middle of the walk, and the one that moves up is not polled.

use std::pin::Pin;
use std::task::{Context, Poll};

use crate::tasks::Task;

pub struct Gather {
    /// Those that have not ended, each with its place.
    tasks: Vec<(usize, Task)>,
    results: Vec<Option<String>>,
}

impl Gather {
    pub fn new(tasks: Vec<Task>) -> Self {
        let results = tasks.iter().map(|_| None).collect();
        Gather { tasks: tasks.into_iter().enumerate().collect(), results }
    }
}

impl Future for Gather {
    type Output = Vec<String>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<String>> {
        let Gather { tasks, results } = self.get_mut();
        let mut place = 0;
        while place < tasks.len() {
            let (number, task) = &mut tasks[place];
            if let Poll::Ready(text) = Pin::new(task).poll(context) {
                results[*number] = Some(text);
                tasks.remove(place);
            }
            place += 1;
        }
        if tasks.is_empty() { Poll::Ready(results.drain(..).flatten().collect()) } else { Poll::Pending }
    }
}
