//! The check of exercise 8.2.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex08_2.rs"]
mod exercise;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::Pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::thread;

use checker::contract::{Breach, Complete, Probe, check_future};
use checker::endless::count;
use checker::{Verdict, messages};
use exercise::{Task, task};

fn main() -> ExitCode {
    checker::run(
        "ex08_2",
        &[
            ("8.2", gives_the_result_once),
            ("8.3", wakes_who_awaits_it),
            ("5.3", wakes_the_latest),
            ("8.4", a_panic_is_the_result),
            ("8.5", runs_on_without_its_handle),
            ("3.3", pending_while_the_future_is),
            ("3.4", hands_its_context_on),
        ],
    )
}

/// Tasks in each check.
const TASKS: usize = 24;

/// More polls than any work needs.
const MOST: usize = 20;

/// No future of a check is polled so often; past it the poll is ended from within.
const TOO_MANY: usize = 10_000;

/// The result of a task: not `Clone`, and counted.
struct Value {
    number: usize,
    life: Rc<Life>,
}

impl Drop for Value {
    fn drop(&mut self) {
        self.life.values.set(self.life.values.get() - 1);
    }
}

/// What is seen of a future.
#[derive(Default)]
struct Life {
    polls: Cell<usize>,
    is_over: Cell<bool>,
    /// How many of its results there are.
    values: Cell<usize>,
}

/// What a future panics with.
struct Cause(usize);

#[derive(Clone, Copy, PartialEq)]
enum End {
    Value,
    Panic,
}

/// Pending so many times, and each time it wakes its task.
struct Piece {
    number: usize,
    pauses: usize,
    end: End,
    life: Rc<Life>,
}

impl Future for Piece {
    type Output = Value;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Value> {
        let life = &self.life;
        context.waker().wake_by_ref();
        count(&life.polls, TOO_MANY);
        if life.polls.get() <= self.pauses || life.is_over.get() {
            return Poll::Pending;
        }
        life.is_over.set(true);
        if self.end == End::Panic {
            panic_any(Cause(self.number));
        }
        life.values.set(life.values.get() + 1);
        Poll::Ready(Value { number: self.number, life: life.clone() })
    }
}

type Work = Pin<Box<dyn Future<Output = ()>>>;
type Panic = Box<dyn Any + Send>;

/// A task of a check, with what has come of both sides.
struct Made {
    handle: Option<Pin<Box<Task<Value>>>>,
    work: Option<Work>,
    life: Rc<Life>,
    result: Option<thread::Result<Value>>,
}

impl Made {
    fn new(number: usize, pauses: usize, end: End) -> Self {
        let life = Rc::new(Life::default());
        let (handle, work) = task(Piece { number, pauses, end, life: life.clone() });
        Made { handle: Some(Box::pin(handle)), work: Some(Box::pin(work)), life, result: None }
    }

