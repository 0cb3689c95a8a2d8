//! What the tests of the stages share: what a stage tells, and small futures, wakers and values.
#![allow(dead_code)]

use std::cell::RefCell;
use std::future::poll_fn;
use std::panic::Location;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Poll, Wake};

thread_local! {
    /// What the stage has told on this thread.
    pub static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

pub fn hear(event: &str, _: &'static Location<'static>) {
    TOLD.with_borrow_mut(|told| told.push(event.to_owned()));
}

/// From now on the stage with this player is heard; what it has told until now is forgotten.
pub fn listen_to(player: &OnceLock<fn(&str, &'static Location<'static>)>) {
    player.get_or_init(|| hear);
    TOLD.take();
}

/// What was told with this word, without it.
pub fn told(word: &str) -> Vec<String> {
    let rest = |event: &String| event.strip_prefix(word)?.strip_prefix(' ').map(str::to_owned);
    TOLD.with_borrow(|told| told.iter().filter_map(rest).collect())
}

/// Pending once, and woken by itself.
pub async fn yields() {
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

/// Counts its wakes.
#[derive(Default)]
pub struct Bell {
    pub rings: AtomicUsize,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rings.fetch_add(1, Ordering::SeqCst);
    }
}

/// Does this when it is dropped.
pub struct OnDrop<F: FnMut()>(pub F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
