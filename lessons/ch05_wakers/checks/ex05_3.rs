//! The check of exercise 5.3.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex05_3.rs"]
mod exercise;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::ThreadId;

use atomic::{AtomicBool, Ordering};
use checker::{Verdict, messages};
use exercise::{block_on, reproduce};
use world::{Choices, End, Moment, Step, World, run};

fn main() -> ExitCode {
    checker::run("ex05_3", &[("5.5", a_wake_during_a_poll_is_kept), ("5.6", a_call_is_kept_and_looked_for)])
}

/// So many pauses has a future whose run is not gone through in every order.
const PAUSES: usize = 24;

/// More polls than a future of the student's needs.
const MOST_POLLS: usize = 1000;

/// The flag, as the exercise sees it. Each operation is a step at which somebody else can come in.
mod atomic {
    pub use std::sync::atomic::Ordering;

    use super::world::{Step, step};

    #[derive(Debug, Default)]
    pub struct AtomicBool(std::sync::atomic::AtomicBool);

    impl AtomicBool {
        pub const fn new(value: bool) -> Self {
            AtomicBool(std::sync::atomic::AtomicBool::new(value))
        }

        pub fn load(&self, order: Ordering) -> bool {
            step(Step::flag("load", None), || self.0.load(order))
        }

        pub fn store(&self, value: bool, order: Ordering) {
            step(Step::flag("store", Some(value)), || {
                self.0.store(value, order);
                value
            });
        }

        pub fn swap(&self, value: bool, order: Ordering) -> bool {
            step(Step::flag("swap", Some(value)), || self.0.swap(value, order))
        }

        pub fn fetch_or(&self, value: bool, order: Ordering) -> bool {
            step(Step::flag("fetch_or", Some(value)), || self.0.fetch_or(value, order))
        }

        pub fn fetch_and(&self, value: bool, order: Ordering) -> bool {
            step(Step::flag("fetch_and", Some(value)), || self.0.fetch_and(value, order))
        }

        pub fn compare_exchange(&self, old: bool, new: bool, order: Ordering, other: Ordering) -> Result<bool, bool> {
            let exchange = || self.0.compare_exchange(old, new, order, other).unwrap_or_else(|seen| seen);
            let seen = step(Step::flag("compare_exchange", Some(new)), exchange);
            if seen == old { Ok(seen) } else { Err(seen) }
        }
    }
}

/// The thread, as the exercise sees it: there is one that parks.
mod thread {
    use super::world::{self, Step, step};

    #[derive(Clone, Debug)]
    pub struct Thread(());

    pub fn current() -> Thread {
        Thread(())
    }

    pub fn park() {
        world::park();
    }

    impl Thread {
        pub fn unpark(&self) {
            step(Step::of("unpark"), world::put_the_token_there);
        }
    }
}

/// One thread that polls and parks, and a caller beside it whose steps come in between.
///
/// The caller is no thread. To let it make one step more, its `wake` is called from the beginning: what it has done
/// before is answered from a list, the next operation is done, and the one after that unwinds. So any code of `wake` stops
/// between any two operations, and the same choices give the same run.
mod world {
    use std::cell::{Cell, RefCell};
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::rc::Rc;
    use std::task::Waker;

    /// No thread does so many things while nothing happens; past it the run is ended from within.
    const TOO_MANY: usize = 1000;

