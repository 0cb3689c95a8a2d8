//! Threads without threads: `Mutex`, `Condvar` and `AtomicBool`, used as those of std are, and a run in every order of the
//! operations on them. The value in a `Mutex` is `Clone` and `Debug`; of its functions there are `new` and `lock`.
//!
//! One thread of a run is the one that calls, the others are code that is called again and again. To let such a thread make
//! one step more, its code is called from the beginning: what it has done before is answered from a list, the next
//! operation is done, and the one after that unwinds. So any code stops before any operation, and the same choices give
//! the same run. A run that comes to a state that was there before is not gone on with.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, Location, catch_unwind as std_catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LockResult};

use super::{Verdict, messages};

/// No run of a check has so many steps; past it the run is ended from within.
const TOO_MANY: usize = 1_000;

/// Nor has any thread whose code is called again and again.
const MANY: usize = 60;

/// How a run ended that did not end in a verdict of its own.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// Nobody can go on: who waits, and for what.
    Stuck(Vec<(usize, Waits)>),
    /// The lines of both.
    LockedTwice(u32, u32),
    Endless(usize),
    /// The order that was asked for has a step that this thread cannot make: its number, and the thread.
    NotPossible(usize, usize),
    Broken(String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Waits {
    /// To be notified, in this line.
    Asleep(u32),
    /// For a lock in `line`, which `holder` has had since the other one.
    ForALock { line: u32, holder: usize, since: u32 },
    /// For something of the check's.
    Else,
}

/// An end, the order of the steps that led to it, and the thread whose code ran then.
#[derive(Debug)]
pub struct Trouble {
    pub end: End,
    pub order: String,
    pub thread: usize,
}

/// A guard was dropped behind which the value had changed.
#[derive(Clone, Debug)]
pub struct Write {
    lock: Id,
    pub thread: usize,
    /// Where the lock was taken.
    pub line: u32,
    /// What it is now.
    pub value: String,
}

impl Write {
    pub fn is_behind_the_same_lock(&self, other: &Write) -> bool {
        self.lock == other.lock
    }
}

/// The thread's next operation is not for now.
struct NotYet;

struct Raised(End);

/// There was this state before.
struct Seen;

/// Which thread made it, and how many it had made before.
type Id = (usize, usize);

/// What has to be so that an operation can be done.
#[derive(Clone)]
enum Need {
    Nothing,
    Lock(Id, u32),
    Notified(Id, u32),
    When(Rc<dyn Fn() -> bool>),
    AllOver,
}

struct Thread {
    name: &'static str,
    body: Box<dyn Fn()>,
    /// What its operations have returned.
    log: RefCell<Vec<Rc<dyn Any>>>,
    at: Cell<usize>,
    has_made_its_step: Cell<bool>,
    /// How many locks and the like it has made.
    made: Cell<usize>,
    next: RefCell<Need>,
    is_over: Cell<bool>,
    /// Of all that it has done and seen.
    hash: Cell<u64>,
}

impl Thread {
    fn new(name: &'static str, body: Box<dyn Fn()>) -> Rc<Self> {
        Rc::new(Thread {
            name,
            body,
            log: RefCell::default(),
            at: Cell::default(),
            has_made_its_step: Cell::default(),
            made: Cell::default(),
            next: RefCell::new(Need::Nothing),
            is_over: Cell::default(),
            hash: Cell::default(),
        })
    }
}

#[derive(Clone, Debug, Hash)]
struct Sleeper {
    thread: usize,
    condvar: Id,
    lock: Id,
    is_notified: bool,
}

/// What is chosen in a run, of how many, and after that what has not been chosen yet.
#[derive(Default)]
struct Choices {
    made: RefCell<Vec<(usize, usize)>>,
    at: Cell<usize>,
    states: RefCell<HashSet<u64>>,
}

impl Choices {
    /// Goes on to the next run. `false`: there was each one.
    fn advance(&self) -> bool {
        self.at.set(0);
        let mut made = self.made.borrow_mut();
        while let Some((chosen, of)) = made.pop() {
            if chosen + 1 < of {
                made.push((chosen + 1, of));
                return true;
            }
        }
        false
    }
}

struct World {
    choices: Rc<Choices>,
    /// Whose step comes when, where that is asked for.
    order: Option<Vec<usize>>,
    threads: RefCell<Vec<Rc<Thread>>>,
    running: Cell<usize>,
    stores: RefCell<HashMap<Id, Box<dyn Any>>>,
    /// Who has it, and since which line.
    held: RefCell<HashMap<Id, (usize, u32)>>,
    /// What is in each of them.
    shown: RefCell<BTreeMap<Id, String>>,
    writes: RefCell<Vec<Write>>,
    sleepers: RefCell<Vec<Sleeper>>,
    /// How often a `wait` may still return without a reason.
    returns: Cell<usize>,
    steps: Cell<usize>,
    trace: RefCell<Vec<(usize, u32)>>,
    /// Something of this file unwinds, or the run is over: nothing counts any more.
    is_left: Cell<bool>,
    is_over: Cell<bool>,
}

thread_local! {
    static HERE: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
    /// A copy of this file's is dropped, and not a value of the exercise's.
    static IS_A_COPY: Cell<bool> = const { Cell::new(false) };
}

fn here() -> Rc<World> {
    HERE.with_borrow(Clone::clone).expect("this is used in a run")
}

/// Whether what happens now is no part of the run: a copy is dropped, or the run is being left.
pub fn is_outside() -> bool {
    IS_A_COPY.get() || HERE.with_borrow(|world| world.as_ref().is_none_or(|world| world.is_left.get()))
}

fn drop_copy<T>(copy: T) {
    let before = IS_A_COPY.replace(true);
    drop(copy);
    IS_A_COPY.set(before);
}

fn hash_of(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Calls `run` for every order of the steps of its threads. In a run a `wait` returns so often without a reason.
///
/// # Errors
/// How the first run ended in which something is wrong.
pub fn in_every_order(returns: usize, run: impl Fn() -> Verdict) -> Result<(), Trouble> {
    let choices = Rc::new(Choices::default());
    loop {
        one_run(choices.clone(), None, returns, &run)?;
        if !choices.advance() {
            return Ok(());
        }
    }
}

/// Calls `run` once; whose step comes when is said in `order`, 0 being the thread that calls. Only the operations that
/// stand in the exercise are counted.
///
/// # Errors
/// How it ended.
pub fn in_this_order(order: Vec<usize>, run: impl Fn() -> Verdict) -> Result<(), Trouble> {
    one_run(Rc::default(), Some(order), 0, &run)
}

fn one_run(
    choices: Rc<Choices>,
    order: Option<Vec<usize>>,
    returns: usize,
    run: &dyn Fn() -> Verdict,
) -> Result<(), Trouble> {
    let world = Rc::new(World {
        choices,
        order,
        threads: RefCell::new(vec![Thread::new("the loop", Box::new(|| {}))]),
        running: Cell::default(),
        stores: RefCell::default(),
        held: RefCell::default(),
        shown: RefCell::default(),
        writes: RefCell::default(),
        sleepers: RefCell::default(),
        returns: Cell::new(returns),
        steps: Cell::default(),
        trace: RefCell::default(),
        is_left: Cell::default(),
        is_over: Cell::default(),
    });
    HERE.set(Some(world.clone()));
    let end = std_catch_unwind(AssertUnwindSafe(run));
    world.is_left.set(true);
    world.is_over.set(true);
    let told = world.told();
    // What is dropped with it may still use this file.
    let (stores, threads) = (world.stores.take(), world.threads.take());
    threads.iter().for_each(|thread| drop_copy(thread.log.take()));
    drop_copy((stores, threads));
    HERE.set(None);
    let end = match end {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(seen)) => End::Broken(seen),
        Err(payload) => match payload.downcast::<Raised>() {
            Ok(raised) => raised.0,
            Err(payload) if payload.is::<Seen>() => return Ok(()),
            Err(payload) => resume_unwind(payload),
        },
    };
    Err(Trouble { end, order: messages::order_of_lines(&told), thread: world.running.get() })
}

/// One more thread. Its code is called again and again, and all that it shares with others is in this file's locks.
pub fn spawn(name: &'static str, body: impl Fn() + 'static) {
    here().threads.borrow_mut().push(Thread::new(name, Box::new(body)));
}

/// The other threads go on to their ends. After that nothing is a part of the run.
pub fn finish() {
    step(None, Need::AllOver, |_: &()| String::new(), |_| ());
    here().is_over.set(true);
    here().is_left.set(true);
}

/// The number of the thread that runs: 0 is the one that called.
pub fn current() -> usize {
    here().running.get()
}

/// The name that `spawn` was given.
pub fn name(thread: usize) -> &'static str {
    here().threads.borrow()[thread].name
}

