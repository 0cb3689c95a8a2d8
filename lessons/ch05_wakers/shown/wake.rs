//! A future whose result another thread sets, on a `block_on` whose waker is made with `std::task::Wake`.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

/// What the waker points to: the place where a thread waits until it is woken.
#[derive(Default)]
struct Parker {
    is_called: Mutex<bool>,
    changed: Condvar,
    wakes: AtomicUsize,
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
        *self.is_called.lock().unwrap() = true;
        self.changed.notify_one();
    }
}

impl Parker {
    fn park(&self) {
        let mut is_called = self.is_called.lock().unwrap();
        while !*is_called {
            is_called = self.changed.wait(is_called).unwrap();
        }
        *is_called = false;
    }
}

/// What the two sides share: the result, once it is there, and until then the waker.
#[derive(Default)]
struct Slot {
    result: Option<u32>,
    waker: Option<Waker>,
}

/// A future that is ready when somebody has put a result into the slot.
struct Promised(Arc<Mutex<Slot>>);

impl Future for Promised {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        let new = context.waker().clone();
        let mut slot = self.0.lock().unwrap();
        if let Some(result) = slot.result {
            return Poll::Ready(result);
        }
        let old = slot.waker.replace(new);
        drop(slot);
        drop(old);
        Poll::Pending
    }
}

fn set(slot: &Mutex<Slot>, result: u32) {
    let mut slot = slot.lock().unwrap();
    slot.result = Some(result);
    let waker = slot.waker.take();
    drop(slot);
    if let Some(waker) = waker {
        waker.wake();
    }
}

fn main() {
    let slot = Arc::new(Mutex::new(Slot::default()));
    let (parker, mut future) = (Arc::new(Parker::default()), pin!(Promised(slot.clone())));
    let waker = Waker::from(parker.clone());
    let (mut polls, mut setter) = (0, None);
    let result = loop {
        polls += 1;
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            break result;
        }
        // The other thread is started when the waker is in the slot, so that the counts are the same each time.
        let slot = slot.clone();
        setter.get_or_insert_with(|| thread::spawn(move || set(&slot, 42)));
        parker.park();
    };
    println!("result {result}, polls {polls}, wakes {}", parker.wakes.load(Ordering::Relaxed));
}
