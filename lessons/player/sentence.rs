//! What happened at a step, in plain words.

use std::time::Duration;

use handloop::record::{Actor, Ended, Event, Holder, Id, Outcome, Place, What};
use handloop::{StallReport, TaskState};

use super::replay::{Doing, State, Task};
use super::told::JOB;

/// The sentence of a step. `before` is what there was before its event, `after` what there is now.
pub fn sentence(before: &State, event: &Event, after: &State) -> String {
    let words = Words { before, after };
    let text = match &event.what {
        What::Spawned { id, by, queued, .. } => words.spawned(*id, by, *queued),
        What::Submitted { id, function: JOB, by } => {
            let full = words.mid(*id);
            format!("{} puts {full} into the inbox, and an entry for it at the end of the ready queue.", who(by))
        }
        What::Submitted { id, by, .. } => {
            format!(
                "The loop takes over {}, which {} has sent: it goes to the end of the ready queue.",
                words.full(*id),
                who(by)
            )
        }
        What::PollBegun { id } => words.poll_begun(*id),
        What::PollEnded { id, outcome, waits_at } => words.poll_ended(*id, *outcome, waits_at),
        What::Woken { id, by, queued, .. } => words.woken(*id, by, *queued),
        What::WakerCloned { id, by, holder, live } => words.cloned(*id, by, *holder, *live),
        What::WakerDropped { id, by, holder, live } => words.dropped(*id, by, *holder, *live),
        What::TimerSet { timer, id, deadline, .. } => words.timer_set(*timer, *id, *deadline),
        What::TimerFired { timer } => {
            let (time, whom) = (seconds(after.time), words.timer(*timer));
            let next = if words.timer_has_waker(*timer) { "calls its waker next" } else { "makes its task ready next" };
            format!("The clock shows {time}: the timer of {whom} is due. It leaves the list, and {next}.")
        }
        What::TimerDropped { timer, .. } => {
            format!("The timer of {} is taken off: what waited for it is gone.", words.timer(*timer))
        }
        What::CancelAsked { id, by } if *by == Actor::Of(*id) => format!("{} cancels itself.", words.full(*id)),
        What::CancelAsked { id, by } => format!("{} cancels {}.", words.doer(by), words.full(*id)),
        What::DropBegun { id } if before.doing == Doing::Running => {
            format!("The loop drops the future of {} instead of polling it.", words.mid(*id))
        }
        What::DropBegun { id } if before.doing == Doing::Closing => {
            format!("The loop closes: the future of {} is dropped.", words.mid(*id))
        }
        What::DropBegun { id } => format!("The run is over and {} is not: it is given up.", words.mid(*id)),
        What::Cancelled { id: id @ Id::Callback(_), .. } => format!("{id} is cancelled: it will not run."),
        What::Cancelled { id, panicked: false } if matches!(before.doing, Doing::NotRunning | Doing::Stalled) => {
            format!("{id} is cancelled. What its future still holds is dropped next.")
        }
        What::Cancelled { id, panicked: false } => format!("{id} is cancelled: its future is gone."),
        What::Cancelled { id, panicked: true } => format!("{id} is over: a destructor of its future panicked."),
        What::Joined { id, by } => format!("{} takes the result of {}.", who(by), words.full(*id)),
        What::Detached { id, .. } if words.is_over(*id) => {
            format!("The handle of {} is dropped, and with it the result.", words.mid(*id))
        }
        What::Detached { id, .. } => {
            format!("The handle of {} is dropped: nobody will ask for its result.", words.mid(*id))
        }
        What::RunBegun => "The loop begins to run.".to_owned(),
        What::Parked if after.timers.is_empty() && after.tasks.values().any(|task| task.wakers.contains(&Holder::Timer)) => {
            "Nothing is ready: the loop waits until somebody calls a waker.".to_owned()
        }
        What::Parked if after.timers.is_empty() => {
            "Nothing is ready, and no timer is set: the loop looks for what other threads have sent, and waits for it if \
             need be."
                .to_owned()
        }
        What::Parked => "Nothing is ready: the loop waits for a deadline, or for another thread.".to_owned(),
        What::CloseBegun => "The loop begins to close: what is not over will be dropped.".to_owned(),
        What::Unparked { by: Actor::Timer } => {
            "The timer thread has seen a deadline pass: the loop goes on.".to_owned()
        }
        What::Unparked { by } => format!("{} has sent something: the loop goes on.", who(by)),
        What::ClockJumped { from } if !before.ready.is_empty() => format!(
            "Each has had a poll, and the loop cannot know when another is worth it: it waits a little. This clock is \
             virtual, and jumps, from {} to {}.",
            seconds(*from),
            seconds(after.time)
        ),
        What::ClockJumped { from } => format!(
            "Nothing is ready, so a loop would sleep until the next deadline: this clock is virtual, and jumps there, from {} \
             to {}.",
            seconds(*from),
            seconds(after.time)
        ),
        What::StopAsked { by } => format!("{} asks the loop to stop.", who(by)),
        What::Stalled(report) => words.stalled(report),
        What::RunEnded(Ended::Done) => "What the run was for is done: it ends.".to_owned(),
        What::RunEnded(Ended::Stopped) => "It was asked to stop: the turn is over, and the run ends.".to_owned(),
        What::RunEnded(Ended::Stalled) => "The loop cannot go on, so the run ends.".to_owned(),
        What::RunEnded(Ended::Panicked) => "The future of the run panicked, so the run ends.".to_owned(),
        What::Closed => "The loop is closed.".to_owned(),
        What::Note { text, by: Actor::Loop } if before.doing == Doing::NotRunning => {
            format!("The program prints: {text}")
        }
        What::Note { text, by } => format!("{} prints: {text}", who(by)),
        _ => "Something happened that this player has no words for.".to_owned(),
    };
    capitalise(&text)
}

