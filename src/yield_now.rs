//! The smallest leaf future: pending once.

use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::record::{Holder, waits_at};

/// Lets every other ready task go first: pending once, with its waker already called.
///
/// It is `asyncio.sleep(0)` (SLP-01): exactly one turn. Cancel-safe: it holds nothing.
///
/// ```
/// handloop::run(async {
///     handloop::yield_now().await;
/// });
/// ```
pub fn yield_now() -> YieldNow {
    YieldNow { yielded: false }
}

/// The future of [`yield_now`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` them"]
pub struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        waits_at(context.waker(), || Holder::Unknown, Location::caller());
        Poll::Pending
    }
}
