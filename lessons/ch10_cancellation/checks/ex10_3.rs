//! The check of exercise 10.3.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex10_3.rs"]
mod exercise;
/// The inbox as it was handed out.
#[path = "../given/ex10_3.rs"]
mod handed_out;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::process::ExitCode;
use std::task::Poll;

use checker::contract::Probe;
use checker::endless::Endless;
use checker::{Verdict, messages};
use exercise::{Inbox, Plan, reproduce};
use line::{Line, World};

fn main() -> ExitCode {
    checker::run(
        "ex10_3",
        &[
            ("10.6", loses_nothing),
            ("3.1", each_poll_returns),
            ("5.1", is_woken_when_it_can_go_on),
            ("4.3", wakes_nobody_itself),
        ],
    )
}

/// A line over which messages come in pieces, and a virtual clock.
mod line {
    use std::cell::{Cell, RefCell};
    use std::collections::{BTreeMap, VecDeque};
    use std::pin::Pin;
    use std::rc::Rc;
    use std::task::{Context, Poll, Waker};

    use crate::checker::endless::count;

    /// No poll of a message makes so many polls of the line; past it the run is ended from within.
    pub const TOO_MANY: usize = 1_000;

    /// A piece of a message.
    #[derive(Debug)]
    pub enum Piece {
        Text(String),
        End,
    }

    #[derive(Default)]
    pub struct World {
        pub now: Cell<u64>,
        /// The pieces that are not taken off, with the seconds in which they come.
        pieces: RefCell<VecDeque<(u64, Piece)>>,
        at_piece: RefCell<Option<Waker>>,
        /// By the second, and by the number of the confirmation.
        timers: RefCell<BTreeMap<(u64, usize), Waker>>,
        begun: Cell<usize>,
        pub confirmed: Cell<usize>,
        /// In this poll of a message.
        pub polls: Cell<usize>,
    }

    impl World {
        pub fn new(seconds: &[u64]) -> Rc<Self> {
            let piece = |place: usize| match place % 3 {
                2 => Piece::End,
                part => Piece::Text(text(place / 3, part)),
            };
            let pieces = seconds.iter().enumerate().map(|(place, second)| (*second, piece(place))).collect();
            Rc::new(World { pieces: RefCell::new(pieces), ..World::default() })
        }

        fn is_piece_there(&self) -> bool {
            self.pieces.borrow().front().is_some_and(|(second, _)| *second <= self.now.get())
        }

        /// One second more.
        pub fn tick(&self) {
            self.now.set(self.now.get() + 1);
            if self.is_piece_there() {
                let waker = self.at_piece.take();
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            let later = self.timers.borrow_mut().split_off(&(self.now.get() + 1, 0));
            let due = self.timers.replace(later);
            due.into_values().for_each(Waker::wake);
        }
    }

    /// The text of a part of a message.
    pub fn text(message: usize, part: usize) -> String {
        format!("{}{}", ["a", " b"][part], message + 1)
    }

    /// Where the pieces come in.
    pub struct Line(pub Rc<World>);

    impl Line {
        /// The next piece. It is taken off the line in the poll in which this is ready.
        pub fn piece(&self) -> NextPiece {
            NextPiece(self.0.clone())
        }

        /// Tells the sender that a message has come, which takes one second.
        pub fn confirm(&self) -> Confirm {
            Confirm { world: self.0.clone(), end: None }
        }
    }

    #[must_use = "a future does nothing until it is polled"]
    pub struct NextPiece(Rc<World>);

    impl Future for NextPiece {
        type Output = Piece;

        fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Piece> {
            let world = &self.0;
            count(&world.polls, TOO_MANY);
            if world.is_piece_there() {
                let piece = world.pieces.borrow_mut().pop_front();
                return piece.map_or(Poll::Pending, |(_, piece)| Poll::Ready(piece));
            }
            let old = world.at_piece.replace(Some(context.waker().clone()));
            drop(old);
            Poll::Pending
        }
    }

    #[must_use = "a future does nothing until it is polled"]
    pub struct Confirm {
        world: Rc<World>,
        /// The second in which it is ready, and its number.
        end: Option<(u64, usize)>,
    }

