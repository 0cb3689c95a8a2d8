//! What a stage of the lessons tells of itself: short lines, read into the events of a recorder.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use handloop::record::{Actor, Ended, Holder, Id, Outcome, Place, Recorder, What};

use super::replay::{Doing, Names, State, Task};

/// What a job is called, where a callback of the finished machine has the path of its closure.
pub const JOB: &str = "job";

/// What a stage calls with each line, and the place that tells it.
pub type Listener = fn(&str, Place);

static LISTENING: Mutex<Option<Told>> = Mutex::new(None);

/// Runs a stage, and records what it tells.
///
/// # Errors
/// The first line that cannot be read.
pub fn listen(recorder: &Recorder, listener: &OnceLock<Listener>, stage: fn()) -> Result<(), String> {
    let told = || LISTENING.lock().expect("nobody panics while it holds this");
    *told() = Some(Told::new(recorder.clone()));
    listener.get_or_init(|| hear);
    stage();
    told().take().and_then(|told| told.error).map_or(Ok(()), Err)
}

fn hear(line: &str, at: Place) {
    if let Some(told) = &mut *LISTENING.lock().expect("nobody panics while it holds this") {
        told.tell(line, at);
    }
}

/// The reader of a stage's lines.
///
/// | line | what it says |
/// |---|---|
/// | `begin`, `end` | the run of the loop |
/// | `task 2 do_some_work(1)` | a task was made, and is ready |
/// | `poll 2`, then `pending 2`, `ready 2` or `panicked 2` | a poll, and how it ended |
/// | `wake 2` | its waker was called; if it was not in the ready queue, it is now |
/// | `clone 2`, `drop 2` | its waker was cloned; a clone was dropped |
/// | `wait 3` | no event: the next clone is for task 3, whose result the task that is polled waits for |
/// | `timer 7 1500`, `timer 7 2 1500` | timer 7 is to wake the task that is polled, or task 2, at 1500 ms |
/// | `fire 7`, `forget 7` | it fired; it was taken off |
/// | `clock 1500` | the clock shows 1500 ms |
/// | `park` | the loop sleeps until a `clock` or a `fire` (else nothing is told of it) |
/// | `cancel 2`, then `poll 2`, `ready 2` | to cancel it; its future is dropped instead; it is cancelled |
/// | `send` | a thread puts a job into the inbox; while the loop runs, that is shown only when the loop calls the job |
/// | `job` | the loop calls the job that was sent first; that has returned by the next `job`, `poll`, `park`, `close` or `end` |
/// | `join 2`, `stop`, `close` | as the words say; after a `stop`, `end` is of a run that was asked to stop |
/// | `say waiting: 1` | a line of output |
///
/// ` by the timer`, ` by task 3`, ` by main` at the end of `wake`, `clone`, `drop`, `cancel`, `join` names who did it;
/// without it, it was the task that is polled; else the timer, from a `clock` or a `fire` to the next poll, and after `end`
/// for what it held; else the loop. A clone is for the timer, or for whom `wait` named, and a drop is of one that fits who
/// drops it.
pub struct Told {
    recorder: Recorder,
    /// What the player shows by now: by this a short line is understood.
    state: State,
    /// Where the loop said that it parks, while nothing has told how that ends.
    park: Option<Place>,
    /// Since the last poll the loop has parked; the clock has moved, or a timer has fired.
    is_parked: bool,
    is_timers_turn: bool,
    /// How many jobs were sent, and those that the loop has not called: with their place and their sender, where that is
    /// still to be shown. What another thread does while the loop runs comes at another step in each run.
    sent: u64,
    jobs: VecDeque<(Id, Option<(Place, Actor)>)>,
    is_asked_to_stop: bool,
    /// Whom the next clone is for, and whom the last one was for.
    waits_for: Option<Id>,
    last_holder: Holder,
    /// What is wrong with the first line that could not be read.
    pub error: Option<String>,
}

impl Told {
    pub fn new(recorder: Recorder) -> Self {
        let names = Names { files: vec![], async_functions: vec![] };
        Told {
            recorder,
            state: State::new(&Arc::new(names)),
            park: None,
            is_parked: false,
            is_timers_turn: false,
            sent: 0,
            jobs: VecDeque::new(),
            is_asked_to_stop: false,
            waits_for: None,
            last_holder: Holder::Timer,
            error: None,
        }
    }

