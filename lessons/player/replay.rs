//! What there is after the first events of a recording: one function, from which terminal, timeline, picture and page
//! are all drawn.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Source;
use handloop::TaskState;
use handloop::record::{Actor, Ended, Event, Holder, Id, Outcome, Place, What};

/// What the loop does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doing {
    NotRunning,
    Running,
    Parked,
    Stalled,
    Closing,
    Closed,
}

/// One task or callback.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Task {
    /// As the program calls it: `do_some_work(1)`.
    pub name: String,
    pub state: TaskState,
    pub polls: u32,
    /// Who keeps a clone of its waker.
    pub wakers: Vec<Holder>,
    /// The `.await`s that it waits at.
    pub waits_at: Vec<Place>,
    /// The step at which the last clone of its waker was dropped, uncalled, while it waited.
    pub lost_at: Option<usize>,
    /// The step at which it came to be.
    pub since: usize,
    /// The line that made it.
    pub made_at: Option<Place>,
    /// Somebody has asked for its cancellation.
    pub is_cancelled: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timer {
    pub number: u64,
    pub deadline: Duration,
    pub whom: Option<Id>,
}

/// A line that the program has printed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    pub step: usize,
    pub text: String,
}

/// What the program's text says: which of its functions are async, and where a line is one of its own.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Names {
    pub files: Vec<&'static str>,
    pub async_functions: Vec<String>,
}

impl Names {
    pub fn of(sources: &[Source]) -> Self {
        let words = sources.iter().flat_map(|source| source.text.split("async fn ").skip(1));
        let name = |rest: &str| {
            rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().map(str::to_owned)
        };
        Names {
            files: sources.iter().map(|source| source.path).collect(),
            async_functions: words.filter_map(name).collect(),
        }
    }

    /// The index of the file that a place is in, if it is one of the program's.
    pub fn file(&self, place: Place) -> Option<usize> {
        let file = place.file().replace('\\', "/");
        self.files.iter().position(|known| file.ends_with(known))
    }

    /// `gather::do_some_work::{{closure}}`, as the compiler calls a future, is `do_some_work`. An async block and a
    /// closure are called like their function, and are no function.
    fn function(&self, id: Id, path: &str) -> String {
        // The types of generic arguments are no part of the path.
        let path = path.split('<').next().unwrap_or(path);
        let name = path.split("::").filter(|part| !part.starts_with('{') && !part.is_empty()).last();
        match (name, id) {
            (None, _) => String::new(),
            (Some(name), _) if !path.contains("::") => name.to_owned(),
            (Some(name), _) if self.async_functions.iter().any(|known| known == name) => name.to_owned(),
            (Some(name), Id::Callback(_)) => format!("a closure in {name}()"),
            (Some(name), Id::Task(_)) => format!("an async block in {name}()"),
        }
    }
}

/// The whole of it after some events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    /// So many events.
    pub step: usize,
    pub time: Duration,
    pub doing: Doing,
    /// Who is polled, or dropped.
    pub running: Option<Id>,
    /// What is dropped: a wake no longer makes it ready.
    pub dropping: Option<Id>,
    /// Front first.
    pub ready: Vec<Id>,
    /// Earliest first.
    pub timers: Vec<Timer>,
    pub tasks: BTreeMap<Id, Task>,
    pub output: Vec<Line>,
    /// The line that is marked.
    pub place: Option<Place>,
    /// The line that was marked last: where it is shown nothing is marked.
    pub shown: Option<Place>,
    pub names: Arc<Names>,
}

/// What there is after these events.
pub fn replay(events: &[Event], names: &Arc<Names>) -> State {
    let mut state = State::new(names);
    events.iter().for_each(|event| state.apply(event));
    state
}

