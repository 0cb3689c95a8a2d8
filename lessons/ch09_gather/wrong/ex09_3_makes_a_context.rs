//! Breaks rule 5.1: it polls the tasks with a context of its own, and none of them can wake it.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::tasks::Task;

/// The values of all tasks, or the first error. The tasks run on in any case.
pub async fn try_gather(mut tasks: Vec<Task>) -> Result<Vec<u32>, String> {
    let mut values: Vec<Option<u32>> = tasks.iter().map(|_| None).collect();
    poll_fn(|_| {
        let mut context = Context::from_waker(Waker::noop());
        for (task, value) in tasks.iter_mut().zip(&mut values).filter(|(_, value)| value.is_none()) {
            match Pin::new(task).poll(&mut context) {
                Poll::Ready(Ok(number)) => *value = Some(number),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {}
            }
        }
        if values.iter().all(Option::is_some) { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
    .await?;
    Ok(values.into_iter().flatten().collect())
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
