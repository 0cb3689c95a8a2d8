//! E0309

use std::cell::RefCell;
use std::pin::Pin;

pub struct EventLoop<'a> {
    pub tasks: RefCell<Vec<Pin<Box<dyn Future<Output = ()> + 'a>>>>,
}

impl<'a> EventLoop<'a> {
    pub fn spawn(&self, future: impl Future<Output = ()>) {
        self.tasks.borrow_mut().push(Box::pin(future));
    }
}

fn main() {
    let event_loop = EventLoop { tasks: RefCell::default() };
    event_loop.spawn(async {});
}