impl State {
    /// Before the first event.
    pub fn new(names: &Arc<Names>) -> Self {
        State {
            names: names.clone(),
            step: 0,
            time: Duration::ZERO,
            doing: Doing::NotRunning,
            running: None,
            dropping: None,
            ready: Vec::new(),
            timers: Vec::new(),
            tasks: BTreeMap::new(),
            output: Vec::new(),
            place: None,
            shown: None,
        }
    }

    /// The one function: what there is after one event more.
    pub fn apply(&mut self, event: &Event) {
        self.happens(event.time, event.at, &event.what);
    }

    /// The same, of an event that nobody has numbered yet.
    pub fn happens(&mut self, time: Duration, at: Option<Place>, what: &What) {
        self.step += 1;
        self.time = time;
        match what {
            What::Spawned { id, name, function, queued, .. } => {
                self.add(*id, name.as_deref(), function, *queued, at);
            }
            What::Submitted { id, function, .. } => self.add(*id, None, function, true, at),
            What::CancelAsked { id, .. } => self.change(*id, |task| task.is_cancelled = true),
            What::PollBegun { id } => {
                self.begin(*id);
                self.change(*id, |task| task.polls += 1);
            }
            What::DropBegun { id } => {
                self.begin(*id);
                self.dropping = Some(*id);
            }
            What::PollEnded { id, outcome, waits_at } => {
                let is_ready = self.ready.contains(id);
                self.end(
                    *id,
                    match outcome {
                        Outcome::Pending if is_ready => TaskState::Ready,
                        Outcome::Pending => TaskState::Waiting,
                        Outcome::Ready => TaskState::Finished,
                        Outcome::Panicked => TaskState::Panicked,
                    },
                );
                self.change(*id, |task| task.waits_at.clone_from(waits_at));
            }
            What::Cancelled { id, panicked } => {
                self.end(*id, if *panicked { TaskState::Panicked } else { TaskState::Cancelled });
                self.change(*id, |task| task.waits_at.clear());
            }
            What::Woken { id, queued, from, by_value, .. } => {
                if *by_value {
                    self.change(*id, |task| task.let_go(*from));
                }
                if *queued && self.dropping != Some(*id) {
                    self.ready.push(*id);
                    self.change(*id, |task| {
                        if task.state == TaskState::Waiting {
                            task.state = TaskState::Ready;
                        }
                    });
                }
            }
            What::WakerCloned { id, holder, .. } => self.change(*id, |task| task.wakers.push(*holder)),
            What::WakerDropped { id, holder, .. } => {
                let step = self.step;
                self.change(*id, |task| {
                    task.let_go(*holder);
                    if task.wakers.is_empty() && task.state == TaskState::Waiting {
                        task.lost_at = Some(step);
                    }
                });
            }
            What::TimerSet { timer, id, deadline, .. } => {
                self.timers.retain(|known| known.number != *timer);
                self.timers.push(Timer { number: *timer, deadline: *deadline, whom: *id });
                self.timers.sort_by_key(|timer| (timer.deadline, timer.number));
            }
            What::TimerFired { timer } | What::TimerDropped { timer, .. } => {
                self.timers.retain(|known| known.number != *timer);
            }
            What::RunBegun | What::Unparked { .. } => self.doing = Doing::Running,
            What::ClockJumped { .. } if self.doing == Doing::Parked => self.doing = Doing::Running,
            What::Parked => self.doing = Doing::Parked,
            What::Stalled(_) => self.doing = Doing::Stalled,
            What::RunEnded(Ended::Stalled) => {}
            What::RunEnded(_) => self.doing = Doing::NotRunning,
            What::CloseBegun => self.doing = Doing::Closing,
            What::Closed => self.doing = Doing::Closed,
            What::Note { text, .. } => self.output.push(Line { step: self.step, text: text.clone() }),
            _ => {}
        }
        self.mark(at, what);
    }