    /// One turn of the loop: whether the work is over, or what it panicked with. What is over is dropped.
    fn work(&mut self, waker: &Waker) -> Result<bool, Panic> {
        let Some(work) = &mut self.work else { return Ok(true) };
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut Context::from_waker(waker))));
        if !matches!(polled, Ok(Poll::Pending)) {
            self.work = None;
        }
        polled.map(|polled| polled.is_ready())
    }

    /// Turns until the work is over.
    fn finish(&mut self) -> Result<bool, Panic> {
        for _ in 0..MOST {
            if self.work(Waker::noop())? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Awaits the handle for one poll, if it has not given its result.
    fn await_once(&mut self, waker: &Waker) -> Result<(), Panic> {
        let Some(handle) = self.handle.as_mut().filter(|_| self.result.is_none()) else { return Ok(()) };
        let polled = catch_unwind(AssertUnwindSafe(|| handle.as_mut().poll(&mut Context::from_waker(waker))))?;
        if let Poll::Ready(result) = polled {
            self.result = Some(result);
        }
        Ok(())
    }
}

impl Made {
    /// Drops the handle.
    fn let_go(&mut self) -> Result<(), Panic> {
        let handle = self.handle.take();
        catch_unwind(AssertUnwindSafe(|| drop(handle)))
    }
}

impl Drop for Made {
    /// A handle that panics as it is dropped is rule 8.5's, and must not end the check of another one.
    fn drop(&mut self) {
        let _ = self.let_go();
    }
}

/// What a panic of the exercise is reported as. What is not written yet is reported as that.
fn with_its_moment(panic: Panic, moment: &str) -> String {
    if checker::is_todo(&*panic) {
        return checker::last_panic();
    }
    messages::panicked_when(moment, &checker::last_panic())
}

/// Awaited before the first turn, after the second one, and only when all are over.
fn gives_the_result_once() -> Verdict {
    let mut tasks: Vec<Made> = (0..TASKS).map(|number| Made::new(number, number % 4, End::Value)).collect();
    for turn in 0..MOST {
        for (number, made) in tasks.iter_mut().enumerate() {
            if turn == 0 && number % 3 == 0 || turn == 2 && number % 3 == 1 {
                let moment = messages::in_handle(made.life.is_over.get());
                made.await_once(Waker::noop()).map_err(|panic| with_its_moment(panic, moment))?;
                if made.result.is_some() && !made.life.is_over.get() {
                    return Err(messages::handle_ready_too_soon().to_owned());
                }
            }
            match made.work(Waker::noop()) {
                // A loop without end is rule 3.3's, also where the panic that ended it became a result.
                _ if made.life.polls.get() > TOO_MANY => return Ok(()),
                Err(panic) => {
                    let is_awaited = number % 3 == 0 || number % 3 == 1 && turn >= 2;
                    return Err(with_its_moment(panic, messages::in_work(made.life.is_over.get(), is_awaited)));
                }
                Ok(_) => {}
            }
        }
    }
    for (number, made) in tasks.iter_mut().enumerate() {
        let moment = ["before the first poll of the task", "after its second poll", "only after its end"][number % 3];
        let in_handle = messages::in_handle(made.life.is_over.get());
        made.await_once(Waker::noop()).map_err(|panic| with_its_moment(panic, in_handle))?;
        match &made.result {
            _ if !made.life.is_over.get() => {
                return Err(messages::task_not_over(number % 4 + 1, made.life.polls.get()));
            }
            None => return Err(messages::result_not_given(moment)),
            Some(Err(_)) => return Err(messages::result_was_a_panic().to_owned()),
            Some(Ok(value)) if value.number != number => {
                return Err(messages::result_was(&number.to_string(), &value.number.to_string()));
            }
            Some(Ok(_)) => {}
        }
    }
    let lives: Vec<Rc<Life>> = tasks.iter().map(|made| made.life.clone()).collect();
    drop(tasks);
    match lives.iter().filter(|life| life.values.get() > 0).count() {
        0 => Ok(()),
        left => Err(messages::results_left(TASKS, left)),
    }
}

/// The handle of a task, as the adversary takes it. The task cannot end in the middle of a poll of its handle: both are
/// on one thread. So what completes it then is put off to the end of that poll.
struct Alone {
    handle: Pin<Box<Task<Value>>>,
    is_polled: Rc<Cell<bool>>,
    put_off: Rc<Cell<bool>>,
    complete: Rc<dyn Fn()>,
}

impl Future for Alone {
    type Output = thread::Result<Value>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.is_polled.set(true);
        let polled = self.handle.as_mut().poll(context);
        self.is_polled.set(false);
        if self.put_off.take() {
            (self.complete)();
        }
        polled
    }
}

fn make() -> (Alone, Complete) {
    let mut made = Made::new(0, 2, End::Value);
    let handle = made.handle.take().expect("it is new");
    let is_polled = Rc::new(Cell::new(false));
    let put_off = Rc::new(Cell::new(false));
    let made = RefCell::new(Some(made));
    // What the work itself does wrong is for the other rules.
    let complete: Rc<dyn Fn()> = Rc::new(move || drop(made.take().map(|mut made| made.finish())));
    let (polled, later, end) = (is_polled.clone(), put_off.clone(), complete.clone());
    let outside = move || if polled.get() { later.set(true) } else { end() };
    (Alone { handle, is_polled, put_off, complete }, Box::new(outside))
}

