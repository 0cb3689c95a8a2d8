//! The check of exercise 7.1.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex07_1.rs"]
mod exercise;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;

use checker::endless::Endless;
use checker::lock;
use checker::{Verdict, messages};
use exercise::{Parker, Ticket};

fn main() -> ExitCode {
    checker::run(
        "ex07_1",
        &[("7.1", an_entry_and_a_call), ("7.2", one_entry_for_several_wakes), ("7.4", in_the_order_of_the_wakes)],
    )
}

const TASKS: usize = 25;

/// No task twice, and neither the lowest nor the highest first.
fn scrambled() -> impl Iterator<Item = usize> {
    (0..TASKS).map(|place| (place * 7 + 3) % TASKS)
}

struct Run {
    parker: Arc<Parker>,
    tickets: Vec<Ticket>,
    /// How often the loop's thread has looked since it began to wait, and whether it waits.
    looks: Rc<Cell<usize>>,
    waits: Rc<Cell<bool>>,
}

impl Run {
    fn new() -> Self {
        lock::clear();
        let parker = Parker::new(TASKS);
        let tickets = (0..TASKS).map(|number| Ticket { number, parker: parker.clone() }).collect();
        Run { parker, tickets, looks: Rc::default(), waits: Rc::default() }
    }

    /// The loop's thread waits in `take` from now on.
    fn wait(&self) {
        let (parker, looks, waits) = (self.parker.clone(), self.looks.clone(), self.waits.clone());
        looks.set(0);
        waits.set(true);
        lock::sleep(move || {
            looks.set(looks.get() + 1);
            waits.set(parker.ready.lock().unwrap().queue.is_empty());
            !waits.get()
        });
    }

    fn wake(&self, task: usize) -> Verdict {
        lock::allow(10_000);
        match catch_unwind(AssertUnwindSafe(|| self.tickets[task].wake())) {
            Ok(()) if lock::is_held() => Err(messages::lock_kept(task)),
            Ok(()) => Ok(()),
            Err(payload) if payload.is::<Endless>() => Err(messages::wake_of_a_task_has_no_end(task)),
            Err(_) if lock::was_taken_elsewhere() => Err(messages::own_thread().to_owned()),
            Err(payload) => resume_unwind(payload),
        }
    }

    fn queue(&self) -> Vec<usize> {
        self.parker.ready.lock().unwrap().queue.clone()
    }

    fn entries(&self, task: usize) -> usize {
        self.queue().iter().filter(|other| **other == task).count()
    }

    fn is_up(&self, task: usize) -> bool {
        self.parker.ready.lock().unwrap().is_queued[task]
    }

    fn take(&self) -> Vec<usize> {
        if self.queue().is_empty() { Vec::new() } else { self.parker.take() }
    }
}

/// Each task is woken once, while the loop's thread waits, three times over.
fn an_entry_and_a_call() -> Verdict {
    let run = Run::new();
    for _ in 0..3 {
        run.wait();
        for (others, task) in scrambled().enumerate() {
            let before = run.queue();
            run.wake(task)?;
            if let Some(other) = before.iter().find(|other| run.entries(**other) == 0) {
                return Err(messages::entry_taken_away(task, *other));
            }
            if run.entries(task) == 0 {
                return Err(messages::no_entry(task, others, run.is_up(task)));
            }
            if run.waits.get() {
                let too_early = run.looks.get() > 0;
                return Err(if too_early { messages::notified_too_early } else { messages::nobody_notified }(task));
            }
        }
        run.take();
    }
    // The loop's thread takes the entries at each moment at which the lock is free: that of the wake is among them, or comes.
    for times in 1..=20 {
        let run = Rc::new(Run::new());
        run.wake(1)?;
        let (other, taken) = (run.clone(), Rc::new(RefCell::new(Vec::new())));
        let place = taken.clone();
        lock::at_release(times, move || place.borrow_mut().extend(other.take()));
        run.wake(0)?;
        lock::clear();
        if run.entries(0) == 0 && !taken.borrow().contains(&0) {
            return Err(messages::no_entry(0, 1, run.is_up(0)));
        }
    }
    Ok(())
}

fn one_entry_for_several_wakes() -> Verdict {
    // Some tasks are woken once and some often, at once and in turn with others.
    let run = Run::new();
    for _ in 0..3 {
        let mut wakes = [0; TASKS];
        for round in 0..TASKS {
            for task in scrambled().filter(|task| task % 5 == 0 || round <= *task) {
                for _ in 0..1 + task % 3 {
                    run.wake(task)?;
                    wakes[task] += 1;
                    if run.entries(task) > 1 {
                        return Err(messages::entries_of(task, wakes[task], run.entries(task)));
                    }
                }
            }
            if let Some(task) = (0..TASKS).find(|task| run.entries(*task) > 0 && !run.is_up(*task)) {
                return Err(messages::entry_without_flag(task));
            }
        }
        run.take();
    }
    // Another thread wakes the same task, or the loop's thread takes all entries, at each moment at which the lock is free.
    for times in 1..=20 {
        for wakes in [true, false] {
            let run = Rc::new(Run::new());
            run.wake(1)?;
            let other = run.clone();
            lock::at_release(times, move || {
                if wakes {
                    let _ = other.wake(0);
                } else {
                    other.take();
                }
            });
            run.wake(0)?;
            lock::clear();
            if wakes && run.entries(0) > 1 {
                return Err(messages::entries_of_two_threads(0, run.entries(0)));
            }
            if !wakes && run.entries(0) > 0 && !run.is_up(0) {
                return Err(messages::taken_in_the_middle(0));
            }
        }
    }
    it_does_not_search()
}

/// An entry is out of the queue and its flag still up, as in a loop that puts each flag down right before the poll: whether
/// to make an entry is for the flag to say. A wake that makes no entry is rule 7.1's, and one that moves entries 7.4's.
fn it_does_not_search() -> Verdict {
    let run = Run::new();
    for task in scrambled() {
        run.wake(task)?;
    }
    let before = run.queue();
    for task in scrambled() {
        run.wake(task)?;
        if before.len() < TASKS || run.queue() != before {
            return Ok(());
        }
    }
    for task in scrambled() {
        run.parker.ready.lock().unwrap().queue.retain(|other| *other != task);
        run.wake(task)?;
        if run.entries(task) > 0 {
            return Err(messages::searched(task));
        }
    }
    Ok(())
}

/// The first entry of each task, in the order of the queue.
fn first_entries(queue: &[usize]) -> Vec<usize> {
    (0..queue.len()).filter(|place| !queue[..*place].contains(&queue[*place])).map(|place| queue[place]).collect()
}

fn in_the_order_of_the_wakes() -> Verdict {
    let run = Run::new();
    for _ in 0..3 {
        for task in scrambled() {
            run.wake(task)?;
        }
        let queue = first_entries(&run.queue());
        let expected: Vec<usize> = scrambled().filter(|task| queue.contains(task)).collect();
        messages::first_difference(
            "25 tasks were woken, one after the other: the entries in the queue",
            &expected,
            &queue,
        )?;
        for task in (0..TASKS).rev() {
            run.wake(task)?;
            if first_entries(&run.queue()) != queue {
                return Err(messages::entry_moved(task));
            }
        }
        run.take();
    }
    Ok(())
}