struct Words<'a> {
    before: &'a State,
    after: &'a State,
}

impl Words<'_> {
    fn task(&self, id: Id) -> Option<&Task> {
        self.after.task(id).or_else(|| self.before.task(id))
    }

    /// The same in mid-sentence: with a comma behind a name.
    fn mid(&self, id: Id) -> String {
        let full = self.full(id);
        if full.contains(',') { full + "," } else { full }
    }

    /// `task 2, do_some_work(1)`.
    fn full(&self, id: Id) -> String {
        full(self.after, id)
    }

    /// `task 2`, or what its end does.
    fn doer(&self, by: &Actor) -> String {
        match by {
            Actor::Of(id) if self.is_over(*id) => format!("the end of {id}"),
            other => who(other),
        }
    }

    fn is_over(&self, id: Id) -> bool {
        self.task(id).is_some_and(Task::is_over)
    }

    fn spawned(&self, id: Id, by: &Actor, queued: bool) -> String {
        let place = match (queued, id) {
            (true, _) => "it goes to the end of the ready queue",
            (false, Id::Callback(_)) => "it waits for its time",
            (false, Id::Task(_)) => "but the loop is closed",
        };
        let full = self.full(id);
        match (by, id) {
            (Actor::Of(parent), Id::Task(_)) => format!("{parent} spawns {full}: {place}."),
            (Actor::Of(parent), Id::Callback(_)) => format!("{parent} schedules {full}: {place}."),
            (_, Id::Task(_)) => format!("{} is made: {place}.", self.mid(id)),
            (_, Id::Callback(_)) => format!("{} is scheduled: {place}.", self.mid(id)),
        }
    }

    fn poll_begun(&self, id: Id) -> String {
        let full = self.full(id);
        if matches!(id, Id::Callback(_)) {
            return format!("The loop runs {full}.");
        }
        let task = self.before.task(id);
        match task.and_then(|task| task.waits_at.first()) {
            _ if task.is_none_or(|task| task.polls == 0) => {
                format!("The loop polls {} for the first time.", self.mid(id))
            }
            Some(_) => {
                let at = task.and_then(|task| lines(self.before, &task.waits_at)).unwrap_or_default();
                format!("The loop polls {} again: it waited at {at}.", self.mid(id))
            }
            None => format!("The loop polls {} again.", self.mid(id)),
        }
    }

    fn poll_ended(&self, id: Id, outcome: Outcome, waits_at: &[Place]) -> String {
        let queued = self.task(id).is_some_and(|task| task.state == TaskState::Ready);
        let rest = if queued { " It is in the ready queue, so it will be polled again." } else { "" };
        match (outcome, id) {
            (Outcome::Ready, Id::Callback(_)) => format!("{id} returns."),
            (Outcome::Ready, _) => format!("{id} returns ready: it is finished."),
            (Outcome::Panicked, _) => format!("{id} panics: it is over."),
            (Outcome::Pending, _) => match lines(self.after, waits_at) {
                None if queued => format!("{id} returns pending.{rest}"),
                None => format!("{id} returns pending: it waits."),
                Some(lines) => format!("{id} returns pending: it waits at {lines}.{rest}"),
            },
        }
    }

    fn woken(&self, id: Id, by: &Actor, queued: bool) -> String {
        let woken = match by {
            Actor::Of(waker) if *waker == id => format!("{id} wakes itself"),
            other => format!("{} wakes {}", self.doer(other), self.full(id)),
        };
        let was_cancelled = self.before.task(id).is_some_and(|task| task.is_cancelled);
        if queued && was_cancelled && !matches!(by, Actor::Timer) {
            format!(
                "{} goes to the end of the ready queue, so that it is dropped: a cancel needs no waker.",
                self.mid(id)
            )
        } else if queued {
            format!("{woken}: it goes to the end of the ready queue.")
        } else if self.is_over(id) {
            format!("{woken}: it is over, so nothing happens.")
        } else if self.after.ready.contains(&id) {
            format!("{woken}: it is in the ready queue already, so nothing changes.")
        } else {
            format!("{woken}: it has been polled since, so nothing changes.")
        }
    }

    fn cloned(&self, id: Id, by: &Actor, holder: Holder, live: usize) -> String {
        let count = count(live);
        match holder {
            Holder::Timer => format!("A clone of the waker of {id} is made for its timer ({count})."),
            Holder::JoinerOf(other) => {
                format!("A clone of the waker of {id} is left with {other}, to be called when that ends ({count}).")
            }
            Holder::Gather => {
                format!(
                    "A clone of the waker of {id} is left with gather, to be called when its tasks are done ({count})."
                )
            }
            Holder::Promise => {
                format!(
                    "A clone of the waker of {id} is left with the promise of a result, to be called when that is set ({count})."
                )
            }
            Holder::Remote => {
                format!(
                    "A clone of the waker of {id} is left with a submitted task, to be called when that ends ({count})."
                )
            }
            Holder::Unknown if *by == Actor::Of(id) => {
                format!("{id} clones its waker, and your code keeps it ({count}).")
            }
            Holder::Unknown => format!("{} clones the waker of {id} ({count}).", who(by)),
        }
    }

    fn dropped(&self, id: Id, by: &Actor, holder: Holder, live: usize) -> String {
        let which = match holder {
            Holder::Unknown => String::new(),
            known => format!(" that {} had", holder_name(known)),
        };
        let is_own = match (by, holder) {
            (Actor::Timer, Holder::Timer) => true,
            (Actor::Of(task), Holder::JoinerOf(joined)) => *task == joined,
            _ => false,
        };
        if live > 0 && is_own {
            return format!("{} drops its clone of the waker of {id} ({}).", self.doer(by), count(live));
        }
        if live > 0 {
            return format!("{} drops the clone{which} of the waker of {id} ({}).", self.doer(by), count(live));
        }
        let whose = if is_own { "its last clone".to_owned() } else { format!("the last clone{which}") };
        let last = format!("{} drops {whose} of the waker of {}", self.doer(by), self.full(id));
        match self.task(id).map(|task| task.state) {
            Some(TaskState::Waiting) => format!("{last}. It waits, and now no waker is left that could wake it."),
            _ => format!("{last}."),
        }
    }

    fn timer_set(&self, number: u64, id: Option<Id>, deadline: Duration) -> String {
        let whom = id.map_or("a waker of another loop".to_owned(), |id| self.full(id));
        if self.before.timers.iter().any(|timer| timer.number == number) {
            return format!("The timer for {} will wake {whom}.", seconds(deadline));
        }
        let whom = id.map_or(whom, |id| self.mid(id));
        format!("A timer is set: it will wake {whom} at {}.", seconds(deadline))
    }

    fn timer(&self, number: u64) -> String {
        let timer = self.before.timers.iter().find(|timer| timer.number == number);
        timer.and_then(|timer| timer.whom).map_or("another loop's task".to_owned(), |id| self.mid(id))
    }

    fn timer_has_waker(&self, number: u64) -> bool {
        let timer = self.before.timers.iter().find(|timer| timer.number == number);
        let task = timer.and_then(|timer| self.before.task(timer.whom?));
        task.is_none_or(|task| !task.wakers.is_empty())
    }

    fn stalled(&self, report: &StallReport) -> String {
        let mut text = report.to_string();
        for stuck in &report.tasks {
            let id = Id::Task(stuck.task.id);
            if let Some(step) = self.before.task(id).and_then(|task| task.lost_at) {
                text.push_str(&format!("\nThe last waker of {id} was dropped at step {step}."));
            }
        }
        text
    }
}