/// How many locks and the like the thread that runs has made.
pub fn made() -> usize {
    let world = here();
    let threads = world.threads.borrow();
    threads[world.running.get()].made.get()
}

/// How many operations that stand in the exercise have been made.
pub fn operations() -> usize {
    here().trace.borrow().len()
}

/// The line since which the thread that runs has a lock.
pub fn has_a_lock_since() -> Option<u32> {
    let world = here();
    let held = world.held.borrow();
    held.values().filter(|(holder, _)| *holder == world.running.get()).map(|(_, line)| *line).min()
}

/// What was changed behind locks so far, in order.
pub fn writes() -> Vec<Write> {
    here().writes.borrow().clone()
}

/// A step of the check's: what it does is done once, whatever is called again, and what it returns is kept.
pub fn once<R: Clone + Debug + 'static>(act: impl FnOnce() -> R) -> R {
    step(None, Need::Nothing, |result| format!("{result:?}"), |_| act())
}

/// Waits for something of the check's.
pub fn wait_until(condition: impl Fn() -> bool + 'static) {
    step(None, Need::When(Rc::new(condition)), |_: &()| String::new(), |_| ());
}

/// A panic that was caught.
#[derive(Clone)]
pub struct Panic(Arc<std::sync::Mutex<Option<Box<dyn Any + Send>>>>);