    /// How a run ended that did not end in a result.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum End {
        SleepsForEver,
        /// So many operations without a poll, and nobody else did anything.
        Spins(usize),
        /// Another poll, and nobody had called for it.
        PolledInVain,
        StaysInWake(usize),
    }

    /// The caller's next operation is not for now.
    struct NotYet;

    /// An operation on the flag or on the thread.
    #[derive(Clone, Copy, Debug)]
    pub struct Step {
        pub name: &'static str,
        pub argument: Option<bool>,
        pub result: Option<bool>,
        pub is_callers: bool,
        is_flags: bool,
    }

    impl Step {
        pub fn of(name: &'static str) -> Self {
            Step { name, argument: None, result: None, is_callers: false, is_flags: false }
        }

        pub fn flag(name: &'static str, argument: Option<bool>) -> Self {
            Step { argument, is_flags: true, ..Step::of(name) }
        }
    }

    /// When the caller comes in.
    pub enum Moment {
        /// While the thread sleeps, with all its calls at a time; before that `park` returns so often without a reason.
        Asleep { returns: usize },
        /// Between any two steps, one step at a time, as is chosen; `park` may return so often without a reason.
        Chosen { choices: Rc<Choices>, returns: usize },
    }

    /// What is chosen in a run, and after that what has not been chosen yet.
    #[derive(Default)]
    pub struct Choices {
        made: RefCell<Vec<bool>>,
        at: Cell<usize>,
    }

    impl Choices {
        fn next(&self) -> bool {
            let mut made = self.made.borrow_mut();
            let at = self.at.replace(self.at.get() + 1);
            if at == made.len() {
                made.push(false);
            }
            made[at]
        }

        /// Goes on to the next run. `false`: there was each one.
        pub fn advance(&self) -> bool {
            self.at.set(0);
            let mut made = self.made.borrow_mut();
            while let Some(last) = made.pop() {
                if !last {
                    made.push(true);
                    return true;
                }
            }
            false
        }
    }

    /// A `wake` that has begun: what its operations so far have returned.
    struct Call {
        waker: Waker,
        done: Vec<bool>,
    }

    pub struct World {
        moment: Moment,
        has_token: Cell<bool>,
        /// How often `park` has returned without a reason since somebody called.
        returned: Cell<usize>,
        /// What the future has left.
        pub waker: RefCell<Option<Waker>>,
        /// How many of the results are there for which the future waits.
        pub results: Cell<usize>,
        /// How often the waker is called after each of the results that are to come.
        to_come: RefCell<Vec<usize>>,
        /// The calls that are to be made, and the one that is being made.
        calls: Cell<usize>,
        call: RefCell<Option<Call>>,
        /// While a poll calls the waker.
        is_calling: Cell<bool>,
        /// While the caller runs: the place of its next operation, and whether it has made its step.
        caller: Cell<Option<(usize, bool)>>,
        /// Wakes that had begun.
        pub begun: Cell<usize>,
        pub polls: Cell<usize>,
        pub uses_of_the_flag: Cell<usize>,
        idle: Cell<usize>,
        /// Those since the last poll.
        pub steps: RefCell<Vec<Step>>,
    }

    thread_local! {
        static HERE: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
    }

    fn here() -> Option<Rc<World>> {
        if std::thread::panicking() {
            return None;
        }
        HERE.with_borrow(Clone::clone)
    }

    /// Whether the run ended with a result.
    pub fn run(world: &Rc<World>, code: impl FnOnce()) -> Result<(), End> {
        HERE.set(Some(world.clone()));
        let end = catch_unwind(AssertUnwindSafe(code));
        HERE.set(None);
        end.map_err(|payload| match payload.downcast::<End>() {
            Ok(end) => *end,
            Err(payload) => resume_unwind(payload),
        })
    }

    /// One operation. Outside of a run it is nothing else.
    pub fn step(step: Step, operation: impl FnOnce() -> bool) -> bool {
        match here() {
            None => operation(),
            Some(world) if world.caller.get().is_some() => world.step_of_the_caller(step, operation),
            Some(world) => {
                world.let_the_caller_in();
                world.has_done(step.is_flags);
                let result = operation();
                world.steps.borrow_mut().push(Step { result: Some(result), ..step });
                result
            }
        }
    }

    pub fn put_the_token_there() -> bool {
        if let Some(world) = here() {
            world.has_token.set(true);
        }
        true
    }

    pub fn park() {
        let Some(world) = here() else { return };
        // In a `wake` it returns at once, as `park` may: whoever calls a waker is not the thread that this is about.
        if world.caller.get().is_some() {
            step(Step::of("park"), || true);
            return;
        }
        world.let_the_caller_in();
        world.has_done(false);
        world.steps.borrow_mut().push(Step::of("park"));
        while !world.has_token.replace(false) {
            if world.returns_without_a_reason() {
                return;
            }
            let did_something = match world.moment {
                Moment::Asleep { .. } => world.next_result_and_all_its_calls(),
                Moment::Chosen { .. } => world.next_step_of_the_caller(),
            };
            if !did_something {
                resume_unwind(Box::new(End::SleepsForEver));
            }
        }
    }

    impl World {
        /// So many results are to come, each with so many calls.
        pub fn new(moment: Moment, mut to_come: Vec<usize>) -> Rc<Self> {
            to_come.reverse();
            Rc::new(World {
                moment,
                has_token: Cell::default(),
                returned: Cell::default(),
                waker: RefCell::default(),
                results: Cell::default(),
                to_come: RefCell::new(to_come),
                calls: Cell::default(),
                call: RefCell::default(),
                is_calling: Cell::default(),
                caller: Cell::default(),
                begun: Cell::default(),
                polls: Cell::default(),
                uses_of_the_flag: Cell::default(),
                idle: Cell::default(),
                steps: RefCell::default(),
            })
        }

        /// A poll begins.
        pub fn begin_poll(&self) {
            self.let_the_caller_in();
            self.polls.set(self.polls.get() + 1);
            if self.polls.get() > self.begun.get() + 1 {
                resume_unwind(Box::new(End::PolledInVain));
            }
            self.idle.set(0);
            self.steps.borrow_mut().clear();
            // A token left over would let `park` return without a reason: where nothing is chosen, it does not.
            if let Moment::Asleep { .. } = self.moment {
                self.has_token.set(false);
            }
        }

        /// A poll calls the waker.
        pub fn call(&self, waker: &Waker) {
            self.begun.set(self.begun.get() + 1);
            self.is_calling.set(true);
            waker.wake_by_ref();
            self.is_calling.set(false);
        }

        fn has_done(&self, is_flags: bool) {
            self.uses_of_the_flag.set(self.uses_of_the_flag.get() + usize::from(is_flags));
            self.idle.set(self.idle.get() + 1);
            if self.idle.get() > TOO_MANY {
                let end = if self.is_calling.get() { End::StaysInWake } else { End::Spins };
                resume_unwind(Box::new(end(TOO_MANY)));
            }
        }

        fn let_the_caller_in(&self) {
            if let Moment::Chosen { choices, .. } = &self.moment {
                while self.has_more_to_do() && choices.next() {
                    self.next_step_of_the_caller();
                }
            }
        }

        fn returns_without_a_reason(&self) -> bool {
            let returns = match &self.moment {
                Moment::Asleep { returns } => self.returned.get() < *returns && self.has_more_to_do(),
                Moment::Chosen { choices, returns } => self.returned.get() < *returns && choices.next(),
            };
            if returns {
                self.returned.set(self.returned.get() + 1);
                self.steps.borrow_mut().push(Step::of("nothing"));
            }
            returns
        }

        fn has_more_to_do(&self) -> bool {
            self.calls.get() > 0 || !self.to_come.borrow().is_empty()
        }

        fn next_result_and_all_its_calls(&self) -> bool {
            self.returned.set(0);
            let is_one = self.next_step_of_the_caller();
            while self.calls.get() > 0 {
                self.next_step_of_the_caller();
            }
            is_one
        }

        /// A result comes and its waker is taken, or a call goes on to its next operation.
        fn next_step_of_the_caller(&self) -> bool {
            self.idle.set(0);
            if self.calls.get() == 0 {
                let Some(calls) = self.to_come.borrow_mut().pop() else { return false };
                self.results.set(self.results.get() + 1);
                // A future that has not been polled for the last result sees this one together with that.
                if let Some(waker) = self.waker.take() {
                    self.calls.set(calls);
                    *self.call.borrow_mut() = Some(Call { waker, done: Vec::new() });
                }
                return true;
            }
            let waker = self.call.borrow().as_ref().map(|call| call.waker.clone()).expect("a call is to be made");
            if self.call.borrow().as_ref().is_some_and(|call| call.done.is_empty()) {
                self.begun.set(self.begun.get() + 1);
            }
            self.caller.set(Some((0, false)));
            let end = catch_unwind(AssertUnwindSafe(|| waker.wake()));
            self.caller.set(None);
            match end {
                Ok(()) => {
                    self.calls.set(self.calls.get() - 1);
                    let call = self.call.take().filter(|_| self.calls.get() > 0);
                    self.call.replace(call.map(|call| Call { done: Vec::new(), ..call }));
                }
                Err(payload) if payload.is::<NotYet>() => {}
                Err(payload) => resume_unwind(payload),
            }
            true
        }

        fn step_of_the_caller(&self, step: Step, operation: impl FnOnce() -> bool) -> bool {
            let (place, has_made_its_step) = self.caller.get().expect("the caller runs");
            let done = self.call.borrow().as_ref().and_then(|call| call.done.get(place).copied());
            if let Some(result) = done {
                self.caller.set(Some((place + 1, false)));
                return result;
            }
            if has_made_its_step {
                resume_unwind(Box::new(NotYet));
            }
            if place > TOO_MANY {
                resume_unwind(Box::new(End::StaysInWake(TOO_MANY)));
            }
            let result = operation();
            if let Some(call) = self.call.borrow_mut().as_mut() {
                call.done.push(result);
            }
            self.caller.set(Some((place + 1, true)));
            self.steps.borrow_mut().push(Step { result: Some(result), is_callers: true, ..step });
            result
        }
    }
}

