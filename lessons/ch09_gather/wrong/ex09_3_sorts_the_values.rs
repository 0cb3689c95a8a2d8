//! Breaks rule 9.1: it takes the values as they come, and sorts them, as if the order of the tasks were that of their values.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use crate::tasks::Task;

/// The values of all tasks, or the first error. The tasks run on in any case.
pub async fn try_gather(mut tasks: Vec<Task>) -> Result<Vec<u32>, String> {
    let mut values = Vec::new();
    poll_fn(|context| {
        let mut place = 0;
        while place < tasks.len() {
            match Pin::new(&mut tasks[place]).poll(context) {
                Poll::Ready(Ok(value)) => {
                    values.push(value);
                    tasks.remove(place);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => place += 1,
            }
        }
        if tasks.is_empty() { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
    .await?;
    values.sort();
    Ok(values)
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
