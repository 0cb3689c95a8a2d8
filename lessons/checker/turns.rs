//! A loop of yours, put to the test: tasks that follow a script, a record of what happens, and the rules that the record
//! has to keep. A turn that breaks one of them is found by what it polled, whatever the loop is made of.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::endless::{Endless, count};
use super::lock;
use super::{last_panic, messages};

pub type Task = Pin<Box<dyn Future<Output = ()>>>;

/// The names are not those of the functions of the loop: a check that calls one that is private, or takes something else,
/// must not compile, rather than call itself.
pub trait Loop {
    fn put_in(&self, task: Task);
    fn take_a_turn(&self);
}

/// What a task does, in a poll or when it is dropped.
#[derive(Clone)]
enum Act {
    /// Wakes itself, so many times.
    WakeItself(usize),
    Wake(usize),
    /// Spawns a task that wakes itself in its first poll, and is over after the second.
    Spawn,
}

/// What a task does in each of its polls, and when it is dropped.
#[derive(Clone, Default)]
struct Script {
    polls: Vec<Vec<Act>>,
    /// Whether it is ready in the last of these polls. Otherwise it is pending for ever.
    is_over: bool,
    dropped: Vec<Act>,
}

/// What a rule is broken by.
#[derive(Clone)]
pub struct Breach {
    pub rule: &'static str,
    pub seen: String,
    /// A loop that breaks one of these may break the first one only because of that.
    follows: &'static [&'static str],
    /// It polls others than those who were woken, so whatever else it breaks follows from that.
    is_mixed_up: bool,
}

fn breach(rule: &'static str, seen: String) -> Breach {
    Breach { rule, seen, follows: &[], is_mixed_up: false }
}

#[derive(Clone)]
enum Event {
    Spawned(usize),
    Woken(usize),
    TurnBegins,
    Polled(usize),
    Over(usize),
    Dropped(usize),
    TurnEnds,
    Broken(Breach),
}

/// A loop, and the record of what happens in it.
struct World {
    event_loop: Rc<dyn Loop>,
    /// The rule that is broken if a turn panics.
    about: &'static str,
    record: RefCell<Vec<Event>>,
    /// The latest waker of each task.
    wakers: RefCell<Vec<Option<Waker>>>,
    is_over: RefCell<Vec<bool>>,
    polls_in_turn: Cell<usize>,
    turns: Cell<usize>,
    /// The last turns polled nobody.
    is_settled: Cell<bool>,
    /// A turn panicked, or the run is at its end: nothing more is recorded.
    is_closed: Cell<bool>,
}

/// No turn of a right loop makes so many polls.
const TOO_MANY: usize = 1_000;

/// No run of a right loop has so long a record.
const MUCH: usize = 5_000;

struct Scripted {
    world: Rc<World>,
    number: usize,
    script: Script,
    polls: usize,
}

impl Future for Scripted {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let (world, number) = (self.world.clone(), self.number);
        count(&world.polls_in_turn, TOO_MANY);
        world.tell(Event::Polled(number));
        if lock::is_held() {
            world.breaks("7.6", messages::polled_under_the_lock(number));
        }
        if world.is_over.borrow()[number] {
            world.breaks("7.7", messages::polled_when_over(number, world.turns.get()));
            return Poll::Ready(());
        }
        let old = world.wakers.borrow_mut()[number].replace(context.waker().clone());
        drop(old);
        self.polls += 1;
        let acts = self.script.polls.get(self.polls - 1).cloned().unwrap_or_default();
        acts.into_iter().for_each(|act| world.act(number, act, "in its poll"));
        if self.script.is_over && self.polls >= self.script.polls.len() {
            world.is_over.borrow_mut()[number] = true;
            world.tell(Event::Over(number));
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        let world = self.world.clone();
        if world.is_closed.get() || std::thread::panicking() {
            return;
        }
        world.tell(Event::Dropped(self.number));
        if lock::is_held() {
            world.breaks("7.6", messages::dropped_under_the_lock(self.number));
        }
        for act in std::mem::take(&mut self.script.dropped) {
            world.act(self.number, act, "when it was dropped");
        }
    }
}