impl Panic {
    /// What was given to `panic!`.
    pub fn text(&self) -> Option<String> {
        let payload = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        super::text_of(&**payload.as_ref()?).map(str::to_owned)
    }
}

impl Debug for Panic {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Panic({:?})", self.text())
    }
}

/// As that of std, for a panic that can be cloned.
///
/// # Errors
/// The panic.
pub fn catch_unwind<R>(code: impl FnOnce() -> R) -> Result<R, Panic> {
    std_catch_unwind(AssertUnwindSafe(code)).map_err(|payload| {
        let is_ours = payload.is::<Raised>() || payload.is::<NotYet>() || payload.is::<Seen>();
        if is_ours { resume_unwind(payload) } else { Panic(Arc::new(std::sync::Mutex::new(Some(payload)))) }
    })
}

/// One operation of the thread that runs. `show`: what it returned, in words. A destructor may come here when its thread is
/// unwound by this file, which is no part of the run: then `act` has to change nothing.
fn step<R: Clone + 'static>(
    line: Option<u32>,
    need: Need,
    show: impl Fn(&R) -> String,
    act: impl FnOnce(&World) -> R,
) -> R {
    let world = here();
    if world.is_left.get() {
        // Somebody has caught what unwinds.
        if !world.is_over.get() && !std::thread::panicking() {
            resume_unwind(Box::new(Raised(End::Endless(world.steps.get()))));
        }
        return act(&world);
    }
    let number = world.running.get();
    let thread = world.threads.borrow()[number].clone();
    if number > 0 {
        let done = thread.log.borrow().get(thread.at.get()).cloned();
        if let Some(done) = done {
            thread.at.set(thread.at.get() + 1);
            return done.downcast_ref::<R>().expect("the same code does the same").clone();
        }
    }
    // What runs while a thread panics cannot be left: it makes all its steps at a time.
    // Between a step of the check's and the one before it nobody has to come in: nothing of the exercise's is seen there.
    let is_own = line.is_none() && matches!(need, Need::Nothing) && (number == 0 || thread.has_made_its_step.get());
    if !std::thread::panicking() && !is_own {
        if let Need::Lock(lock, line) = need {
            if let Some((_, since)) = world.held.borrow().get(&lock).filter(|(holder, _)| *holder == number) {
                world.raise(End::LockedTwice(*since, line));
            }
        }
        if number == 0 {
            world.let_others_in(&need);
        } else if thread.has_made_its_step.replace(true) {
            *thread.next.borrow_mut() = need;
            world.is_left.set(true);
            resume_unwind(Box::new(NotYet));
        }
    }
    world.steps.set(world.steps.get() + 1);
    if !std::thread::panicking() {
        for (steps, most) in [(world.steps.get(), TOO_MANY), (thread.log.borrow().len(), MANY)] {
            if steps > most {
                world.raise(End::Endless(most));
            }
        }
    }
    if let Some(line) = line {
        world.trace.borrow_mut().push((number, line));
    }
    let result = act(&world);
    thread.hash.set(hash_of((thread.hash.get(), line, show(&result))));
    if number > 0 {
        thread.log.borrow_mut().push(Rc::new(result.clone()));
        thread.at.set(thread.at.get() + 1);
    }
    result
}

