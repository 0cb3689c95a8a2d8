//! The check of exercise 10.2.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex10_2.rs"]
mod exercise;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::task::{Context, Poll};

use checker::contract::Probe;
use checker::endless::{Endless, count};
use checker::messages::Moment::{self, *};
use checker::{Verdict, messages};
use exercise::{Cancelled, Task, task};

fn main() -> ExitCode {
    checker::run(
        "ex10_2",
        &[
            ("10.1", the_next_poll_drops_the_future),
            ("10.2", says_whether_it_has_cancelled),
            ("10.4", the_outcome_is_that_it_was_cancelled),
            ("8.2", a_value_stands),
            ("8.5", runs_on_without_its_handle),
        ],
    )
}

/// More turns than any task needs.
const TURNS: usize = 12;

/// No future of a check is polled so often; past it the run is ended from within.
const TOO_MANY: usize = 10_000;

#[derive(Clone, Copy)]
struct Case {
    /// When the task is cancelled.
    moment: Moment,
    /// In which poll it is ready, or what it does when it is cancelled: so many have been made then.
    polls: usize,
    /// The handle is awaited from the beginning on, or only at the end of the run.
    is_awaited: bool,
    /// Cancelled a second time at once.
    is_twice: bool,
    /// The handle is dropped after that; where nobody cancels the task, before the first turn.
    lets_go: bool,
}

impl Case {
    fn is_to_be_dropped(self) -> bool {
        matches!(self.moment, BeforeTheStart | Asleep | Woken | Within)
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for moment in [BeforeTheStart, Asleep, Woken, Within, WithinAndReady, AfterTheEnd, Never] {
        for polls in 1..=3 {
            for variant in 0..4 {
                cases.push(Case {
                    moment,
                    polls: if moment == BeforeTheStart { 0 } else { polls },
                    is_awaited: variant % 2 == 0,
                    is_twice: variant > 1 && moment != Never,
                    lets_go: variant == 3 && moment != AfterTheEnd,
                });
            }
        }
    }
    cases
}

/// Where the check is.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Outside,
    Cancel,
    Turn,
    /// The run is over, and what is left is dropped.
    Left,
}

thread_local! {
    static PLACE: Cell<Place> = const { Cell::new(Place::Outside) };
    /// The task that the exercise's code runs for.
    static CASE: Cell<Option<Case>> = const { Cell::new(None) };
}

/// What is seen of a task.
struct Life {
    number: usize,
    case: Case,
    handle: RefCell<Option<Task<usize>>>,
    polls: Cell<usize>,
    dropped: Cell<Option<Place>>,
    /// The first cancel that said the wrong thing: which it was, and what it should have said.
    lied: Cell<Option<(Call, bool)>>,
    was_cancelled: Cell<bool>,
    /// The work was polled after the cancel.
    was_polled: Cell<bool>,
    /// The work was ready, and had the future still.
    is_kept: Cell<bool>,
    /// Who awaits the handle was woken while the future was there.
    is_told_early: Cell<bool>,
    waiter: Probe,
    outcome: RefCell<Option<Result<usize, Cancelled>>>,
}

use messages::CancelCall as Call;

impl Life {
    fn cancel(&self, call: Call, expected: bool) {
        CASE.set(Some(self.case));
        let before = PLACE.get();
        // Within a poll it is the loop's turn still.
        if before == Place::Outside {
            PLACE.set(Place::Cancel);
        }
        if let Ok(Some(handle)) = self.handle.try_borrow().as_deref() {
            if handle.cancel() != expected {
                self.lied.set(self.lied.get().or(Some((call, expected))));
            }
        }
        PLACE.set(before);
        // In a turn the loop drops the future before anybody who was woken can look.
        if before == Place::Outside {
            self.look();
        }
    }

    /// The first cancel, and what the case has after it.
    fn cancel_first(&self) {
        self.was_cancelled.set(true);
        self.cancel(Call::First, self.case.moment != AfterTheEnd);
        if self.case.is_twice {
            self.cancel(Call::Again, false);
        }
        if self.case.lets_go {
            self.let_go();
        }
    }

    fn let_go(&self) {
        let handle = self.handle.take();
        drop(handle);
    }

    fn look(&self) {
        if self.waiter.wakes() > 0 && self.dropped.get().is_none() && self.case.is_to_be_dropped() {
            self.is_told_early.set(true);
        }
    }