/// The first breach, if it is one of those: the others are other rules', and so is a handle that panics.
fn only(breaches: &[Breach]) -> Verdict {
    match catch_unwind(|| check_future(make)) {
        Ok(Err(breach)) if breaches.contains(&breach) => Err(messages::breach(breach).to_owned()),
        _ => Ok(()),
    }
}

fn wakes_who_awaits_it() -> Verdict {
    use Breach::*;
    let (probe, mut made) = (Probe::new(), Made::new(0, 2, End::Value));
    let _ = probe.with_waker(|waker| made.await_once(waker));
    if made.result.is_none() && probe.wakes() > 0 {
        return Err(messages::woken_before_the_end(probe.wakes()));
    }
    only(&[KeptNoWaker, WokeNobody, LostTheWakeInTheWindow, LeakedWakers, DroppedTooOften])?;
    no_waker_is_left()?;
    // Each handle with a waker of its own: before the first turn, or after it. The tasks end one after the other.
    let probes: Vec<Probe> = (0..TASKS).map(|_| Probe::new()).collect();
    let mut tasks: Vec<Made> = (0..TASKS).map(|number| Made::new(number, 2 + number % 4, End::Value)).collect();
    for number in 0..TASKS {
        let is_late = number % 2 == 1;
        if is_late {
            let _ = tasks[number].work(Waker::noop());
        }
        if probes[number].with_waker(|waker| tasks[number].await_once(waker)).is_err() {
            return Ok(());
        }
    }
    for step in 0..TASKS {
        let number = step * 7 % TASKS;
        for _ in 0..MOST {
            let turn = tasks[number].work(Waker::noop());
            if !tasks[number].life.is_over.get() && probes[number].wakes() > 0 {
                return Err(messages::woken_before_the_end(probes[number].wakes()));
            }
            if !matches!(turn, Ok(false)) {
                break;
            }
        }
        let others = (0..TASKS).filter(|other| (0..=step).all(|step| step * 7 % TASKS != *other));
        let woken = others.filter(|other| probes[*other].wakes() > 0).count();
        let is_given = tasks[number].result.is_some();
        if !is_given && (probes[number].wakes() == 0 || woken > 0) {
            return Err(messages::end_woke_others(probes[number].wakes(), woken));
        }
    }
    Ok(())
}

/// Awaited before the end or not, and again after it. The handle is kept all the while, and with it the slot.
fn no_waker_is_left() -> Verdict {
    for number in 0..TASKS {
        let probes = [Probe::new(), Probe::new()];
        let mut made = Made::new(number, number % 4, End::Value);
        if number % 2 == 0 && probes[0].with_waker(|waker| made.await_once(waker)).is_err() {
            return Ok(());
        }
        // An end that does not come, or comes with a panic, is another rule's.
        if !matches!(made.finish(), Ok(true)) {
            return Ok(());
        }
        if probes[0].alive() > 0 {
            return Err(messages::waker_left_at_the_end().to_owned());
        }
        let _ = probes[1].with_waker(|waker| made.await_once(waker));
        if made.result.is_some() && probes[1].alive() > 0 {
            return Err(messages::waker_left_by_the_last_poll().to_owned());
        }
    }
    Ok(())
}

fn wakes_the_latest() -> Verdict {
    only(&[Breach::WokeTheOldWaker, Breach::KeptOneWakerPerPoll])
}

/// What came of a task in one run.
struct Seen {
    /// A panic came out of the work.
    escaped: bool,
    is_over: bool,
    is_woken: bool,
    result: Option<thread::Result<Value>>,
    /// A panic came out of the handle.
    thrown: bool,
}

/// One task that ends so, awaited before it or not, with its handle kept or not.
fn run(number: usize, end: End) -> Seen {
    let probe = Probe::new();
    let mut made = Made::new(number, number % 4, end);
    let await_it = |made: &mut Made| probe.with_waker(|waker| made.await_once(waker)).is_err();
    let mut thrown = number % 2 == 0 && await_it(&mut made);
    if number % 3 == 2 {
        let _ = made.let_go();
    }
    let mut is_over = false;
    let mut escaped = false;
    for _ in 0..=number % 4 {
        match made.work(Waker::noop()) {
            Ok(over) => is_over = over,
            Err(_) => {
                escaped = true;
                break;
            }
        }
    }
    let is_woken = probe.wakes() > 0;
    thrown |= await_it(&mut made);
    Seen { escaped, is_over, is_woken, result: made.result.take(), thrown }
}

