//! Pairs are read from a mailbox, with a timeout around each read: what is lost, and two readers that lose nothing.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use stage::{Clock, EventLoop, Time, do_some_work, timeout};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

#[derive(Default)]
struct Mailbox {
    parts: RefCell<VecDeque<u32>>,
    reader: Cell<Option<Waker>>,
}

impl Mailbox {
    fn push(&self, part: u32) {
        self.parts.borrow_mut().push_back(part);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    fn poll_part(&self, context: &mut Context<'_>) -> Poll<u32> {
        let part = self.parts.borrow_mut().pop_front();
        part.map_or_else(|| self.wait(context), Poll::Ready)
    }

    fn poll_pair(&self, context: &mut Context<'_>) -> Poll<(u32, u32)> {
        if self.parts.borrow().len() < 2 {
            return self.wait(context);
        }
        let take = || self.parts.borrow_mut().pop_front().unwrap();
        Poll::Ready((take(), take()))
    }

    fn wait<T>(&self, context: &mut Context<'_>) -> Poll<T> {
        self.reader.set(Some(context.waker().clone()));
        Poll::Pending
    }
}

async fn one_then_the_other(mailbox: &Mailbox) -> (u32, u32) {
    let first = poll_fn(|context| mailbox.poll_part(context)).await;
    let second = poll_fn(|context| mailbox.poll_part(context)).await;
    (first, second)
}

async fn first_kept(mailbox: &Mailbox, first: &mut Option<u32>) -> (u32, u32) {
    if first.is_none() {
        *first = Some(poll_fn(|context| mailbox.poll_part(context)).await);
    }
    let second = poll_fn(|context| mailbox.poll_part(context)).await;
    (first.take().unwrap(), second)
}

async fn both_at_once(mailbox: &Mailbox) -> (u32, u32) {
    poll_fn(|context| mailbox.poll_pair(context)).await
}

/// A part each 10 s, 20 in all; a read is given up after 13 s, and begun anew.
fn pairs(read: impl AsyncFn(&Mailbox, &mut Option<u32>) -> (u32, u32)) -> Vec<(u32, u32)> {
    let (clock, mailbox) = (Clock::new(Time::Virtual(Mutex::default())), Mailbox::default());
    let event_loop = EventLoop::new(&clock);
    drop(event_loop.spawn("sender", async {
        for part in 1..=20 {
            do_some_work(&clock, 10).await;
            mailbox.push(part);
        }
    }));
    event_loop.run_until_complete(async {
        let (mut pairs, mut first) = (Vec::new(), None);
        while clock.now() < Duration::from_secs(210) {
            pairs.extend(timeout(&clock, Duration::from_secs(13), read(&mailbox, &mut first)).await);
        }
        pairs
    })
}

fn main() {
    stage::PLAYER.get_or_init(|| |_, _| ());
    for (name, pairs) in [
        ("one, then the other", pairs(async |mailbox, _| one_then_the_other(mailbox).await)),
        ("the first one kept", pairs(async |mailbox, first| first_kept(mailbox, first).await)),
        ("both at once", pairs(async |mailbox, _| both_at_once(mailbox).await)),
    ] {
        println!("{name}: {} of 20 parts are lost", 20 - 2 * pairs.len());
        println!("  {pairs:?}");
    }
}
