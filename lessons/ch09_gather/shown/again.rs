//! A gather that polls all handles in each of its polls, also those that have given their result.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::pin::Pin;
use std::sync::Mutex;
use std::task::Poll;

use stage::{Clock, EventLoop, Task, Time, do_some_work};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

/// Ready when all handles are ready in the same poll.
async fn polls_all(mut tasks: Vec<Task<String>>) -> Vec<String> {
    poll_fn(|context| {
        let polls: Vec<_> = tasks.iter_mut().map(|task| Pin::new(task).poll(context)).collect();
        if polls.iter().any(Poll::is_pending) {
            return Poll::Pending;
        }
        let result = |poll| if let Poll::Ready(Ok(result)) = poll { result } else { "a panic".to_owned() };
        Poll::Ready(polls.into_iter().map(result).collect())
    })
    .await
}

fn main() {
    stage::PLAYER.get_or_init(|| |_, _| ());
    set_hook(Box::new(|_| {}));
    for seconds in [[0, 0], [1, 2]] {
        let clock = Clock::new(Time::Virtual(Mutex::default()));
        let event_loop = EventLoop::new(&clock);
        let tasks = seconds.map(|x| event_loop.spawn("work", do_some_work(&clock, x)));
        let run = || event_loop.run_until_complete(polls_all(tasks.into()));
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(results) => println!("sleeps of {seconds:?} s: {results:?}"),
            Err(panic) => println!("sleeps of {seconds:?} s: {}", panic.downcast_ref::<&str>().unwrap()),
        }
    }
}