/// What happens in each poll but the last.
#[derive(Clone, Copy, PartialEq)]
enum During {
    /// The waker is kept, and called when a result comes.
    Nothing,
    /// The waker is called so many times.
    Calls(usize),
    /// The waker is called, and then other code in the poll parks for a reason of its own.
    CallAndPark,
}

/// A future that is pending so many times, and each time until its waker is called.
fn pauses(world: &Rc<World>, during: Vec<During>) -> impl Future<Output = ()> {
    let (world, mut place, mut taken) = (world.clone(), 0, 0);
    poll_fn(move |context| {
        world.begin_poll();
        while let Some(now) = during.get(place) {
            if let During::Nothing = now {
                if world.results.get() == taken {
                    *world.waker.borrow_mut() = Some(context.waker().clone());
                    return Poll::Pending;
                }
                taken += 1;
                place += 1;
                continue;
            }
            place += 1;
            let calls = if let During::Calls(times) = now { *times } else { 1 };
            for _ in 0..calls {
                world.call(context.waker());
            }
            if let During::CallAndPark = now {
                thread::park();
            }
            return Poll::Pending;
        }
        Poll::Ready(())
    })
}

fn a_wake_during_a_poll_is_kept() -> Verdict {
    reproduction()?;
    no_wake_is_lost().map_err(|seen| messages::block_on_is_next(&seen))
}

