//! The check of exercise 5.2.
#![allow(dead_code, missing_docs, unsafe_code)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex05_2.rs"]
mod exercise;

use std::mem::ManuallyDrop;
use std::process::ExitCode;
use std::task::Waker;

use checker::{Verdict, messages};
use exercise::TABLE;

fn main() -> ExitCode {
    checker::run("ex05_2", &[("5.7", each_waker_is_one_of_a_count), ("5.4", to_wake_is_one_word)])
}

/// What the pointers point to: a count each, and how often it was woken. It frees nothing.
mod ledger {
    use std::sync::Mutex;

    #[derive(Clone, Copy, Default)]
    pub struct Entry {
        pub count: isize,
        pub wakes: isize,
        /// Whether it was woken when no count was left.
        pub is_used_after_its_end: bool,
    }

    static ENTRIES: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

    /// Opens an entry with so many wakers.
    pub fn open(wakers: isize) -> *const () {
        let mut entries = ENTRIES.lock().unwrap();
        entries.push(Entry { count: wakers, ..Entry::default() });
        std::ptr::without_provenance(entries.len() << 4)
    }

    pub fn read(pointer: *const ()) -> Entry {
        ENTRIES.lock().unwrap()[(pointer.addr() >> 4) - 1]
    }

    /// A pointer that is not in the ledger changes nothing in it.
    fn change(pointer: *const (), change: impl FnOnce(&mut Entry)) {
        let mut entries = ENTRIES.lock().unwrap();
        if let Some(entry) = (pointer.addr() >> 4).checked_sub(1).and_then(|place| entries.get_mut(place)) {
            change(entry);
        }
    }

    pub fn add(pointer: *const ()) {
        change(pointer, |entry| entry.count += 1);
    }

    pub fn take(pointer: *const ()) {
        change(pointer, |entry| entry.count -= 1);
    }

    pub fn wake(pointer: *const ()) {
        change(pointer, |entry| {
            entry.is_used_after_its_end |= entry.count <= 0;
            entry.wakes += 1;
        });
    }
}

/// A waker that the ledger has counted already.
fn waker(pointer: *const ()) -> ManuallyDrop<Waker> {
    // SAFETY: the four functions reach nothing but the ledger, which follows no pointer. A count that is wrong frees
    // nothing.
    ManuallyDrop::new(unsafe { Waker::new(pointer, &TABLE) })
}

const FUNCTIONS: [&str; 4] = ["clone", "wake", "wake_by_ref", "release"];

/// Calls one of the four functions on a task with so many wakers: what is in the ledger afterwards.
fn call(function: &str, wakers: isize) -> ledger::Entry {
    let pointer = ledger::open(wakers);
    let waker = waker(pointer);
    match function {
        "clone" => std::mem::forget(Waker::clone(&waker)),
        "wake" => ManuallyDrop::into_inner(waker).wake(),
        "wake_by_ref" => waker.wake_by_ref(),
        _ => drop(ManuallyDrop::into_inner(waker)),
    }
    ledger::read(pointer)
}

fn each_waker_is_one_of_a_count() -> Verdict {
    for (function, expected) in FUNCTIONS.into_iter().zip([1, -1, 0, -1]) {
        for wakers in 1..=24 {
            let after = call(function, wakers);
            let seen = after.count - wakers;
            if seen != expected {
                return Err(messages::count_changed(function, expected, seen));
            }
            if after.is_used_after_its_end {
                return Err(messages::used_after_its_end(function));
            }
        }
    }
    let waker = waker(ledger::open(1));
    for _ in 0..24 {
        let clone = ManuallyDrop::new(Waker::clone(&waker));
        if clone.data() != waker.data() {
            return Err(messages::clone_differs("pointer"));
        }
        if !std::ptr::eq(clone.vtable(), waker.vtable()) {
            return Err(messages::clone_differs("table"));
        }
    }
    Ok(())
}

fn to_wake_is_one_word() -> Verdict {
    for (function, expected) in FUNCTIONS.into_iter().zip([0, 1, 1, 0]) {
        for wakers in 2..=25 {
            let seen = call(function, wakers).wakes;
            if seen != expected {
                return Err(messages::woke_so_often(function, expected, seen));
            }
        }
    }
    Ok(())
}
