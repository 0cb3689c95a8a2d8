//! The check of exercise 5.2.
#![allow(dead_code, missing_docs, unsafe_code)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex05_2.rs"]
mod exercise;

use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::task::Waker;

use checker::{Verdict, messages};
use exercise::TABLE;

fn main() -> ExitCode {
    checker::run("ex05_2", &[("5.7", each_waker_is_one_of_a_count), ("5.4", to_wake_is_one_word)])
}

/// What the pointers are keys for: a count each, and what was done to it. It frees nothing.
mod ledger {
    use std::cell::Cell;
    use std::panic::resume_unwind;
    use std::sync::Mutex;

    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    pub struct Entry {
        pub count: isize,
        pub wakes: usize,
        pub frees: usize,
        /// Whether it was reached for when it was freed, or woken when no count was left.
        pub is_used_after_its_end: bool,
    }

    /// No call reaches for the ledger so often; past it the call is ended from within.
    pub const TOO_MANY: usize = 100;

    pub struct Endless;

    thread_local! {
        static USES: Cell<usize> = const { Cell::new(0) };
    }

    static ENTRIES: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

    /// Opens an entry with so many wakers.
    pub fn open(wakers: isize) -> *const () {
        USES.set(0);
        let mut entries = ENTRIES.lock().unwrap();
        entries.push(Entry { count: wakers, ..Entry::default() });
        std::ptr::without_provenance(entries.len() << 4)
    }

    pub fn read(pointer: *const ()) -> Entry {
        ENTRIES.lock().unwrap()[(pointer.addr() >> 4) - 1]
    }

    /// A pointer that is not in the ledger changes nothing in it. Returns how many wakers are left.
    fn change(pointer: *const (), change: impl FnOnce(&mut Entry)) -> usize {
        USES.set(USES.get() + 1);
        if USES.get() > TOO_MANY {
            resume_unwind(Box::new(Endless));
        }
        let mut entries = ENTRIES.lock().unwrap();
        let entry = (pointer.addr() >> 4).checked_sub(1).and_then(|place| entries.get_mut(place));
        entry.map_or(0, |entry| {
            entry.is_used_after_its_end |= entry.frees > 0;
            change(entry);
            entry.count.max(0).unsigned_abs()
        })
    }

    pub fn add(pointer: *const ()) {
        change(pointer, |entry| entry.count += 1);
    }

    pub fn take(pointer: *const ()) -> usize {
        change(pointer, |entry| entry.count -= 1)
    }

    pub fn free(pointer: *const ()) {
        change(pointer, |entry| entry.frees += 1);
    }

    pub fn wake(pointer: *const ()) {
        change(pointer, |entry| {
            entry.is_used_after_its_end |= entry.count <= 0;
            entry.wakes += 1;
        });
    }
}

/// One of the four functions, as it is called by its name.
struct Function {
    name: &'static str,
    call: fn(*const ()),
    /// What it does to the count, and how often it wakes.
    change: isize,
    wakes: usize,
}

/// `wake` may be made of two of the others, and what is wrong in those is not its fault: it comes last.
const FUNCTIONS: [Function; 4] = [
    Function { name: "`clone`", call: |pointer| _ = exercise::clone(pointer), change: 1, wakes: 0 },
    Function { name: "`wake_by_ref`", call: exercise::wake_by_ref, change: 0, wakes: 1 },
    Function { name: "`release`", call: exercise::release, change: -1, wakes: 0 },
    Function { name: "`wake`", call: exercise::wake, change: -1, wakes: 1 },
];

/// What is in the ledger after a call on a task with so many wakers. `None`: the call had no end.
fn after(call: impl FnOnce(*const ()), wakers: isize) -> Option<ledger::Entry> {
    let pointer = ledger::open(wakers);
    match catch_unwind(AssertUnwindSafe(|| call(pointer))) {
        Ok(()) => Some(ledger::read(pointer)),
        Err(payload) if payload.is::<ledger::Endless>() => None,
        Err(payload) => resume_unwind(payload),
    }
}

fn after_named(function: &Function, wakers: isize) -> Option<ledger::Entry> {
    checker::calls_and_asks(function.name, messages::IS_IT_AN_ARC);
    after(function.call, wakers)
}

fn each_waker_is_one_of_a_count() -> Verdict {
    for function in &FUNCTIONS {
        for wakers in 1..=24 {
            let Some(after) = after_named(function, wakers) else {
                return Err(messages::reaches_for_the_ledger(function.name, ledger::TOO_MANY));
            };
            let (expected, seen) = (function.change, after.count - wakers);
            if seen != expected {
                return Err(messages::count_changed(function.name, expected, seen));
            }
            if after.is_used_after_its_end {
                return Err(messages::used_after_its_end(function.name));
            }
            if after.frees != usize::from(after.count == 0) {
                return Err(messages::freed(function.name, after.count, after.frees));
            }
        }
    }
    a_clone_wakes_the_same_task()?;
    each_function_is_in_its_place()
}

fn a_clone_wakes_the_same_task() -> Verdict {
    let pointer = ledger::open(1);
    // SAFETY: the four functions reach nothing but the ledger, which follows no pointer. A count that is wrong frees
    // nothing.
    let clone = ManuallyDrop::new(unsafe { Waker::from_raw(exercise::clone(pointer)) });
    if clone.data() != pointer {
        return Err(messages::clone_differs("pointer"));
    }
    if !std::ptr::eq(clone.vtable(), &TABLE) {
        return Err(messages::clone_differs("table"));
    }
    Ok(())
}

/// The function that belongs in a place of the table, and how a waker calls it.
type Place = (&'static str, fn(Waker));

/// The table holds the functions that were called by their names, each where a waker calls it.
fn each_function_is_in_its_place() -> Verdict {
    let places: [Place; 4] = [
        ("clone", |waker| std::mem::forget(Waker::clone(&ManuallyDrop::new(waker)))),
        ("wake", Waker::wake),
        ("wake_by_ref", |waker| ManuallyDrop::new(waker).wake_by_ref()),
        ("release", drop),
    ];
    let named = |name: &str| FUNCTIONS.iter().find(|function| function.name.trim_matches('`') == name);
    for (place, (name, through)) in places.into_iter().enumerate() {
        for wakers in [2, 1] {
            // SAFETY: as above.
            let seen = after(|pointer| through(unsafe { Waker::new(pointer, &TABLE) }), wakers);
            let does_that = |function: &&Function| after(function.call, wakers) == seen;
            if !named(name).as_ref().is_some_and(does_that) {
                let stands_there = FUNCTIONS.iter().find(does_that).map(|function| function.name);
                return Err(messages::in_another_place(place + 1, name, stands_there));
            }
        }
    }
    Ok(())
}

fn to_wake_is_one_word() -> Verdict {
    for function in &FUNCTIONS {
        for wakers in 2..=25 {
            // A call without an end is rule 5.7's.
            let Some(after) = after_named(function, wakers) else { return Ok(()) };
            if after.wakes != function.wakes {
                return Err(messages::woke_so_often(function.name, function.wakes, after.wakes));
            }
        }
    }
    Ok(())
}