/// Calls in the polls, and while the thread sleeps, once and several times.
fn no_wake_is_lost() -> Verdict {
    let mixed: Vec<During> =
        (0..PAUSES).map(|place| if place % 3 == 0 { During::Nothing } else { During::Calls(place % 3) }).collect();
    for during in [vec![During::Calls(1); PAUSES], vec![During::Calls(3); PAUSES], vec![During::Nothing; PAUSES], mixed]
    {
        let from_outside = during.iter().filter(|during| **during == During::Nothing).count();
        let world = World::new(Moment::Asleep { returns: 0 }, (0..from_outside).map(|place| 1 + place % 3).collect());
        let end = run(&world, || block_on(pauses(&world, during)));
        let polls = world.polls.get();
        match end {
            Err(end) => return Err(ended(end, &world)),
            Ok(()) if polls != PAUSES + 1 => return Err(messages::polled_so_often(PAUSES + 1, polls)),
            Ok(()) => {}
        }
    }
    Ok(())
}

fn ended(end: End, world: &World) -> String {
    let polls = world.polls.get();
    match end {
        End::SleepsForEver => messages::sleeps_for_ever(polls),
        End::Spins(operations) => messages::waits_without_sleeping(polls, operations),
        End::PolledInVain => messages::polled_in_vain(polls, world.begun.get()),
        End::StaysInWake(operations) => messages::wake_has_no_end(operations),
    }
}

fn a_call_is_kept_and_looked_for() -> Verdict {
    // Whether a wake during a poll is kept at all is rule 5.5's.
    if no_wake_is_lost().is_err() {
        return Ok(());
    }
    let world = World::new(Moment::Asleep { returns: 0 }, vec![]);
    if run(&world, || block_on(pauses(&world, vec![During::CallAndPark; PAUSES]))) == Err(End::SleepsForEver) {
        return Err(messages::token_was_taken(world.polls.get()));
    }
    let world = World::new(Moment::Asleep { returns: 2 }, vec![1; PAUSES]);
    let end = run(&world, || block_on(pauses(&world, vec![During::Nothing; PAUSES])));
    match end {
        Err(End::PolledInVain) => return Err(messages::did_not_look(world.polls.get())),
        Err(end) => return Err(ended(end, &world)),
        Ok(()) => {}
    }
    for (pauses, returns) in [(1, 0), (1, 2), (2, 0), (2, 1)] {
        in_every_order(pauses, returns)?;
    }
    Ok(())
}

/// Another thread comes in between any two steps, and stops between any two of its own.
fn in_every_order(results: usize, returns: usize) -> Verdict {
    let choices = Rc::new(Choices::default());
    loop {
        let world = World::new(Moment::Chosen { choices: choices.clone(), returns }, vec![1; results]);
        let end = run(&world, || block_on(pauses(&world, vec![During::Nothing; results])));
        match end {
            Err(End::SleepsForEver) => {
                let (polls, unparks_first) = (world.polls.get(), unparks_first(&world));
                return Err(messages::forgets_in_this_order(polls, &order(&world), unparks_first));
            }
            Err(End::PolledInVain) => return Err(messages::polls_in_this_order(world.polls.get(), &order(&world))),
            Err(end) => return Err(ended(end, &world)),
            Ok(()) if world.polls.get() > 1 && world.uses_of_the_flag.get() == 0 => {
                return Err(messages::has_another_flag().to_owned());
            }
            Ok(()) => {}
        }
        if !choices.advance() {
            return Ok(());
        }
    }
}

