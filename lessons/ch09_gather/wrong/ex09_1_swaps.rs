//! Breaks rule 9.1: it takes a task that has ended out of the list with `swap_remove`, and the last one comes into its place.

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
        let mut place = 0;
        while place < tasks.len() {
            match Pin::new(&mut tasks[place]).poll(context) {
                Poll::Ready(text) => {
                    let free = (place..results.len()).find(|place| results[*place].is_none()).unwrap_or(0);
                    results[free] = Some(text);
                    tasks.swap_remove(place);
                }
                Poll::Pending => place += 1,
            }
        }
        if tasks.is_empty() { Poll::Ready(results.drain(..).flatten().collect()) } else { Poll::Pending }
    }
}