impl World {
    fn raise(&self, end: End) -> ! {
        self.is_left.set(true);
        resume_unwind(Box::new(Raised(end)))
    }

    /// Steps of other threads, as is chosen, until it is the turn of the one that called.
    fn let_others_in(&self, need: &Need) {
        loop {
            let threads = self.threads.borrow().clone();
            let others = (1..threads.len())
                .filter(|number| !threads[*number].is_over.get() && self.can(&threads[*number].next.borrow(), *number));
            let can: Vec<usize> = self.can(need, 0).then_some(0).into_iter().chain(others).collect();
            if can.is_empty() {
                self.raise(End::Stuck(self.waiting(need)));
            }
            let place = self.trace.borrow().len();
            let chosen = match self.order.as_ref().and_then(|order| order.get(place)) {
                Some(wanted) if can.contains(wanted) => *wanted,
                Some(wanted) => self.raise(End::NotPossible(place + 1, *wanted)),
                None if self.order.is_some() => can[0],
                None => can[self.choose(can.len())],
            };
            if chosen == 0 {
                return;
            }
            self.go_on(chosen, &threads[chosen]);
        }
    }

    fn choose(&self, of: usize) -> usize {
        if of == 1 {
            return 0;
        }
        let at = self.choices.at.replace(self.choices.at.get() + 1);
        let mut made = self.choices.made.borrow_mut();
        if at == made.len() {
            if !self.choices.states.borrow_mut().insert(self.state()) {
                self.is_left.set(true);
                resume_unwind(Box::new(Seen));
            }
            made.push((0, of));
        }
        made[at].0
    }

    fn state(&self) -> u64 {
        let threads: Vec<u64> = self.threads.borrow().iter().map(|thread| thread.hash.get()).collect();
        let mut held: Vec<(Id, usize)> =
            self.held.borrow().iter().map(|(lock, (holder, _))| (*lock, *holder)).collect();
        held.sort_unstable();
        hash_of((threads, held, &*self.shown.borrow(), &*self.sleepers.borrow(), self.returns.get()))
    }

    fn can(&self, need: &Need, number: usize) -> bool {
        match need {
            Need::Nothing => true,
            Need::Lock(lock, _) => !self.held.borrow().contains_key(lock),
            Need::Notified(lock, _) => {
                let sleepers = self.sleepers.borrow();
                let is_notified = sleepers.iter().any(|sleeper| sleeper.thread == number && sleeper.is_notified);
                (is_notified || self.returns.get() > 0) && !self.held.borrow().contains_key(lock)
            }
            Need::When(condition) => condition(),
            Need::AllOver => self.threads.borrow().iter().skip(1).all(|thread| thread.is_over.get()),
        }
    }

    /// Who waits for what when nobody can go on.
    fn waiting(&self, need: &Need) -> Vec<(usize, Waits)> {
        let held = self.held.borrow();
        let of_lock = |lock: &Id, line: u32| {
            held.get(lock).map(|(holder, since)| Waits::ForALock { line, holder: *holder, since: *since })
        };
        let waits = |need: &Need, number: usize| match need {
            Need::Lock(lock, line) => of_lock(lock, *line).unwrap_or(Waits::Else),
            Need::Notified(lock, line) => {
                let sleepers = self.sleepers.borrow();
                let is_notified = sleepers.iter().any(|sleeper| sleeper.thread == number && sleeper.is_notified);
                of_lock(lock, *line).filter(|_| is_notified).unwrap_or(Waits::Asleep(*line))
            }
            _ => Waits::Else,
        };
        let own = (!matches!(need, Need::AllOver)).then(|| (0, waits(need, 0)));
        let threads = self.threads.borrow();
        let others = (1..threads.len()).filter(|number| !threads[*number].is_over.get());
        own.into_iter().chain(others.map(|number| (number, waits(&threads[number].next.borrow(), number)))).collect()
    }

