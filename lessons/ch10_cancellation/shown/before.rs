//! Chapter 9's stage: what runs on though nobody wants it any more.

use std::cell::RefCell;
use std::sync::Mutex;
use std::task::{Context, Waker};

use stage::{Clock, EventLoop, Time, do_some_work, try_gather};

#[allow(dead_code)]
#[path = "../../ch09_gather/stage.rs"]
mod stage;

fn main() {
    stage::PLAYER.get_or_init(|| |_, _| ());
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    let over = RefCell::new(Vec::new());
    let work = async |x| {
        do_some_work(&clock, x).await;
        over.borrow_mut().push(x);
        if x == 1 { Err("no connection") } else { Ok(x) }
    };
    let event_loop = EventLoop::new(&clock);
    let tasks = [1, 2, 4].map(|x| event_loop.spawn("work", work(x)));
    let handle = event_loop.spawn("work", work(3));
    event_loop.run_until_complete(async {
        let mut request = Box::pin(async { handle.await.unwrap() });
        assert!(request.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        println!("{:?} at {} s", try_gather(tasks).await, clock.now().as_secs());
        drop(request);
        println!("main wants nothing any more; over are {:?}", over.borrow());
    });
    event_loop.run_until_complete(do_some_work(&clock, 60));
    println!("a minute later: over are {:?}", over.borrow());
}