    /// One line, told at `at`. One that cannot be read is left out; a clock that has not moved, a park of who is parked, and
    /// the second close are no events.
    pub fn tell(&mut self, line: &str, at: Place) {
        let word = line.split(' ').next().unwrap_or_default();
        if let Some(id @ Id::Callback(_)) = self.state.running
            && ["job", "poll", "park", "close", "end"].contains(&word)
        {
            self.record(self.state.time, None, What::PollEnded { id, outcome: Outcome::Ready, waits_at: vec![] });
        }
        match line.strip_prefix("send by ").or((line == "send").then_some("")) {
            Some("") => return self.is_sent(at, thread_actor(thread::current().name())),
            Some(by) => return self.is_sent(at, actor(by)),
            None => {}
        }
        if line == "job"
            && let Some((id, sent)) = self.jobs.pop_front()
        {
            if let Some((place, by)) = sent {
                self.record(self.state.time, Some(place), What::Submitted { id, function: JOB, by });
            }
            return self.record(self.state.time, Some(at), What::PollBegun { id });
        }
        if line == "park" {
            self.park.get_or_insert(at);
            return;
        }
        let is_timers = line.starts_with("clock ") || line.starts_with("fire ");
        self.is_timers_turn |= is_timers;
        if let Some(place) = self.park.take().filter(|_| is_timers && !self.is_parked) {
            self.is_parked = true;
            self.record(self.state.time, Some(place), What::Parked);
        }
        let clock = line.strip_prefix("clock ").and_then(|time| time.parse().ok()).map(Duration::from_millis);
        if clock == Some(self.state.time) || line == "close" && self.state.doing == Doing::Closing {
            return;
        }
        if let Some(number) = line.strip_prefix("wait ") {
            self.waits_for = task(number);
            return;
        }
        let Some(what) = self.read(line) else {
            let (file, number) = (at.file(), at.line());
            self.error.get_or_insert(format!("{file}:{number} tells \"{line}\", which the player cannot read."));
            return;
        };
        self.record(clock.unwrap_or(self.state.time), Some(at), what);
    }

    fn is_sent(&mut self, at: Place, by: Actor) {
        self.sent += 1;
        let id = Id::Callback(self.sent);
        if self.state.doing == Doing::NotRunning {
            self.jobs.push_back((id, None));
            self.record(self.state.time, Some(at), What::Submitted { id, function: JOB, by });
        } else {
            self.jobs.push_back((id, Some((at, by))));
        }
    }

    fn record(&mut self, time: Duration, at: Option<Place>, what: What) {
        match what {
            What::StopAsked { .. } => self.is_asked_to_stop = true,
            What::RunBegun => self.is_asked_to_stop = false,
            _ => {}
        }
        match what {
            What::PollBegun { .. } | What::DropBegun { .. } | What::RunEnded(_) => {
                (self.is_parked, self.is_timers_turn, self.waits_for) = (false, false, None);
            }
            What::WakerCloned { holder, .. } => (self.waits_for, self.last_holder) = (None, holder),
            _ => {}
        }
        self.state.happens(time, at, &what);
        self.recorder.tell(time, at, what);
    }