/// `task 2, do_some_work(1)`; `task 2` where it has no name.
pub fn full(state: &State, id: Id) -> String {
    match state.task(id).map(|task| task.name.as_str()) {
        Some("") | None => id.to_string(),
        Some(name) => format!("{id}, {name}"),
    }
}

pub fn who(actor: &Actor) -> String {
    match actor {
        Actor::Thread(name) if name == "main" => "the main thread".to_owned(),
        Actor::Thread(name) if name.starts_with("thread ") => name.clone(),
        Actor::Thread(name) => match name.split_once("-Task-") {
            Some((_, task)) => format!("the thread of task {task}'s job"),
            None => format!("the thread {name}"),
        },
        other => other.to_string(),
    }
}

pub fn holder_name(holder: Holder) -> String {
    match holder {
        Holder::Timer => "the timer".to_owned(),
        Holder::JoinerOf(id) => id.to_string(),
        Holder::Gather => "gather".to_owned(),
        Holder::Promise => "a promise".to_owned(),
        Holder::Remote => "a submitted task".to_owned(),
        Holder::Unknown => "your code".to_owned(),
    }
}

/// `2 of task 3: the timer, the program`, or `none`.
pub fn holders(task: &Task) -> String {
    if task.wakers.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<String> = task.wakers.iter().map(|holder| holder_name(*holder)).collect();
    format!("{}: {}", names.len(), names.join(", "))
}