impl World {
    fn new(event_loop: Rc<dyn Loop>, about: &'static str) -> Rc<Self> {
        lock::clear();
        Rc::new(World {
            event_loop,
            about,
            record: RefCell::default(),
            wakers: RefCell::default(),
            is_over: RefCell::default(),
            polls_in_turn: Cell::new(0),
            turns: Cell::new(0),
            is_settled: Cell::new(false),
            is_closed: Cell::new(false),
        })
    }

    fn tell(&self, event: Event) {
        self.record.borrow_mut().push(event);
    }

    fn breaks(&self, rule: &'static str, seen: String) {
        self.tell(Event::Broken(breach(rule, seen)));
    }

    /// A future for the loop to spawn, and its number. Numbers are given from 0 on.
    fn make(self: &Rc<Self>, script: Script) -> (Task, usize) {
        let number = self.wakers.borrow().len();
        self.wakers.borrow_mut().push(None);
        self.is_over.borrow_mut().push(false);
        (Box::pin(Scripted { world: self.clone(), number, script, polls: 0 }), number)
    }

    /// Spawns a task from outside the loop.
    fn spawn(self: &Rc<Self>, script: Script) {
        if self.is_closed.get() {
            return;
        }
        let (task, number) = self.make(script);
        self.event_loop.put_in(task);
        self.tell(Event::Spawned(number));
    }

    /// Wakes a task that was polled.
    fn wake(&self, number: usize) {
        // Under the lock of the ready queue the wake would not return.
        if self.is_closed.get() || lock::is_held() {
            return;
        }
        let waker = self.wakers.borrow()[number].clone();
        if let Some(waker) = waker {
            waker.wake();
            self.tell(Event::Woken(number));
        }
    }

    fn act(self: &Rc<Self>, number: usize, act: Act, when: &str) {
        match act {
            Act::WakeItself(times) => (0..times).for_each(|_| self.wake(number)),
            Act::Wake(other) => self.wake(other),
            Act::Spawn => {
                let script = Script { polls: vec![vec![Act::WakeItself(1)], vec![]], is_over: true, dropped: vec![] };
                let (task, child) = self.make(script);
                match catch_unwind(AssertUnwindSafe(|| self.event_loop.put_in(task))) {
                    Ok(()) => self.tell(Event::Spawned(child)),
                    Err(_) => self.breaks("7.6", messages::spawn_panicked(number, when, &last_panic())),
                }
            }
        }
    }

    fn turn(&self) {
        if self.is_closed.get() {
            return;
        }
        self.turns.set(self.turns.get() + 1);
        self.polls_in_turn.set(0);
        self.tell(Event::TurnBegins);
        lock::allow(100 * TOO_MANY);
        let end = catch_unwind(AssertUnwindSafe(|| self.event_loop.take_a_turn()));
        lock::allow(usize::MAX);
        match end {
            Ok(()) => self.tell(Event::TurnEnds),
            Err(payload) if payload.is::<Endless>() => {
                self.is_closed.set(true);
                self.breaks("7.4", messages::turn_has_no_end(self.turns.get(), self.polls_in_turn.get()));
            }
            Err(_) => {
                self.is_closed.set(true);
                let seen = last_panic();
                // "RefCell already borrowed", and what `lock` says to who has the lock.
                if seen.contains("borrowed") || seen.contains(messages::locked_twice()) {
                    self.breaks("7.6", seen + messages::how_long_guards_live());
                } else if seen.contains("index") && seen.contains("len") {
                    let seen = messages::nobody_at_that_number(self.turns.get(), &seen);
                    self.tell(Event::Broken(Breach { is_mixed_up: true, ..breach("7.5", seen) }));
                } else if let Some(number) = self.a_dead_task_was_woken() {
                    self.breaks("7.7", messages::wake_of_a_dead_task_panicked(number, self.turns.get(), &seen));
                } else {
                    self.breaks(self.about, seen);
                }
            }
        }
    }

    /// A task that was over when it was woken, before the turn that runs now, or woke itself in its last poll.
    fn a_dead_task_was_woken(&self) -> Option<usize> {
        let record = self.record.borrow();
        let begin = record.iter().rposition(|event| matches!(event, Event::TurnBegins)).unwrap_or(0);
        let late = |place: usize| match record[place] {
            Event::Woken(number) if self.is_over.borrow()[number] => {
                let polled = |event: &Event| matches!(event, Event::Polled(other) if *other == number);
                (!record[place..].iter().any(polled)).then_some(number)
            }
            _ => None,
        };
        (0..begin).find_map(late)
    }

