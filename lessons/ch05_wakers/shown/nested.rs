//! A `block_on` inside a poll of another: with one parker for the thread, and with a parker for each.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

/// Where a thread waits until it is woken.
type Parker = Rc<Cell<bool>>;

/// Those who will still wake, in order, each at a parker.
#[derive(Default)]
struct Callers(RefCell<VecDeque<Parker>>);

/// The sleeper would sleep for ever.
struct ForEver;

impl Callers {
    fn park(&self, parker: &Parker) -> Result<(), ForEver> {
        while !parker.replace(false) {
            self.0.borrow_mut().pop_front().ok_or(ForEver)?.set(true);
        }
        Ok(())
    }
}

/// Polls until ready; a poll gets the number of polls, and the parker at which to wake.
fn block_on(
    callers: &Callers,
    parker: &Parker,
    mut poll: impl FnMut(u32, &Parker) -> Result<bool, ForEver>,
) -> Result<u32, ForEver> {
    for polls in 1.. {
        if poll(polls, parker)? {
            return Ok(polls);
        }
        callers.park(parker)?;
    }
    unreachable!()
}

/// The outer future leaves its waker with somebody; then its poll runs a `block_on` of its own.
fn run(outer: &Parker, inner: &Parker) -> Result<u32, ForEver> {
    let callers = Callers::default();
    block_on(&callers, outer, |polls, outer| {
        if polls == 1 {
            callers.0.borrow_mut().push_back(outer.clone());
            let inner_polls = block_on(&callers, inner, |polls, inner| {
                if polls == 1 {
                    callers.0.borrow_mut().push_back(inner.clone());
                }
                // The inner future is ready when its own caller has come: when nobody is left to wake anybody.
                Ok(callers.0.borrow().is_empty())
            })?;
            println!("  inner: ready after {inner_polls} polls");
        }
        Ok(polls == 2)
    })
}

fn main() {
    let (one, other) = (Parker::default(), Parker::default());
    for (name, outer, inner) in [("one parker for the thread", &one, &one), ("a parker for each", &one, &other)] {
        println!("{name}:");
        match run(outer, inner) {
            Ok(polls) => println!("  outer: ready after {polls} polls"),
            Err(ForEver) => println!("  outer: sleeps for ever"),
        }
    }
}
