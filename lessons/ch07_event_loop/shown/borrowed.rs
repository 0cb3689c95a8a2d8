//! A task that spawns another, in two loops: one borrows its table during a poll, one takes the task out of it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Waker};

type Tasks = RefCell<HashMap<usize, Pin<Box<dyn Future<Output = ()>>>>>;

/// A table with task 1, which puts task 2 beside it.
fn tasks() -> Rc<Tasks> {
    let tasks = Rc::new(Tasks::default());
    let table = tasks.clone();
    let spawns = async move {
        table.borrow_mut().insert(2, Box::pin(async {}));
    };
    tasks.borrow_mut().insert(1, Box::pin(spawns));
    tasks
}

fn borrows(tasks: &Tasks, context: &mut Context<'_>) {
    if let Some(future) = tasks.borrow_mut().get_mut(&1) {
        let _ = future.as_mut().poll(context);
    }
}

fn takes_out(tasks: &Tasks, context: &mut Context<'_>) {
    let taken = tasks.borrow_mut().remove(&1);
    if let Some(mut future) = taken {
        let _ = future.as_mut().poll(context);
    }
}

fn main() {
    set_hook(Box::new(|_| {}));
    let polls: [(&str, fn(&Tasks, &mut Context<'_>)); 2] =
        [("borrows the table", borrows), ("takes the task out", takes_out)];
    for (name, poll) in polls {
        let tasks = tasks();
        let outcome = catch_unwind(AssertUnwindSafe(|| poll(&tasks, &mut Context::from_waker(Waker::noop()))));
        let panic = outcome.err().and_then(|payload| payload.downcast::<String>().ok());
        match panic {
            Some(text) if text.contains("already borrowed") => println!("{name}: it panics: already borrowed"),
            Some(text) => println!("{name}: it panics: {text}"),
            None => println!("{name}: task 2 is in the table: {}", tasks.borrow().contains_key(&2)),
        }
    }
}
