//! The twin of e0309.rs: the future is good for as long as the loop asks.

use std::cell::RefCell;
use std::pin::Pin;

pub struct EventLoop<'a> {
    pub tasks: RefCell<Vec<Pin<Box<dyn Future<Output = ()> + 'a>>>>,
}

impl<'a> EventLoop<'a> {
    pub fn spawn(&self, future: impl Future<Output = ()> + 'a) {
        self.tasks.borrow_mut().push(Box::pin(future));
    }
}

fn main() {
    let event_loop = EventLoop { tasks: RefCell::default() };
    event_loop.spawn(async {});
}