    /// Takes turns until two of them have polled nobody; not many more than a loop needs that polls one task in each.
    fn settle(&self) {
        let mut idle = 0;
        self.is_settled.set(false);
        for _ in 0..1_000 {
            self.turn();
            idle = if self.polls_in_turn.get() == 0 { idle + 1 } else { 0 };
            self.is_settled.set(idle == 2 && !self.is_closed.get());
            if idle == 2 || self.record.borrow().len() > MUCH {
                return;
            }
        }
    }

    /// The end of the run: what the record says.
    fn breaches(&self) -> Vec<Breach> {
        self.is_closed.set(true);
        let breaches = judge(&self.record.borrow(), self.is_settled.get());
        // What was broken under a lock or a borrow has consequences, which are no reason of their own.
        match breaches.iter().find(|breach| breach.rule == "7.6") {
            Some(breach) => vec![breach.clone()],
            None => breaches,
        }
    }
}

/// Why a task is ready.
#[derive(Clone, Copy)]
struct Reason {
    /// Its place in the record.
    place: usize,
    was_spawned: bool,
    /// The turn in which it came, after the first poll of that.
    turn: Option<usize>,
}

#[derive(Clone, Default)]
struct Seen {
    ready: Option<Reason>,
    is_over: bool,
    /// Its last poll was in this turn.
    polled: Option<usize>,
    /// It was ready when this turn began, and was not polled in it.
    left_out: Option<usize>,
    /// A task that was over had been woken, too.
    beside: Option<usize>,
    /// How often it was woken while it was ready already.
    surplus: usize,
    /// In this turn it was woken again before its poll: a second entry, or none, as the loop takes a batch or counts it.
    again: Option<usize>,
}

