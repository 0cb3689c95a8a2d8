//! Breaks rule 9.4: it polls only the task whose turn it is, and does not see the others end.

use crate::tasks::Task;

/// The values of all tasks, or the first error. The tasks run on in any case.
pub async fn try_gather(tasks: Vec<Task>) -> Result<Vec<u32>, String> {
    let mut values = Vec::new();
    for task in tasks {
        values.push(task.await?);
    }
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