    impl Future for Confirm {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
            let world = self.world.clone();
            count(&world.polls, TOO_MANY);
            let end = *self.end.get_or_insert_with(|| {
                world.begun.set(world.begun.get() + 1);
                (world.now.get() + 1, world.begun.get())
            });
            if world.now.get() >= end.0 {
                world.confirmed.set(world.confirmed.get() + 1);
                return Poll::Ready(());
            }
            let old = world.timers.borrow_mut().insert(end, context.waker().clone());
            drop(old);
            Poll::Pending
        }
    }
}

/// The inbox of the student, and the one that was handed out.
trait Messages {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = String> + '_>>;
}

impl Messages for Inbox {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = String> + '_>> {
        Box::pin(self.message())
    }
}

impl Messages for handed_out::Inbox {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = String> + '_>> {
        Box::pin(self.message())
    }
}

/// When the future of a message is polled.
#[derive(Clone, Copy, PartialEq)]
enum Polled {
    /// In each second.
    Always,
    /// At its beginning, when the waker of its latest poll was called, and when the time is over.
    Woken,
}

#[derive(Default)]
struct Run {
    /// The messages, each with the second in which it was given out.
    messages: Vec<(u64, String)>,
    confirmed: usize,
    /// The seconds in which a future was dropped.
    dropped: Vec<u64>,
    is_endless: bool,
    /// The second in which it panicked, and how.
    panic: Option<(u64, String)>,
    /// The first second in which a poll called its own waker and returned pending.
    woke_itself: Option<u64>,
}

