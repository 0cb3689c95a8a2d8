//! Breaks rule 9.4: it waits for all tasks, and looks for the first error afterwards.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use crate::tasks::{Outcome, Task};

/// The values of all tasks, or the first error. The tasks run on in any case.
pub async fn try_gather(mut tasks: Vec<Task>) -> Result<Vec<u32>, String> {
    let mut outcomes: Vec<Option<Outcome>> = tasks.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (task, outcome) in tasks.iter_mut().zip(&mut outcomes).filter(|(_, outcome)| outcome.is_none()) {
            if let Poll::Ready(ended) = Pin::new(task).poll(context) {
                *outcome = Some(ended);
            }
        }
        if outcomes.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outcomes.into_iter().flatten().collect()
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