/// The steps since the last poll, in words.
fn order(world: &World) -> Vec<String> {
    let told = |step: &Step| messages::step(step.is_callers, step.name, step.argument, step.result);
    world.steps.borrow().iter().map(told).collect()
}

/// Whether the caller came to the thread before it came to the flag.
fn unparks_first(world: &World) -> bool {
    let steps = world.steps.borrow();
    let place = |name: &str| steps.iter().position(|step| step.is_callers && step.name == name);
    place("unpark").zip(place("store")).is_some_and(|(unpark, store)| unpark < store)
}

/// The student's future: each time that it is pending it has called its waker, and the `block_on` that was handed out
/// forgets the call.
fn reproduction() -> Verdict {
    let mut future = reproduce();
    let mut polls = 0;
    loop {
        let before = told::calls();
        polls += 1;
        if told::with_waker(|waker| future.as_mut().poll(&mut Context::from_waker(waker)).is_ready()) {
            break;
        }
        if told::calls() == before {
            return Err(messages::reproduces_nothing_called(polls, told::is_given_away()));
        }
        if polls == MOST_POLLS {
            return Err(messages::reproduces_without_end(polls));
        }
    }
    match run(&World::new(Moment::Asleep { returns: 0 }, vec![]), || handed_out(reproduce())) {
        Err(End::SleepsForEver) => Ok(()),
        _ => Err(messages::reproduces_no_lost_wake(polls)),
    }
}

struct Signal {
    is_called: AtomicBool,
    thread: thread::Thread,
    owner: ThreadId,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        // When a thread of the student's comes is luck, and the verdict must not depend on it.
        if std::thread::current().id() == self.owner {
            self.is_called.store(true, Ordering::SeqCst);
            self.thread.unpark();
        }
    }
}

/// The `block_on` that was handed out.
fn handed_out(future: Pin<Box<dyn Future<Output = ()>>>) {
    let (is_called, thread, owner) = (AtomicBool::new(false), thread::current(), std::thread::current().id());
    let signal = Arc::new(Signal { is_called, thread, owner });
    let waker = Waker::from(signal.clone());
    let mut future = pin!(future);
    while future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        signal.is_called.store(false, Ordering::SeqCst);
        while !signal.is_called.load(Ordering::SeqCst) {
            thread::park();
        }
    }
}

/// A waker that counts what this thread does with it. What other threads do depends on luck, but what has not ended here
/// was given away.
mod told {
    use std::cell::Cell;
    use std::mem::ManuallyDrop;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{RawWaker, RawWakerVTable, Waker};

    thread_local! {
        static IS_HERE: Cell<bool> = const { Cell::new(false) };
        static CALLS: Cell<usize> = const { Cell::new(0) };
        /// Clones that were made here, less those that were called or dropped here.
        static CLONES: Cell<isize> = const { Cell::new(0) };
    }

    static WAS_CALLED_ELSEWHERE: AtomicBool = AtomicBool::new(false);

    static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

    #[allow(unsafe_code)]
    pub fn with_waker<R>(code: impl FnOnce(&Waker) -> R) -> R {
        IS_HERE.set(true);
        // SAFETY: the four functions follow no pointer, and count in what belongs to their thread or is atomic.
        let lent = ManuallyDrop::new(unsafe { Waker::new(std::ptr::null(), &TABLE) });
        code(&lent)
    }

    /// How often one was called on this thread.
    pub fn calls() -> usize {
        CALLS.get()
    }

    /// Whether a clone is kept or with another thread, or was called on one.
    pub fn is_given_away() -> bool {
        CLONES.get() > 0 || WAS_CALLED_ELSEWHERE.load(Ordering::SeqCst)
    }

    fn clone(_: *const ()) -> RawWaker {
        CLONES.set(CLONES.get() + 1);
        RawWaker::new(std::ptr::null(), &TABLE)
    }

    fn wake(pointer: *const ()) {
        wake_by_ref(pointer);
        release(pointer);
    }

    fn wake_by_ref(_: *const ()) {
        CALLS.set(CALLS.get() + 1);
        if !IS_HERE.get() {
            WAS_CALLED_ELSEWHERE.store(true, Ordering::SeqCst);
        }
    }

    fn release(_: *const ()) {
        CLONES.set(CLONES.get() - 1);
    }
}