impl Run {
    fn texts(&self) -> Vec<&str> {
        self.messages.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// When futures were dropped before this message was given out.
    fn dropped_before(&self, place: usize) -> Vec<u64> {
        let end = self.messages.get(place).map_or(u64::MAX, |(second, _)| *second);
        self.dropped.iter().copied().filter(|second| *second <= end).collect()
    }
}

fn run<M: Messages>(make: impl FnOnce(Line) -> M, plan: &Plan, when: Polled) -> Run {
    let world = World::new(&plan.seconds);
    let mut inbox = make(Line(world.clone()));
    let mut run = Run::default();
    let sent = plan.seconds.len() / 3;
    // After the last piece each message needs a second, and where the time is over before that, a future may be dropped.
    let enough = plan.seconds.last().copied().unwrap_or(0) + 2 * sent as u64 + 5;
    let last = if plan.limit > enough { enough } else { enough + 2 * plan.limit };
    let is_over = |run: &Run| run.messages.len() == sent + 3 || run.is_endless || run.panic.is_some();
    while world.now.get() <= last && !is_over(&run) {
        attempt(&mut inbox, &world, plan.limit, last, when, &mut run);
    }
    run.confirmed = world.confirmed.get();
    run
}

/// Waits for one message until the time is over.
fn attempt(inbox: &mut impl Messages, world: &World, limit: u64, last: u64, when: Polled, run: &mut Run) {
    let mut future = inbox.next();
    let (deadline, mut latest) = (world.now.get() + limit, None::<Probe>);
    loop {
        let is_woken = latest.as_ref().is_none_or(|probe| probe.wakes() > 0);
        if is_woken || when == Polled::Always || world.now.get() == deadline {
            world.polls.set(0);
            let probe = Probe::new();
            let poll = || probe.poll(future.as_mut());
            match catch_unwind(AssertUnwindSafe(poll)) {
                Ok(Poll::Ready(message)) => {
                    run.messages.push((world.now.get(), message));
                    return;
                }
                Ok(Poll::Pending) => {}
                Err(payload) if payload.is::<Endless>() => {
                    run.is_endless = true;
                    return;
                }
                Err(payload) if checker::is_todo(&*payload) => resume_unwind(payload),
                Err(_) => {
                    run.panic = Some((world.now.get(), checker::last_panic()));
                    return;
                }
            }
            if probe.wakes() > 0 {
                run.woke_itself = run.woke_itself.or(Some(world.now.get()));
            }
            latest = Some(probe);
        }
        if world.now.get() == deadline {
            run.dropped.push(deadline);
            return;
        }
        if world.now.get() > last {
            return;
        }
        world.tick();
    }
}

/// Each message as it was sent.
fn sent(plan: &Plan) -> Vec<String> {
    (0..plan.seconds.len() / 3).map(|message| line::text(message, 0) + &line::text(message, 1)).collect()
}

/// The time is never over.
const LONG: u64 = 1_000;

/// Seven messages each: pieces that come together, and far from each other. First come those in which nothing is dropped.
fn plans() -> Vec<Plan> {
    let plan = |limit: u64, pattern: u64| {
        let gaps = (0..21)
            .map(move |place: u64| if pattern == 0 { place / 3 % 2 } else { (place * 5 + pattern) % (pattern + 2) });
        let seconds = gaps.scan(0, |now, gap| {
            *now += gap;
            Some(*now)
        });
        Plan { limit, seconds: seconds.collect() }
    };
    [LONG, 2, 3, 4, 5, 6].into_iter().flat_map(|limit| (0..6).map(move |pattern| plan(limit, pattern))).collect()
}

fn repaired(plan: &Plan, when: Polled) -> Run {
    run(Inbox::new, plan, when)
}

fn loses_nothing() -> Verdict {
    reproduction()?;
    for plan in plans() {
        let run = repaired(&plan, Polled::Always);
        // Rule 3.1's.
        if run.is_endless {
            continue;
        }
        if let Some((second, panic)) = run.panic {
            let panic = messages::panicked_in(&messages::a_plan(plan.limit, second), &panic);
            return Err(messages::part_2("Inbox", &panic));
        }
        let (expected, seen) = (sent(&plan), run.texts());
        let place = (0..expected.len().max(seen.len()))
            .find(|place| expected.get(*place).map(String::as_str) != seen.get(*place).copied());
        let seen = if let Some(place) = place {
            let expected = expected.get(place).map(String::as_str);
            messages::message_was(plan.limit, place + 1, expected, seen.get(place).copied(), &run.dropped_before(place))
        } else if run.confirmed != expected.len() {
            messages::messages_confirmed(expected.len(), run.confirmed)
        } else {
            continue;
        };
        return Err(messages::part_2("Inbox", &seen));
    }
    Ok(())
}

fn each_poll_returns() -> Verdict {
    if plans().iter().any(|plan| repaired(plan, Polled::Always).is_endless) {
        return Err(messages::message_spins(line::TOO_MANY));
    }
    Ok(())
}

fn is_woken_when_it_can_go_on() -> Verdict {
    for plan in plans() {
        let always = repaired(&plan, Polled::Always);
        // What is lost in any case is rule 10.6's.
        if always.is_endless || always.texts() != sent(&plan) {
            continue;
        }
        let woken = repaired(&plan, Polled::Woken);
        let late = always.messages.iter().zip(&woken.messages).position(|(always, woken)| always != woken);
        if let Some(place) = late {
            return Err(messages::message_late(place + 1, always.messages[place].0));
        }
    }
    Ok(())
}

fn wakes_nobody_itself() -> Verdict {
    match plans().iter().find_map(|plan| repaired(plan, Polled::Always).woke_itself) {
        Some(second) => Err(messages::message_wakes_itself(second)),
        None => Ok(()),
    }
}

/// Beyond what anybody needs, and few enough for a run.
const MOST: usize = 300;

/// The plan of the student, with the inbox that was handed out.
fn reproduction() -> Verdict {
    let plan = reproduce();
    let (pieces, last) = (plan.seconds.len(), plan.seconds.last().copied().unwrap_or(0));
    if pieces == 0 || pieces % 3 != 0 || pieces > MOST {
        return Err(messages::plan_has_pieces(pieces, MOST));
    }
    if plan.limit < 2 || plan.limit > 1_000 || last > 1_000 || !plan.seconds.is_sorted() {
        return Err(messages::plan_has_times(plan.limit, plan.seconds.is_sorted(), last));
    }
    let run = run(handed_out::Inbox::new, &plan, Polled::Always);
    if run.texts() != sent(&plan) {
        return Ok(());
    }
    Err(messages::reproduces_no_loss(pieces / 3, &run.dropped_before(pieces / 3 - 1)))
}
