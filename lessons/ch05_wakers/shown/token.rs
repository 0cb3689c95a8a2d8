//! Why the token of the thread is not enough for a waker: other code on the thread takes it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

/// Set to let one `park` return: the token of a thread, or what a parker has in its place.
type Token = Rc<Cell<bool>>;

/// What the other threads will still do, in order.
#[derive(Default)]
struct Others(RefCell<VecDeque<Box<dyn FnOnce()>>>);

/// The sleeper would sleep for ever.
#[derive(Debug)]
struct ForEver;

impl Others {
    /// Takes the token. While it is not there the thread sleeps, and the others go on, one at a time.
    fn park(&self, token: &Token) -> Result<(), ForEver> {
        while !token.replace(false) {
            let next = self.0.borrow_mut().pop_front().ok_or(ForEver)?;
            next();
        }
        Ok(())
    }

    /// Waits for a lock that another thread holds: parks until it is free, as many locks do.
    fn wait_for_a_lock(&self, token: &Token) -> Result<(), ForEver> {
        let (is_free, unpark) = (Rc::new(Cell::new(false)), token.clone());
        let free = is_free.clone();
        self.0.borrow_mut().push_back(Box::new(move || {
            free.set(true);
            unpark.set(true);
        }));
        while !is_free.get() {
            self.park(token)?;
        }
        Ok(())
    }
}

/// Its waker sets `own`, the lock sets the thread's.
fn block_on(own: &Token, threads: &Token) -> Result<u32, ForEver> {
    let others = Others::default();
    for polls in 1.. {
        if polls == 2 {
            return Ok(polls);
        }
        // The first poll: another thread calls the waker, and then the future waits for a lock.
        own.set(true);
        others.wait_for_a_lock(threads)?;
        others.park(own)?;
    }
    unreachable!()
}

fn main() {
    let (threads, own) = (Token::default(), Token::default());
    for (name, token) in [("on the thread's token", &threads), ("on a parker of its own", &own)] {
        match block_on(token, &threads) {
            Ok(polls) => println!("{name}: ready after {polls} polls"),
            Err(ForEver) => println!("{name}: sleeps for ever"),
        }
    }
}
