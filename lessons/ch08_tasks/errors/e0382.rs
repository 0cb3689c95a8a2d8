//! E0382

use std::thread;

/// The result of a task, and once more.
pub async fn twice(task: impl Future<Output = thread::Result<u32>>) -> u32 {
    let first = task.await.unwrap();
    let second = task.await.unwrap();
    first + second
}

fn main() {
    drop(twice(async { Ok(21) }));
}