/// What breaks a rule, in the order in which it is found. Only in a run that has settled a task can be lost.
fn judge(record: &[Event], is_settled: bool) -> Vec<Breach> {
    let (mut breaches, mut seen) = (Vec::new(), Vec::<Seen>::new());
    let (mut turn, mut is_in_turn) = (0, false);
    // Of the turn: who was ready at its beginning, in order; who was polled; whether anybody was without a reason.
    let (mut ready, mut polled, mut is_spoilt) = (Vec::new(), Vec::new(), false);
    // Where it is said of whom the turn polled first without a reason.
    let mut unwoken: Option<usize> = None;
    // Who was woken when over, since the last turn began.
    let mut dead: Option<usize> = None;
    let of = |seen: &mut Vec<Seen>, number: usize| {
        if seen.len() <= number {
            seen.resize(number + 1, Seen::default());
        }
        number
    };
    for (place, event) in record.iter().enumerate() {
        match event {
            Event::Spawned(number) | Event::Woken(number) => {
                let number = of(&mut seen, *number);
                let was_spawned = matches!(event, Event::Spawned(_));
                let (now, turn) = (turn, (is_in_turn && !polled.is_empty()).then_some(turn));
                if is_in_turn && seen[number].ready.is_some() {
                    seen[number].again = Some(now);
                }
                if seen[number].is_over {
                    dead = Some(number);
                } else {
                    seen[number].surplus += usize::from(seen[number].ready.is_some());
                    seen[number].ready.get_or_insert(Reason { place, was_spawned, turn });
                }
            }
            Event::TurnBegins => {
                (turn, is_in_turn, is_spoilt, unwoken) = (turn + 1, true, false, None);
                let mut at: Vec<(usize, usize)> =
                    (0..).zip(&seen).filter_map(|(number, seen)| Some((seen.ready?.place, number))).collect();
                at.sort_unstable();
                (ready, polled) = (at.into_iter().map(|(_, number)| number).collect(), Vec::new());
            }
            Event::Polled(number) => {
                let number = of(&mut seen, *number);
                polled.push(number);
                if seen[number].is_over {
                    continue;
                }
                let again = seen[number].polled == Some(turn);
                match seen[number].ready.take() {
                    None if seen[number].again.take().is_some_and(|again| turn <= again + 1) => {}
                    reason if again && seen[number].surplus > 0 && reason.is_none_or(|it| it.turn == Some(turn)) => {
                        is_spoilt = true;
                        seen[number].surplus -= 1;
                        seen[number].ready = reason;
                        let several = breach("7.2", messages::polled_for_each_wake(number, turn));
                        breaches.push(Breach { follows: &["7.3", "7.4", "7.5"], ..several });
                    }
                    None => {
                        is_spoilt = true;
                        unwoken.get_or_insert(breaches.len());
                        breaches.push(breach("7.5", messages::polled_without_a_reason(number, turn, again)));
                    }
                    Some(reason) if reason.turn == Some(turn) && !is_spoilt => {
                        breaches.push(breach("7.4", messages::polled_too_soon(number, turn, reason.was_spawned)));
                    }
                    Some(_) => {}
                }
                if let Some(left) = seen[number].left_out.take() {
                    breaches.push(breach("7.4", messages::passed_by(number, left, Some(turn))));
                }
                seen[number].polled = Some(turn);
            }
            Event::Over(number) => {
                seen[*number].is_over = true;
                seen[*number].ready = None;
            }
            Event::Dropped(_) => {}
            Event::TurnEnds => {
                is_in_turn = false;
                let expected: Vec<usize> = ready.iter().copied().filter(|number| polled.contains(number)).collect();
                let mut order: Vec<usize> = Vec::new();
                for number in polled.iter().filter(|number| ready.contains(number)) {
                    if !order.contains(number) {
                        order.push(*number);
                    }
                }
                if !is_spoilt && order != expected {
                    breaches.push(breach("7.4", messages::out_of_order(turn, &expected, &order)));
                }
                let left_out = ready.iter().find(|number| !polled.contains(number));
                if let (Some(place), Some(left_out)) = (unwoken, left_out) {
                    let seen = messages::polled_another(*left_out, turn, &breaches[place].seen);
                    breaches[place] = Breach { is_mixed_up: true, ..breach("7.5", seen) };
                }
                for number in ready.iter().filter(|number| !polled.contains(number)) {
                    seen[*number].left_out.get_or_insert(turn);
                    seen[*number].beside = seen[*number].beside.or(dead);
                }
                dead = None;
            }
            Event::Broken(breach) => breaches.push(breach.clone()),
        }
    }
    if is_settled {
        breaches.extend((0..).zip(&seen).filter_map(|(number, seen)| lost(number, seen)));
    }
    breaches
}

/// A task that was ready when a turn began, and was never polled again.
fn lost(number: usize, seen: &Seen) -> Option<Breach> {
    let (left, reason) = (seen.left_out?, seen.ready?);
    Some(match (reason.was_spawned, reason.turn) {
        (true, Some(turn)) => {
            Breach { follows: &["7.3", "7.4"], ..breach("7.6", messages::spawned_and_lost(number, turn)) }
        }
        (true, None) => breach("7.4", messages::passed_by(number, left, None)),
        (false, Some(turn)) => {
            let seen = messages::wake_in_turn_lost(number, turn, seen.polled == Some(turn));
            Breach { follows: &["4.6", "7.4"], ..breach("7.3", seen) }
        }
        (false, None) if seen.beside.is_some() => {
            let beside = messages::passed_by_beside(number, seen.beside.unwrap_or(0), left);
            Breach { follows: &["4.6", "7.3", "7.4"], ..breach("7.7", beside) }
        }
        (false, None) => Breach { follows: &["7.4"], ..breach("4.6", messages::not_kept(number)) },
    })
}

const TASKS: usize = 25;

/// Some of the tasks, in an order that is not that of their numbers.
fn some() -> impl Iterator<Item = usize> {
    (0..TASKS / 2).map(|place| (place * 7 + 3) % TASKS)
}

fn pending(polls: Vec<Vec<Act>>) -> Script {
    Script { polls, ..Script::default() }
}

