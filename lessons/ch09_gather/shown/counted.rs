//! The stage, counted: how often main and the handles are polled, and how many clones of main's waker that takes.

use std::cell::RefCell;
use std::future::poll_fn;
use std::panic::Location;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use stage::{Clock, EventLoop, Time, do_some_work, gather};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn listen(event: &str, _: &'static Location<'static>) {
    TOLD.with_borrow_mut(|told| told.push(event.to_owned()));
}

/// How many lines fit.
fn count(fits: impl Fn(&str) -> bool) -> usize {
    TOLD.with_borrow(|told| told.iter().filter(|event| fits(event)).count())
}

/// When the tasks end.
#[derive(Clone, Copy)]
enum End {
    OneAfterTheOther,
    InOneTurn,
    AtOnce,
}

async fn work(clock: &Arc<Clock>, end: End, number: u64) {
    let mut is_first = true;
    match end {
        End::OneAfterTheOther => drop(do_some_work(clock, number).await),
        End::InOneTurn => {
            poll_fn(|context| {
                context.waker().wake_by_ref();
                if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }
            })
            .await
        }
        End::AtOnce => {}
    }
}

fn show(what: &str, number: u64, end: End) {
    TOLD.take();
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    let event_loop = EventLoop::new(&clock);
    let tasks: Vec<_> = (1..=number).map(|number| event_loop.spawn("work", work(&clock, end, number))).collect();
    event_loop.run_until_complete(gather(tasks));
    let (poll, clone) = (format!("poll {}", number + 1), format!("clone {}", number + 1));
    let handles = count(|event| event.starts_with("join ") || event.starts_with("wait "));
    let (polls, clones) = (count(|event| event == poll), count(|event| event == clone));
    println!("{number:5} {what:19} {polls:13} {handles:17} {clones:7}");
}

fn main() {
    stage::PLAYER.get_or_init(|| listen);
    println!("tasks which end          polls of main  polls of handles  clones");
    for number in [0, 1, 3, 10, 20] {
        show("one after the other", number, End::OneAfterTheOther);
    }
    show("in one turn", 20, End::InOneTurn);
    show("before main asks", 20, End::AtOnce);
}