    fn read(&self, line: &str) -> Option<What> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        if word == "say" {
            return Some(What::Note { text: rest.to_owned(), by: self.someone() });
        }
        if word == "task" {
            let (number, name) = rest.split_once(' ').unwrap_or((rest, ""));
            let (id, name) = (task(number)?, Some(name.to_owned()).filter(|name| !name.is_empty()));
            return Some(What::Spawned { id, name, function: "", by: self.someone(), queued: true });
        }
        let (rest, by) = match rest.rsplit_once(" by ") {
            Some((rest, by)) => (rest, Some(actor(by))),
            None => (rest, None),
        };
        let by = |holder| {
            by.unwrap_or_else(|| match (self.someone(), holder) {
                (Actor::Loop, Holder::Timer) => Actor::Timer,
                (someone, _) => someone,
            })
        };
        let (what, words) = (rest.split(' ').next()?, rest.split(' ').count());
        let number = || what.parse::<u64>().ok();
        let id = || task(what);
        let one = |what: What| Some(what).filter(|_| words == 1);
        match word {
            "begin" => Some(What::RunBegun),
            "end" => Some(What::RunEnded(if self.is_asked_to_stop { Ended::Stopped } else { Ended::Done })),
            "poll" if self.state.task(id()?).is_some_and(|task| task.is_cancelled) => {
                one(What::DropBegun { id: id()? })
            }
            "poll" => one(What::PollBegun { id: id()? }),
            "pending" => one(What::PollEnded { id: id()?, outcome: Outcome::Pending, waits_at: vec![] }),
            "ready" if self.state.dropping == id() => one(What::Cancelled { id: id()?, panicked: false }),
            "ready" => one(What::PollEnded { id: id()?, outcome: Outcome::Ready, waits_at: vec![] }),
            "panicked" => one(What::PollEnded { id: id()?, outcome: Outcome::Panicked, waits_at: vec![] }),
            "wake" => {
                let (id, from) = (id()?, Holder::Unknown);
                let is_over = self.state.task(id).is_some_and(Task::is_over);
                let queued = !is_over && !self.state.ready.contains(&id);
                one(What::Woken { id, by: by(from), queued, from, by_value: false, live: self.wakers(id).len() })
            }
            "clone" => {
                let (id, holder) = (id()?, self.waits_for.map_or(Holder::Timer, Holder::JoinerOf));
                one(What::WakerCloned { id, by: by(holder), holder, live: self.wakers(id).len() + 1 })
            }
            "drop" => {
                let id = id()?;
                let holder = self.dropped(id);
                one(What::WakerDropped { id, by: by(holder), holder, live: self.wakers(id).len().saturating_sub(1) })
            }
            "timer" => {
                let mut words = rest.split(' ').rev();
                let deadline = words.next()?.parse::<u128>().ok()?;
                let whom = if rest.split(' ').count() == 3 { task(words.next()?) } else { self.state.running };
                // A deadline that never comes has more milliseconds than a `u64` can count.
                let deadline = u64::try_from(deadline).map_or(Duration::MAX, Duration::from_millis);
                Some(What::TimerSet { timer: number()?, id: Some(whom?), deadline, by: by(Holder::Unknown) })
            }
            "fire" => one(What::TimerFired { timer: number()? }),
            "forget" => one(What::TimerDropped { timer: number()?, by: by(Holder::Unknown) }),
            "clock" => number().and(one(What::ClockJumped { from: self.state.time })),
            "close" => Some(What::CloseBegun),
            "cancel" => one(What::CancelAsked { id: id()?, by: by(Holder::Unknown) }),
            "join" => one(What::Joined { id: id()?, by: by(Holder::Unknown) }),
            "stop" => Some(What::StopAsked { by: by(Holder::Unknown) }),
            _ => None,
        }
    }

    fn someone(&self) -> Actor {
        let nobody = if self.is_timers_turn { Actor::Timer } else { Actor::Loop };
        self.state.running.map_or(nobody, Actor::Of)
    }

    /// Who keeps the clones of a task's waker.
    fn wakers(&self, id: Id) -> &[Holder] {
        self.state.task(id).map_or(&[], |task| &task.wakers)
    }

    /// Whose clone of a task's waker it is that ends.
    fn dropped(&self, id: Id) -> Holder {
        let known = self.wakers(id);
        let fits = match self.state.running {
            // The old one goes as the new one takes its place.
            Some(running) if running == id => {
                let same = known.iter().filter(|holder| **holder == self.last_holder).count();
                if same > 1 { self.last_holder } else { Holder::Timer }
            }
            Some(running) => Holder::JoinerOf(running),
            None => Holder::Timer,
        };
        if known.contains(&fits) { fits } else { known.first().copied().unwrap_or(Holder::Timer) }
    }
}

fn task(number: &str) -> Option<Id> {
    number.parse().ok().map(Id::Task)
}

fn thread_actor(name: Option<&str>) -> Actor {
    Actor::Thread(name.unwrap_or("without a name").to_owned())
}

fn actor(name: &str) -> Actor {
    match name {
        "the timer" => Actor::Timer,
        "the loop" => Actor::Loop,
        other => match other.strip_prefix("task ").and_then(task) {
            Some(id) => Actor::Of(id),
            None => Actor::Thread(other.to_owned()),
        },
    }
}