    /// It was over, and a late cancel took its value away.
    fn is_overwritten(&self) -> bool {
        self.case.moment == AfterTheEnd && matches!(*self.outcome.borrow(), Some(Err(_)))
    }

    /// Polls the handle, unless it has given its outcome.
    fn await_once(&self) {
        if self.outcome.borrow().is_some() {
            return;
        }
        let mut handle = self.handle.borrow_mut();
        let Some(handle) = handle.as_mut() else { return };
        CASE.set(Some(self.case));
        let poll = self.waiter.poll(Pin::new(handle));
        if let Poll::Ready(outcome) = poll {
            *self.outcome.borrow_mut() = Some(outcome);
        }
    }
}

struct Piece(Rc<Life>);

impl Future for Piece {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<usize> {
        let life = &self.0;
        count(&life.polls, TOO_MANY);
        if life.polls.get() < life.case.polls {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if life.polls.get() > life.case.polls {
            return Poll::Pending;
        }
        match life.case.moment {
            Woken => context.waker().wake_by_ref(),
            Within | WithinAndReady => life.cancel_first(),
            _ => {}
        }
        match life.case.moment {
            WithinAndReady | AfterTheEnd | Never => Poll::Ready(life.number),
            _ => Poll::Pending,
        }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let life = &self.0;
        if PLACE.get() == Place::Turn && life.was_cancelled.get() && life.case.is_to_be_dropped() {
            life.look();
            life.cancel(Call::InTheDestructor, false);
        }
        life.dropped.set(Some(PLACE.get()));
    }
}

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// All cases in one loop. Each poll has another waker, and a task is polled only when that of its latest poll was called.
fn run() -> Result<Vec<Rc<Life>>, Box<dyn Any + Send>> {
    PLACE.set(Place::Outside);
    let run = catch_unwind(AssertUnwindSafe(|| {
        let mut works: Vec<(Option<Work>, Option<Probe>)> = Vec::new();
        let mut lives: Vec<Rc<Life>> = Vec::new();
        for (number, case) in cases().into_iter().enumerate() {
            let life = Rc::new(Life {
                number,
                case,
                handle: RefCell::new(None),
                polls: Cell::new(0),
                dropped: Cell::new(None),
                lied: Cell::new(None),
                was_cancelled: Cell::new(false),
                was_polled: Cell::new(false),
                is_kept: Cell::new(false),
                is_told_early: Cell::new(false),
                waiter: Probe::new(),
                outcome: RefCell::new(None),
            });
            CASE.set(Some(case));
            let (handle, work) = task(Piece(life.clone()));
            *life.handle.borrow_mut() = Some(handle);
            if case.is_awaited {
                life.await_once();
            }
            if case.moment == BeforeTheStart {
                life.cancel_first();
            }
            if case.moment == Never && case.lets_go {
                life.let_go();
            }
            works.push((Some(Box::pin(work)), None));
            lives.push(life);
        }
        for _ in 0..TURNS {
            turn(&mut works, &lives);
            for (life, (work, _)) in lives.iter().zip(&works) {
                if life.case.is_awaited && life.waiter.wakes() > 0 {
                    life.await_once();
                }
                let is_time = match life.case.moment {
                    Asleep | Woken => life.polls.get() == life.case.polls,
                    AfterTheEnd => work.is_none(),
                    _ => false,
                };
                if is_time && !life.was_cancelled.get() {
                    life.cancel_first();
                }
            }
        }
        for (life, (work, _)) in lives.iter().zip(&works) {
            if work.is_none() {
                life.await_once();
                life.cancel(Call::AfterItsEnd, false);
            }
        }
        PLACE.set(Place::Left);
        lives
    }));
    PLACE.set(Place::Left);
    run
}

fn turn(works: &mut [(Option<Work>, Option<Probe>)], lives: &[Rc<Life>]) {
    for ((place, latest), life) in works.iter_mut().zip(lives) {
        let is_woken = latest.as_ref().is_none_or(|probe| probe.wakes() > 0);
        let Some(work) = place.as_mut().filter(|_| is_woken) else { continue };
        PLACE.set(Place::Turn);
        CASE.set(Some(life.case));
        if life.was_cancelled.get() {
            life.was_polled.set(true);
        }
        let probe = Probe::new();
        let poll = probe.poll(work.as_mut());
        if poll.is_ready() {
            life.is_kept.set(life.case.is_to_be_dropped() && life.dropped.get().is_none());
            *place = None;
        }
        life.look();
        *latest = Some(probe);
        PLACE.set(Place::Outside);
    }
}

/// What is seen of a task that breaks rule 10.1.
fn not_dropped(life: &Life) -> Verdict {
    let who = messages::cancelled(life.case.moment, life.case.polls);
    if !life.was_cancelled.get() || !life.case.is_to_be_dropped() {
        return Ok(());
    }
    match life.dropped.get() {
        Some(Place::Cancel | Place::Outside) => Err(messages::dropped_in_cancel(&who)),
        _ if life.polls.get() > life.case.polls => Err(messages::ran_again(&who, life.polls.get())),
        Some(Place::Turn) if !life.is_kept.get() => Ok(()),
        _ if !life.was_polled.get() => Err(messages::cancel_woke_nobody(&who)),
        _ => Err(messages::polled_and_not_dropped(&who)),
    }
}

fn the_next_poll_drops_the_future() -> Verdict {
    match run() {
        Ok(lives) => lives.iter().try_for_each(|life| not_dropped(life)),
        Err(panic) if panic.is::<Endless>() => Err(messages::polled_without_end(TOO_MANY)),
        Err(panic) if checker::is_todo(&*panic) => resume_unwind(panic),
        Err(_) => {
            let who = CASE.get().map_or(String::new(), |case| messages::case_of(case.moment, case.polls));
            Err(messages::panicked_in(&who, &checker::last_panic()))
        }
    }
}

/// The tasks of a run that keeps rule 10.1, without which the others say nothing.
fn cancelled_as_they_should() -> Option<Vec<Rc<Life>>> {
    run().ok().filter(|lives| lives.iter().all(|life| not_dropped(life).is_ok()))
}

fn says_whether_it_has_cancelled() -> Verdict {
    let Ok(lives) = run() else { return Ok(()) };
    if let Some((life, (call, expected))) = lives.iter().find_map(|life| Some((life, life.lied.get()?))) {
        return Err(messages::cancel_said(life.case.moment, life.case.polls, call, expected));
    }
    match lives.iter().find(|life| life.is_overwritten()) {
        Some(life) => Err(messages::value_overwritten(&messages::cancelled(life.case.moment, life.case.polls))),
        None => Ok(()),
    }
}

fn the_outcome_is_that_it_was_cancelled() -> Verdict {
    let Some(lives) = cancelled_as_they_should() else { return Ok(()) };
    for life in lives.iter().filter(|life| life.case.is_to_be_dropped() && !life.case.lets_go) {
        let who = messages::cancelled(life.case.moment, life.case.polls);
        if life.is_told_early.get() {
            return Err(messages::told_before_the_drop(&who));
        }
        match &*life.outcome.borrow() {
            Some(Ok(_)) => return Err(messages::cancelled_with_a_value(&who)),
            None => return Err(messages::cancelled_without_an_outcome(&who)),
            Some(Err(Cancelled)) => {}
        }
        if life.case.is_awaited && life.waiter.wakes() == 0 {
            return Err(messages::cancelled_and_nobody_told(&who));
        }
    }
    Ok(())
}

fn a_value_stands() -> Verdict {
    let Ok(lives) = run() else { return Ok(()) };
    let has_value = |life: &&Rc<Life>| !life.case.is_to_be_dropped() && !life.case.lets_go;
    // What a late cancel overwrites is rule 10.2's.
    for life in lives.iter().filter(has_value).filter(|life| !life.is_overwritten()) {
        if *life.outcome.borrow() != Some(Ok(life.number)) {
            let is_cancelled = matches!(*life.outcome.borrow(), Some(Err(_)));
            return Err(messages::value_lost(life.case.moment, life.case.polls, is_cancelled));
        }
    }
    Ok(())
}

fn runs_on_without_its_handle() -> Verdict {
    let Ok(lives) = run() else { return Ok(()) };
    let cut = |life: &&Rc<Life>| life.case.moment == Never && life.case.lets_go && life.polls.get() < life.case.polls;
    match lives.iter().find(cut) {
        Some(life) => Err(messages::ended_with_its_handle(life.case.polls, life.polls.get())),
        None => Ok(()),
    }
}
