//! A program with a defect: two tasks wait for one bell, and the bell has room for one waker.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use handloop::{EventLoop, call_later, gather, spawn_named};

#[derive(Default)]
struct Bell {
    has_rung: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Bell {
    fn ring(&self) {
        println!("The bell rings.");
        self.has_rung.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

async fn wait_for(bell: Rc<Bell>, name: &str) {
    poll_fn(|context| {
        if bell.has_rung.get() {
            return Poll::Ready(());
        }
        println!("{name} leaves a waker with the bell."); // and whoever did so before is forgotten
        bell.waker.replace(Some(context.waker().clone()));
        Poll::Pending
    })
    .await;
    println!("{name} has heard it.");
}

pub fn run(event_loop: &EventLoop) -> Result<(), Box<dyn Error>> {
    event_loop.try_run_until_complete(async {
        let bell = Rc::new(Bell::default());
        let tasks = ["Ann", "Bob"].map(|name| spawn_named(name, wait_for(bell.clone(), name)));
        call_later(Duration::from_secs(1), move || bell.ring())?;
        gather(tasks).await?;
        Ok(())
    })?
}