/// Each task twice, with a value and with a panic. What goes wrong both times is for another rule.
fn a_panic_is_the_result() -> Verdict {
    for number in 0..TASKS {
        let usual = run(number, End::Value);
        let seen = run(number, End::Panic);
        if seen.escaped && !usual.escaped {
            return Err(messages::panic_escaped(number % 4 + 1, number % 3 != 2));
        }
        if seen.thrown && !usual.thrown {
            return Err(messages::handle_panicked().to_owned());
        }
        if usual.is_over && !seen.is_over {
            return Err(messages::not_over_after_a_panic(number % 4 + 1));
        }
        if usual.result.is_some() && seen.result.is_none() || usual.is_woken && !seen.is_woken {
            return Err(messages::panic_swallowed().to_owned());
        }
        let is_own = |panic: Panic| panic.downcast::<Cause>().is_ok_and(|cause| cause.0 == number);
        if matches!(usual.result, Some(Ok(_))) && seen.result.is_some_and(|result| !result.err().is_some_and(is_own)) {
            return Err(messages::other_panic().to_owned());
        }
    }
    Ok(())
}

/// Dropped before the first turn, or after some; awaited before that or not.
fn runs_on_without_its_handle() -> Verdict {
    for number in 0..TASKS {
        let pauses = 2 + number % 4;
        let [usual, alone] = [false, true].map(|is_dropped| {
            let mut made = Made::new(number, pauses, End::Value);
            for _ in 0..number % 3 {
                let _ = made.work(Waker::noop());
            }
            if number % 2 == 0 {
                let _ = made.await_once(Waker::noop());
            }
            let is_let_go = !is_dropped || made.let_go().is_ok();
            let is_fine = made.finish().is_ok();
            // What a poll has given already is with whoever polled.
            drop(made.result.take());
            let is_left = is_dropped && made.work.is_none() && made.life.values.get() > 0;
            (is_let_go, is_fine, made.life.polls.get(), is_left)
        });
        if !alone.0 {
            return Err(messages::panicked_as_it_was_dropped().to_owned());
        }
        if usual.1 && !alone.1 {
            return Err(messages::panicked_without_its_handle().to_owned());
        }
        if usual.2 > alone.2 {
            return Err(messages::stopped_without_its_handle(usual.2, alone.2));
        }
        if alone.3 {
            return Err(messages::result_left_without_its_handle().to_owned());
        }
    }
    Ok(())
}

const WORK: &str = "the work";

fn pending_while_the_future_is() -> Verdict {
    for number in 0..TASKS {
        let pauses = number % 4;
        let mut made = Made::new(number, pauses, End::Value);
        if made.life.polls.get() > 0 {
            return Err(messages::polled_within_task(made.life.polls.get()));
        }
        for poll in 1..=pauses + 1 {
            let before = made.life.polls.get();
            let polled = made.work(Waker::noop());
            match made.life.polls.get() - before {
                0 => return Err(messages::future_not_polled(poll)),
                1 => {}
                again => return Err(messages::polled_on(WORK, poll, again - 1)),
            }
            match (polled, made.life.is_over.get()) {
                (Ok(true), false) => return Err(messages::ready_too_soon(WORK, poll)),
                (Ok(false), true) => return Err(messages::work_goes_on(poll)),
                // A panic is for the rule in whose check it comes first.
                _ => {}
            }
        }
    }
    Ok(())
}

fn hands_its_context_on() -> Verdict {
    for number in 0..TASKS {
        let pauses = number % 4;
        let mut made = Made::new(number, pauses, End::Value);
        for poll in 1..=pauses + 1 {
            let (before, probe) = (made.life.polls.get(), Probe::new());
            let _ = probe.with_waker(|waker| made.work(waker));
            messages::wakes_in_poll(WORK, poll, made.life.polls.get() - before, probe.wakes())?;
        }
    }
    Ok(())
}
