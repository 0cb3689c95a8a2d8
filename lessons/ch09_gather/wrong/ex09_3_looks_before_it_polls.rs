//! Breaks rule 9.4: it looks for an error before it polls the tasks, and so finds it when the next task ends.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::tasks::{Outcome, Task};

/// So many tasks at most are gathered by place.
const LIMIT: usize = 30;

/// The values of all tasks, or the first error. The tasks run on in any case.
pub async fn try_gather(tasks: Vec<Task>) -> Result<Vec<u32>, String> {
    if tasks.len() <= LIMIT { gather_by_place(tasks).await } else { gather_in_turn(tasks).await }
}

/// In each poll it goes through all places.
async fn gather_by_place(mut tasks: Vec<Task>) -> Result<Vec<u32>, String> {
    let mut values: Vec<Option<u32>> = tasks.iter().map(|_| None).collect();
    let all = poll_fn(|context| {
        for (task, value) in tasks.iter_mut().zip(&mut values).filter(|(_, value)| value.is_none()) {
            match Pin::new(task).poll(context) {
                Poll::Ready(Ok(number)) => *value = Some(number),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {}
            }
        }
        if values.iter().all(Option::is_some) { Poll::Ready(Ok(())) } else { Poll::Pending }
    });
    all.await?;
    Ok(values.into_iter().flatten().collect())
}

/// In each poll it goes through those that run.
async fn gather_in_turn(tasks: Vec<Task>) -> Result<Vec<u32>, String> {
    let mut ordered = Ordered::new(tasks);
    let mut values = Vec::new();
    while let Some(outcome) = ordered.next().await {
        values.push(outcome?);
    }
    Ok(values)
}

/// Gives the outcomes in the order of the tasks.
struct Ordered {
    /// The tasks that have not ended, each with its place.
    running: Vec<(usize, Task)>,
    /// The outcomes that came before their turn, each at its place.
    early: BTreeMap<usize, Outcome>,
    /// The place whose turn it is.
    turn: usize,
}

impl Ordered {
    fn new(tasks: Vec<Task>) -> Self {
        Ordered { running: tasks.into_iter().enumerate().collect(), early: BTreeMap::new(), turn: 0 }
    }

    /// The next outcome; `None` after the last.
    async fn next(&mut self) -> Option<Outcome> {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Outcome>> {
        let failed = self.early.iter().find(|(_, outcome)| outcome.is_err()).map(|(place, _)| *place);
        if let Some(place) = failed {
            return Poll::Ready(self.early.remove(&place));
        }
        let early = &mut self.early;
        self.running.retain_mut(|(place, task)| match Pin::new(task).poll(context) {
            Poll::Ready(outcome) => {
                early.insert(*place, outcome);
                false
            }
            Poll::Pending => true,
        });
        if let Some(outcome) = early.remove(&self.turn) {
            self.turn += 1;
            return Poll::Ready(Some(outcome));
        }
        if self.running.is_empty() { Poll::Ready(None) } else { Poll::Pending }
    }
}

/// How tasks end with which the error comes late.
pub fn reproduce() -> Vec<End> {
    let mut ends = vec![End { second: 50, fails: false }; 31];
    ends[0] = End { second: 100, fails: false };
    ends[30] = End { second: 1, fails: true };
    ends
}

/// How a task ends: in which second, and with an error or with a value.
#[derive(Clone, Copy, Debug)]
pub struct End {
    pub second: u64,
    pub fails: bool,
}