pub fn state_name(state: TaskState) -> &'static str {
    match state {
        TaskState::Ready => "ready",
        TaskState::Running => "running",
        TaskState::Waiting => "waiting",
        TaskState::Finished => "finished",
        TaskState::Panicked => "panicked",
        TaskState::Cancelled => "cancelled",
    }
}

/// The state of a task, also while its future is dropped.
pub fn state_of(state: &State, id: Id) -> &'static str {
    match state.task(id) {
        _ if state.dropping == Some(id) => "being dropped",
        Some(task) => state_name(task.state),
        None => "",
    }
}

pub fn doing(state: &State) -> String {
    match (state.doing, state.running) {
        (Doing::NotRunning, _) => "is not running".to_owned(),
        (Doing::Running, _) if state.dropping.is_some() => "drops a future".to_owned(),
        (Doing::Running, Some(id @ Id::Callback(_))) => format!("runs {id}"),
        (Doing::Running, Some(id)) => format!("polls {id}"),
        (Doing::Running, None) => "is between two polls".to_owned(),
        (Doing::Parked, _) => "waits".to_owned(),
        (Doing::Stalled, _) => "is stalled".to_owned(),
        (Doing::Closing, _) => "closes".to_owned(),
        (Doing::Closed, _) => "is closed".to_owned(),
    }
}

/// `line 12`, `lines 12 and 14`, `line 121 of src/executor.rs`.
pub fn lines(state: &State, places: &[Place]) -> Option<String> {
    let mut numbers: Vec<String> = Vec::new();
    for place in places {
        let number = match state.names.file(place) {
            Some(_) => place.line().to_string(),
            None => format!("{} of {}", place.line(), place.file().replace('\\', "/")),
        };
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    match &numbers[..] {
        [] => None,
        [one] => Some(format!("line {one}")),
        many => Some(format!("lines {}", many.join(" and "))),
    }
}

pub fn seconds(time: Duration) -> String {
    if time == Duration::MAX {
        return "no time".to_owned();
    }
    format!("{:.3} s", time.as_secs_f64())
}

fn count(live: usize) -> String {
    format!("clones alive: {live}")
}

pub fn capitalise(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
