//! The twin of e0382.rs: the result is kept.

use std::thread;

/// The result of a task, and once more.
pub async fn twice(task: impl Future<Output = thread::Result<u32>>) -> u32 {
    let result = task.await.unwrap();
    result + result
}

fn main() {
    drop(twice(async { Ok(21) }));
}
