//! Why the token of the thread is not enough for a waker: other code on the thread takes it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

/// A thread: it has a token, and knows who will still call it.
#[derive(Default)]
struct Thread {
    has_token: Cell<bool>,
    callers: RefCell<VecDeque<Box<dyn FnOnce()>>>,
}

/// The sleeper would sleep for ever.
#[derive(Debug)]
struct ForEver;

impl Thread {
    fn unpark(&self) {
        self.has_token.set(true);
    }

    /// While it sleeps, the others go on, one at a time.
    fn park(&self) -> Result<(), ForEver> {
        while !self.has_token.replace(false) {
            let caller = self.callers.borrow_mut().pop_front().ok_or(ForEver)?;
            caller();
        }
        Ok(())
    }
}

/// Waits for a lock that another thread holds: parks until it is free, as many locks do.
fn wait_for_a_lock(thread: &Rc<Thread>) -> Result<(), ForEver> {
    let (is_free, owner) = (Rc::new(Cell::new(false)), thread.clone());
    let free = is_free.clone();
    thread.callers.borrow_mut().push_back(Box::new(move || {
        free.set(true);
        owner.unpark();
    }));
    while !is_free.get() {
        thread.park()?;
    }
    Ok(())
}

/// The future: in its first poll another thread calls its waker, and then it waits for a lock.
fn poll(place: u32, thread: &Rc<Thread>, wake: impl Fn()) -> Result<bool, ForEver> {
    if place == 1 {
        wake();
        wait_for_a_lock(thread)?;
    }
    Ok(place == 2)
}

fn on_the_token() -> Result<u32, ForEver> {
    let thread = Rc::new(Thread::default());
    for place in 1.. {
        if poll(place, &thread, || thread.unpark())? {
            return Ok(place);
        }
        thread.park()?;
    }
    unreachable!()
}

fn with_a_flag() -> Result<u32, ForEver> {
    let (thread, is_called) = (Rc::new(Thread::default()), Cell::new(false));
    let wake = || {
        is_called.set(true);
        thread.unpark();
    };
    for place in 1.. {
        is_called.set(false);
        if poll(place, &thread, wake)? {
            return Ok(place);
        }
        while !is_called.get() {
            thread.park()?;
        }
    }
    unreachable!()
}

fn main() {
    for (name, end) in [("on the token", on_the_token()), ("with a flag", with_a_flag())] {
        match end {
            Ok(polls) => println!("{name}: ready after {polls} polls"),
            Err(ForEver) => println!("{name}: sleeps for ever"),
        }
    }
}
