//! A future whose result another thread sets, on a `block_on` whose waker is made with `std::task::Wake`.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

/// What the waker points to: a thread waits at it until it is rung.
#[derive(Default)]
struct Bell {
    is_rung: Mutex<bool>,
    changed: Condvar,
    rings: AtomicUsize,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rings.fetch_add(1, Ordering::Relaxed);
        *self.is_rung.lock().unwrap() = true;
        self.changed.notify_one();
    }
}

impl Bell {
    fn wait(&self) {
        let mut is_rung = self.is_rung.lock().unwrap();
        while !*is_rung {
            is_rung = self.changed.wait(is_rung).unwrap();
        }
        *is_rung = false;
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
        let mut slot = self.0.lock().unwrap();
        if let Some(result) = slot.result {
            return Poll::Ready(result);
        }
        let old = slot.waker.replace(context.waker().clone());
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
    let (bell, mut future) = (Arc::new(Bell::default()), pin!(Promised(slot.clone())));
    let waker = Waker::from(bell.clone());
    let (mut polls, mut setter) = (0, None);
    let result = loop {
        polls += 1;
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            break result;
        }
        // The other thread is started when the waker is in the slot, so that the counts are the same each time.
        let slot = slot.clone();
        setter.get_or_insert_with(|| thread::spawn(move || set(&slot, 42)));
        bell.wait();
    };
    println!("result {result}, polls {polls}, wakes {}", bell.rings.load(Ordering::Relaxed));
}