    /// One step of another thread.
    fn go_on(&self, number: usize, thread: &Rc<Thread>) {
        let before = self.running.replace(number);
        thread.at.set(0);
        thread.made.set(0);
        thread.has_made_its_step.set(false);
        let end = std_catch_unwind(AssertUnwindSafe(|| {
            once(|| ());
            (thread.body)();
        }));
        if !matches!(&end, Err(payload) if !payload.is::<NotYet>()) {
            self.running.set(before);
        }
        match end {
            Ok(()) => thread.is_over.set(true),
            Err(payload) if payload.is::<NotYet>() => self.is_left.set(false),
            Err(payload) => {
                self.is_left.set(true);
                resume_unwind(payload);
            }
        }
    }

    /// Whether what the thread that runs does is done now, and not done again.
    fn is_now(&self) -> bool {
        self.running.get() == 0 || self.threads.borrow()[self.running.get()].has_made_its_step.get()
    }

    fn new_id(&self) -> Id {
        let number = self.running.get();
        let thread = &self.threads.borrow()[number];
        (number, thread.made.replace(thread.made.get() + 1))
    }

    /// Whose steps came in which order, in lines.
    fn told(&self) -> Vec<(&'static str, Vec<u32>)> {
        let mut told: Vec<(&'static str, Vec<u32>)> = Vec::new();
        for (number, line) in &*self.trace.borrow() {
            let name = self.threads.borrow()[*number].name;
            match told.last_mut().filter(|(last, _)| *last == name) {
                Some((_, lines)) => lines.push(*line),
                None => told.push((name, vec![*line])),
            }
        }
        told
    }
}

#[derive(Debug)]
pub struct Mutex<T> {
    id: Id,
    value: Arc<std::sync::Mutex<T>>,
}

#[derive(Debug)]
pub struct Guard<'a, T: Clone + Debug + Send + 'static> {
    lock: &'a Mutex<T>,
    /// `None` when `wait` has it.
    value: Option<T>,
    line: u32,
}

impl<T: Clone + Debug + Send + 'static> Mutex<T> {
    pub fn new(value: T) -> Self {
        let world = here();
        let id = world.new_id();
        let mut stores = world.stores.borrow_mut();
        let there = stores.get(&id).and_then(|store| store.downcast_ref::<Arc<std::sync::Mutex<T>>>()).cloned();
        let value = match there {
            Some(there) => {
                drop_copy(value);
                there
            }
            None => {
                world.shown.borrow_mut().insert(id, format!("{value:?}"));
                let new = Arc::new(std::sync::Mutex::new(value));
                stores.insert(id, Box::new(new.clone()));
                new
            }
        };
        Mutex { id, value }
    }

    fn copy(&self) -> T {
        self.value.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// # Errors
    /// None: a panic poisons nothing here.
    #[track_caller]
    pub fn lock(&self) -> LockResult<Guard<'_, T>> {
        let line = Location::caller().line();
        let value = step(
            Some(line),
            Need::Lock(self.id, line),
            |value| format!("lock {:?} {value:?}", self.id),
            |world| {
                if !world.is_left.get() {
                    world.held.borrow_mut().insert(self.id, (world.running.get(), line));
                }
                self.copy()
            },
        );
        Ok(Guard { lock: self, value: Some(value), line })
    }

    fn release(&self, value: T, line: u32) {
        let world = here();
        if world.is_left.get() || !world.is_now() {
            drop_copy(value);
            return;
        }
        let now = format!("{value:?}");
        if world.shown.borrow_mut().insert(self.id, now.clone()).is_some_and(|before| before != now) {
            let write = Write { lock: self.id, thread: world.running.get(), line, value: now };
            world.writes.borrow_mut().push(write);
        }
        world.held.borrow_mut().remove(&self.id);
        let old = std::mem::replace(&mut *self.value.lock().unwrap_or_else(|poisoned| poisoned.into_inner()), value);
        drop_copy(old);
    }
}

impl<T: Clone + Debug + Default + Send + 'static> Default for Mutex<T> {
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

impl<T: Clone + Debug + Send + 'static> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("it is there until it is dropped")
    }
}

impl<T: Clone + Debug + Send + 'static> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("it is there until it is dropped")
    }
}

impl<T: Clone + Debug + Send + 'static> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            self.lock.release(value, self.line);
        }
    }
}

#[derive(Debug)]
pub struct Condvar {
    id: Id,
}

impl Default for Condvar {
    fn default() -> Self {
        Condvar::new()
    }
}

