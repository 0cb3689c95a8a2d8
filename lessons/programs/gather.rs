//! The article's first program: three sleeps of 1, 2 and 4 seconds that take 4 together.

use std::time::Duration;

use handloop::{EventLoop, JoinError, gather, sleep, spawn_named};

async fn do_some_work(x: u64) -> String {
    println!("waiting: {x}");
    sleep(Duration::from_secs(x)).await;
    format!("Done after {x}s")
}

pub fn run(event_loop: &EventLoop) -> Result<(), JoinError> {
    let start = event_loop.time();
    let results = event_loop.run_until_complete(async {
        let tasks = [1, 2, 4].map(|x| spawn_named(format!("do_some_work({x})"), do_some_work(x)));
        gather(tasks).await
    })?;
    for result in results {
        println!("Task ret: {result}");
    }
    println!("Time: {:.3}", (event_loop.time() - start).as_secs_f64());
    Ok(())
}
