//! Two tasks fail between two polls of main: which of the errors is returned?

use std::future::poll_fn;
use std::sync::Mutex;
use std::task::Poll;

use stage::{Clock, EventLoop, Time, try_gather};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

/// Pending once, and woken at once.
async fn yields() {
    let mut is_first = true;
    poll_fn(|context| {
        if !std::mem::take(&mut is_first) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn fails(name: &'static str) -> Result<(), &'static str> {
    yields().await;
    println!("{name} fails");
    Err(name)
}

fn main() {
    stage::PLAYER.get_or_init(|| |_, _| ());
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    let event_loop = EventLoop::new(&clock);
    let b = event_loop.spawn("b", fails("b"));
    let a = event_loop.spawn("a", fails("a"));
    println!("[a, b] gives {:?}", event_loop.run_until_complete(try_gather([a, b])));
}
