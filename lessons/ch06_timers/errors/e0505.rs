//! E0505

use std::collections::HashMap;
use std::sync::Mutex;
use std::task::Waker;

pub fn fire(wakers: &Mutex<HashMap<u64, Waker>>, number: u64) {
    let timers = wakers.lock().unwrap();
    if let Some(waker) = timers.get(&number) {
        drop(timers);
        waker.wake_by_ref();
    }
}

fn main() {
    fire(&Mutex::new(HashMap::from([(1, Waker::noop().clone())])), 1);
}