    fn add(&mut self, id: Id, name: Option<&str>, function: &str, queued: bool, made_at: Option<Place>) {
        let state = if queued { TaskState::Ready } else { TaskState::Waiting };
        let name = name.map_or_else(|| self.names.function(id, function), str::to_owned);
        let since = self.step;
        let task = Task {
            name,
            state,
            polls: 0,
            wakers: vec![],
            waits_at: vec![],
            lost_at: None,
            since,
            made_at,
            is_cancelled: false,
        };
        self.tasks.insert(id, task);
        if queued {
            self.ready.push(id);
        }
    }

    fn begin(&mut self, id: Id) {
        // A clock that has not moved, or a timer alone, ends a park and tells nothing of it.
        if self.doing == Doing::Parked {
            self.doing = Doing::Running;
        }
        self.running = Some(id);
        self.ready.retain(|ready| *ready != id);
        self.change(id, |task| task.state = TaskState::Running);
    }

    fn end(&mut self, id: Id, state: TaskState) {
        (self.running, self.dropping) = (None, None);
        if !matches!(state, TaskState::Ready | TaskState::Waiting) {
            // An entry that is still there will be passed over.
            self.ready.retain(|ready| *ready != id);
        }
        self.change(id, |task| task.state = state);
    }

    fn change(&mut self, id: Id, change: impl FnOnce(&mut Task)) {
        if let Some(task) = self.tasks.get_mut(&id) {
            change(task);
        }
    }

    /// Marks the line of the program that an event is about; none, where that is not known. What a poll does is marked
    /// at the last line that was known of this poll.
    fn mark(&mut self, at: Option<Place>, what: &What) {
        let waits = |id: &Id| self.tasks.get(id).and_then(|task| task.waits_at.first().copied());
        let own = at.or(match what {
            What::PollBegun { id } => waits(id).or(self.tasks.get(id).and_then(|task| task.made_at)),
            What::PollEnded { waits_at, .. } => waits_at.first().copied(),
            What::Woken { id, by: Actor::Timer, .. } => waits(id),
            What::TimerFired { .. } => None,
            _ => None,
        });
        let own = own.filter(|place| self.names.file(place).is_some());
        let is_in_poll = self.running.is_some() || matches!(what, What::PollEnded { .. } | What::Cancelled { .. });
        let begins = matches!(what, What::PollBegun { .. } | What::DropBegun { .. });
        self.place = own.or(self.place.filter(|_| is_in_poll && !begins));
        self.shown = self.place.or(self.shown);
    }

    /// What is not over, or was so until this step.
    pub fn task(&self, id: Id) -> Option<&Task> {
        self.tasks.get(&id)
    }
}

impl Task {
    fn let_go(&mut self, holder: Holder) {
        let place = self.wakers.iter().position(|known| *known == holder);
        if let Some(place) = place.or_else(|| self.wakers.len().checked_sub(1)) {
            self.wakers.remove(place);
        }
    }

    pub fn is_over(&self) -> bool {
        matches!(self.state, TaskState::Finished | TaskState::Panicked | TaskState::Cancelled)
    }
}

/// Whom an event is about, and who did it.
pub fn parties(what: &What) -> (Option<Id>, Option<&Actor>) {
    match what {
        What::Spawned { id, by, .. }
        | What::Submitted { id, by, .. }
        | What::Woken { id, by, .. }
        | What::WakerCloned { id, by, .. }
        | What::WakerDropped { id, by, .. }
        | What::CancelAsked { id, by }
        | What::Joined { id, by }
        | What::Detached { id, by } => (Some(*id), Some(by)),
        What::PollBegun { id } | What::PollEnded { id, .. } | What::DropBegun { id } | What::Cancelled { id, .. } => {
            (Some(*id), None)
        }
        What::TimerSet { id, by, .. } => (*id, Some(by)),
        What::TimerDropped { by, .. } | What::Unparked { by } | What::StopAsked { by } | What::Note { by, .. } => {
            (None, Some(by))
        }
        _ => (None, None),
    }
}
