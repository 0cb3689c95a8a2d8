//! The stage itself: which turn polls what. A task that wakes itself in each poll counts the turns.

use std::cell::Cell;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use stage::{Clock, EventLoop, Time, join};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

/// Pending once, with its waker already called.
fn yield_now() -> impl Future<Output = ()> {
    let mut has_yielded = false;
    poll_fn(move |context| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

fn main() {
    stage::PLAYER.get_or_init(|| |_, _| ());
    let clock: Arc<Clock> = Clock::new(Time::Virtual(Mutex::default()));
    let turn = Cell::new(0);
    let turns = poll_fn(|context| {
        turn.set(turn.get() + 1);
        context.waker().wake_by_ref();
        Poll::Pending
    });
    let say = |text: &str| println!("turn {}: {text}", turn.get());

    let event_loop = EventLoop::new(&clock);
    event_loop.spawn("turns", turns);
    let spawner = event_loop.clone();
    event_loop.spawn("a", async move {
        say("a spawns b, then yields");
        spawner.spawn("b", async move { say("b") });
        yield_now().await;
        say("a is over");
    });
    event_loop.call_soon(|| say("callback"));
    let spawner = event_loop.clone();
    event_loop.run_until_complete(async move {
        let spawns = async move {
            say("main has yielded, and spawns c");
            spawner.clone().spawn("c", async move {
                say("c spawns d");
                spawner.spawn("d", async move { say("d") });
            });
        };
        join(yield_now(), spawns).await;
        say("main is over");
    });
    println!("the run is over");
    event_loop.run_until_complete(async { say("another main") });
}