impl Condvar {
    pub fn new() -> Self {
        Condvar { id: here().new_id() }
    }

    /// # Errors
    /// None.
    #[track_caller]
    pub fn wait<'a, T: Clone + Debug + Send + 'static>(&self, mut guard: Guard<'a, T>) -> LockResult<Guard<'a, T>> {
        let (line, lock, since) = (Location::caller().line(), guard.lock, guard.line);
        let mut value = guard.value.take();
        let falls_asleep = |world: &World| {
            if let Some(value) = value.take() {
                lock.release(value, since);
            }
            if world.is_left.get() {
                return;
            }
            let thread = world.running.get();
            let sleeper = Sleeper { thread, condvar: self.id, lock: lock.id, is_notified: false };
            world.sleepers.borrow_mut().push(sleeper);
        };
        step(Some(line), Need::Nothing, |_| format!("wait {:?}", self.id), falls_asleep);
        drop_copy(value);
        let wakes_up = |world: &World| {
            if world.is_left.get() {
                return lock.copy();
            }
            let thread = world.running.get();
            let is_notified = |sleeper: &Sleeper| sleeper.thread == thread && sleeper.is_notified;
            if !world.sleepers.borrow().iter().any(is_notified) {
                world.returns.set(world.returns.get().saturating_sub(1));
            }
            world.sleepers.borrow_mut().retain(|sleeper| sleeper.thread != thread);
            world.held.borrow_mut().insert(lock.id, (thread, line));
            lock.copy()
        };
        let show = |value: &T| format!("woken {:?} {value:?}", lock.id);
        let value = step(None, Need::Notified(lock.id, line), show, wakes_up);
        Ok(Guard { lock, value: Some(value), line })
    }

    /// # Errors
    /// None.
    #[track_caller]
    pub fn wait_while<'a, T: Clone + Debug + Send + 'static>(
        &self,
        mut guard: Guard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<Guard<'a, T>> {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    #[track_caller]
    pub fn notify_one(&self) {
        self.notify(1);
    }

    #[track_caller]
    pub fn notify_all(&self) {
        self.notify(usize::MAX);
    }

    #[track_caller]
    fn notify(&self, most: usize) {
        let notifies = |world: &World| {
            if world.is_left.get() {
                return;
            }
            let mut sleepers = world.sleepers.borrow_mut();
            let of_this = sleepers.iter_mut().filter(|sleeper| sleeper.condvar == self.id && !sleeper.is_notified);
            of_this.take(most).for_each(|sleeper| sleeper.is_notified = true);
        };
        let show = |_: &()| format!("notify {:?} {most}", self.id);
        step(Some(Location::caller().line()), Need::Nothing, show, notifies);
    }
}

#[derive(Debug)]
pub struct AtomicBool {
    id: Id,
    value: Arc<std::sync::atomic::AtomicBool>,
}

impl AtomicBool {
    pub fn new(value: bool) -> Self {
        let world = here();
        let id = world.new_id();
        let mut stores = world.stores.borrow_mut();
        let there = stores.get(&id).and_then(|store| store.downcast_ref::<Arc<std::sync::atomic::AtomicBool>>());
        let value = there.cloned().unwrap_or_else(|| Arc::new(std::sync::atomic::AtomicBool::new(value)));
        stores.insert(id, Box::new(value.clone()));
        AtomicBool { id, value }
    }

    #[track_caller]
    fn operation(&self, name: &str, act: impl FnOnce(&std::sync::atomic::AtomicBool) -> bool) -> bool {
        let line = Location::caller().line();
        step(
            Some(line),
            Need::Nothing,
            |seen| format!("{name} {:?} {seen}", self.id),
            |world| {
                if world.is_left.get() {
                    return self.value.load(Ordering::SeqCst);
                }
                let seen = act(&self.value);
                world.shown.borrow_mut().insert(self.id, format!("{:?}", self.value));
                seen
            },
        )
    }

    #[track_caller]
    pub fn load(&self, order: Ordering) -> bool {
        self.operation("load", |value| value.load(order))
    }

    #[track_caller]
    pub fn store(&self, new: bool, order: Ordering) {
        self.operation("store", |value| {
            value.store(new, order);
            new
        });
    }

    #[track_caller]
    pub fn swap(&self, new: bool, order: Ordering) -> bool {
        self.operation("swap", |value| value.swap(new, order))
    }
}
