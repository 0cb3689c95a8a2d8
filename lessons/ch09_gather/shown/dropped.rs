//! A gather that is dropped half way: its tasks run on.

use std::cell::RefCell;
use std::sync::Mutex;
use std::task::{Context, Waker};

use stage::{Clock, EventLoop, Time, do_some_work, gather};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

fn main() {
    stage::PLAYER.get_or_init(|| |_, _| ());
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    let over = RefCell::new(Vec::new());
    let work = async |x| {
        do_some_work(&clock, x).await;
        over.borrow_mut().push(x);
    };
    let event_loop = EventLoop::new(&clock);
    let tasks = [1, 2, 4].map(|x| event_loop.spawn("work", work(x)));
    event_loop.run_until_complete(async {
        let mut gathers = Box::pin(gather(tasks));
        let is_pending = gathers.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending();
        do_some_work(&clock, 1).await;
        drop(gathers);
        println!("pending: {is_pending}; dropped at {} s, over are {:?}", clock.now().as_secs(), over.borrow());
    });
    event_loop.run_until_complete(do_some_work(&clock, 60));
    println!("a minute later: over are {:?}", over.borrow());
}
