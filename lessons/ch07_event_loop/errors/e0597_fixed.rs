//! The twin of e0597.rs: the future has a counted pointer of its own.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;

#[derive(Default)]
pub struct EventLoop<'a> {
    pub tasks: RefCell<Vec<Pin<Box<dyn Future<Output = ()> + 'a>>>>,
}

impl<'a> EventLoop<'a> {
    pub fn spawn(&self, future: impl Future<Output = ()> + 'a) {
        self.tasks.borrow_mut().push(Box::pin(future));
    }
}

fn main() {
    let event_loop = Rc::new(EventLoop::default());
    let spawner = event_loop.clone();
    event_loop.spawn(async move {
        spawner.spawn(async {});
    });
}