/// All breaches that several runs of a loop find. `make` gives a new loop.
pub fn breaches(make: impl Fn() -> Rc<dyn Loop>) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut run = |about, run: &dyn Fn(&Rc<World>)| {
        let world = World::new(make(), about);
        run(&world);
        world.settle();
        breaches.extend(world.breaches());
    };
    // All are polled once, and then only those who are woken.
    run("7.5", &|world| {
        (0..TASKS).for_each(|_| world.spawn(pending(vec![])));
        world.settle();
        for round in 0..4 {
            some().skip(round).for_each(|task| (0..=task % 3).for_each(|_| world.wake(task)));
            world.settle();
        }
    });
    // Each wakes itself in 14 to 20 polls, once or several times, and is over in the one after that.
    run("7.4", &|world| {
        for task in 0..TASKS {
            let mut polls: Vec<Vec<Act>> = vec![vec![Act::WakeItself(1 + task % 3)]; 14 + task % 7];
            polls.push(vec![]);
            world.spawn(Script { polls, is_over: true, dropped: vec![] });
        }
    });
    // Of five tasks each wakes, in its second poll, one that is not ready, or one that was polled just before.
    run("7.4", &|world| {
        for task in 0..TASKS {
            let others = if task == 0 { vec![] } else { vec![Act::Wake(task - 1)] };
            let acts = [vec![Act::Wake(task + 10)], vec![Act::Wake(task + 15), Act::WakeItself(2)], others];
            let acts = if task < 5 { acts[task % 3].clone() } else { vec![] };
            world.spawn(pending(vec![vec![], acts]));
        }
        world.settle();
        (0..5).for_each(|task| world.wake(task));
    });
    // Some spawn, in a later poll than the first.
    run("7.4", &|world| {
        let spawns = |task: usize| if task % 3 == 0 { vec![Act::Spawn; 1 + task % 2] } else { vec![] };
        (0..TASKS).for_each(|task| world.spawn(pending(vec![vec![], spawns(task)])));
        world.settle();
        some().for_each(|task| world.wake(task));
    });
    // Every second one is over in its first poll, and some wake themselves in that. All are woken later, also those.
    run("7.4", &|world| {
        for task in 0..TASKS {
            let acts = if task % 4 == 0 { vec![Act::WakeItself(1)] } else { vec![] };
            world.spawn(Script { polls: vec![acts], is_over: task % 2 == 0, dropped: vec![] });
        }
        world.settle();
        for _ in 0..2 {
            some().for_each(|task| world.wake(task));
            world.settle();
        }
    });
    if breaches.iter().find(|breach: &&Breach| breach.rule == "7.5").is_some_and(|first| first.is_mixed_up) {
        breaches.retain(|breach| breach.rule == "7.5");
    }
    let rules: BTreeSet<&str> = breaches.iter().map(|breach: &Breach| breach.rule).collect();
    breaches.retain(|breach| !breach.follows.iter().any(|rule| rules.contains(rule)));
    breaches
}

/// The same for tasks with code of their own when they are dropped: they spawn, and wake each other and themselves.
pub fn breaches_when_dropped(make: impl Fn() -> Rc<dyn Loop>) -> Vec<Breach> {
    let world = World::new(make(), "7.6");
    for task in 0..TASKS {
        let dropped = [
            vec![],
            vec![Act::Spawn],
            vec![Act::Wake(task / 5 * 5)],
            vec![Act::WakeItself(1)],
            vec![Act::Wake(task / 5 * 5), Act::Spawn, Act::Spawn],
        ];
        // Who is woken by others is pending for ever: the wake is one more poll.
        let is_over = task % 5 != 0;
        world.spawn(Script { polls: vec![vec![]; 1 + task % 2], is_over, dropped: dropped[task % 5].clone() });
    }
    world.settle();
    some().for_each(|task| world.wake(task));
    world.settle();
    let record = world.record.borrow().clone();
    let was_dropped = |number| record.iter().any(|event| matches!(event, Event::Dropped(other) if *other == number));
    let kept = record.iter().find_map(|event| match event {
        Event::Over(number) if !was_dropped(*number) => Some(*number),
        _ => None,
    });
    let mut breaches = world.breaches();
    if let Some(number) = kept.filter(|_| breaches.is_empty()) {
        breaches.push(breach("7.6", messages::never_dropped(number)));
    }
    breaches
}
