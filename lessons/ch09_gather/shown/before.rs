//! What chapter 8's join cannot do: a list of handles, and a failure that is seen at once.

use std::sync::{Arc, Mutex};

use stage::{Clock, EventLoop, Task, Time, do_some_work, join};

#[allow(dead_code)]
#[path = "../../ch08_tasks/stage.rs"]
mod stage;

type Work = Task<Result<u64, String>>;

/// Sleeps. The work of one second fails.
async fn work(clock: &Arc<Clock>, x: u64) -> Result<u64, String> {
    let done = do_some_work(clock, x).await;
    if x == 1 { Err(format!("{done}: no result")) } else { Ok(x) }
}

/// Ready with the first error, when both joins are.
async fn joined([a, b, c]: [Work; 3]) -> Option<String> {
    let ((a, b), c) = join(join(a, b), c).await;
    [a, b, c].into_iter().find_map(|result| result.unwrap().err())
}

/// The same, each awaited when the one before is over.
async fn one_after_the_other(tasks: [Work; 3]) -> Option<String> {
    for task in tasks {
        if let Err(error) = task.await.unwrap() {
            return Some(error);
        }
    }
    None
}

/// At which second the error is seen.
fn seen<F: Future<Output = Option<String>>>(order: [u64; 3], waits: fn([Work; 3]) -> F) -> u64 {
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    let event_loop = EventLoop::new(&clock);
    let tasks = order.map(|x| event_loop.spawn("work", work(&clock, x)));
    let seen = async {
        waits(tasks).await.expect("the work of one second fails");
        clock.now().as_secs()
    };
    event_loop.run_until_complete(seen)
}

fn main() {
    stage::PLAYER.get_or_init(|| |_, _| ());
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    let event_loop = EventLoop::new(&clock);
    let [a, b, c, d] = [1, 2, 4, 8].map(|x| event_loop.spawn("work", async move { x }));
    let results = event_loop.run_until_complete(join(join(join(a, b), c), d));
    println!("four joined: {results:?}");

    println!("                             error of 1 s seen at");
    for order in [[1, 2, 4], [4, 2, 1]] {
        println!("{order:?} joined                       {} s", seen(order, joined));
        println!("{order:?} awaited one after the other  {} s", seen(order, one_after_the_other));
    }
}
