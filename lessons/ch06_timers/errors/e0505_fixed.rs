//! The twin of e0505.rs: the waker is taken out before the lock is given back.

use std::collections::HashMap;
use std::sync::Mutex;
use std::task::Waker;

pub fn fire(wakers: &Mutex<HashMap<u64, Waker>>, number: u64) {
    let mut timers = wakers.lock().unwrap();
    if let Some(waker) = timers.remove(&number) {
        drop(timers);
        waker.wake();
    }
}

fn main() {
    fire(&Mutex::new(HashMap::from([(1, Waker::noop().clone())])), 1);
}
