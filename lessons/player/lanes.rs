//! The run as lanes: one for each task and for each who wakes from elsewhere, over the steps.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use handloop::TaskState;
use handloop::record::{Actor, Event, Id, What};

use super::replay::{Names, State, parties};
use super::sentence::{full, seconds, who};

/// A task is in one state from a step to the one before `to`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    pub from: usize,
    pub to: usize,
    pub state: TaskState,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lane {
    pub name: String,
    /// Of a task; `None` for the timer, the loop, another thread.
    pub id: Option<Id>,
    pub segments: Vec<Segment>,
    /// What happened to it, and at which step; a letter each.
    pub marks: Vec<(usize, char)>,
}

impl Lane {
    /// Whether there is anything of it between these steps: a mark, or a task that is not over.
    pub fn is_seen(&self, steps: std::ops::RangeInclusive<usize>) -> bool {
        let is_over = |state| matches!(state, TaskState::Finished | TaskState::Panicked | TaskState::Cancelled);
        let (first, last) = (*steps.start(), *steps.end());
        self.marks.iter().any(|(step, _)| steps.contains(step))
            || self.segments.iter().any(|s| !is_over(s.state) && s.from <= last && s.to > first)
    }
}

/// Who did something to whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrow {
    pub step: usize,
    pub from: usize,
    pub to: usize,
    pub kind: &'static str,
}

/// At this step the clock jumped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gap {
    pub step: usize,
    pub by: Duration,
}

impl Gap {
    /// `+1 s`, where there is little room.
    pub fn short(&self) -> String {
        let number = format!("{:.3}", self.by.as_secs_f64());
        format!("+{} s", number.trim_end_matches('0').trim_end_matches('.'))
    }

    pub fn text(&self) -> String {
        format!("{} later", seconds(self.by))
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lanes {
    pub lanes: Vec<Lane>,
    pub arrows: Vec<Arrow>,
    pub gaps: Vec<Gap>,
    pub last: usize,
}

/// The letters of the marks, for a legend.
pub const LETTERS: [(char, &str); 13] = [
    ('S', "spawned"),
    ('W', "woken"),
    ('w', "woken in vain"),
    ('T', "timer"),
    ('C', "waker cloned"),
    ('D', "waker dropped"),
    ('J', "joined"),
    ('F', "finished"),
    ('P', "panicked"),
    ('X', "cancelled"),
    ('d', "detached"),
    ('>', "prints"),
    ('*', "does this to the task that is marked in the same column"),
];

/// The lanes of a whole recording.
pub fn lanes(events: &[Event], names: &Arc<Names>) -> Lanes {
    let state = State::new(names);
    let mut builder = Builder { state, tasks: BTreeMap::new(), actors: vec![], lanes: Lanes::default() };
    for event in events {
        builder.state.apply(event);
        builder.add(event);
    }
    builder.finish()
}

struct Builder {
    state: State,
    tasks: BTreeMap<Id, usize>,
    actors: Vec<(String, usize)>,
    lanes: Lanes,
}

impl Builder {
    fn add(&mut self, event: &Event) {
        let step = self.state.step;
        if let What::ClockJumped { from } = &event.what {
            self.lanes.gaps.push(Gap { step, by: event.time - *from });
        }
        let (whom, by) = parties(&event.what);
        let to = whom.map(|id| self.task(id));
        let mark = letter(&event.what);
        let from = by.and_then(|by| self.actor(by, &event.what));
        if let (Some(kind), Some(to)) = (arrow(&event.what), to.or(from)) {
            let from = from.unwrap_or(to);
            self.lanes.arrows.push(Arrow { step, from, to, kind });
        }
        // What is about no task is its doer's.
        if let (Some(mark), Some(lane)) = (mark, to.or(from)) {
            self.lanes.lanes[lane].marks.push((step, mark));
        }
        if let (Some(from), Some(to)) = (from, to) {
            if from != to {
                self.lanes.lanes[from].marks.push((step, '*'));
            }
        }
        for (id, task) in &self.state.tasks {
            let Some(lane) = self.tasks.get(id) else { continue };
            // What is dropped does not run any more.
            let state = if self.state.dropping == Some(*id) { TaskState::Cancelled } else { task.state };
            let segments = &mut self.lanes.lanes[*lane].segments;
            match segments.last_mut() {
                Some(last) if last.state == state => last.to = step + 1,
                _ => segments.push(Segment { from: step, to: step + 1, state }),
            }
        }
    }

    fn task(&mut self, id: Id) -> usize {
        *self.tasks.entry(id).or_insert_with(|| {
            let name = full(&self.state, id);
            self.lanes.lanes.push(Lane { name, id: Some(id), segments: vec![], marks: vec![] });
            self.lanes.lanes.len() - 1
        })
    }

    /// The lane of whoever did it, if it is one that shows: a thread or the timer does where it acts on a task.
    fn actor(&mut self, by: &Actor, what: &What) -> Option<usize> {
        let is_shown = matches!(what, What::Woken { .. } | What::Submitted { .. } | What::Note { .. })
            || matches!(what, What::CancelAsked { .. } | What::Joined { .. } | What::StopAsked { .. });
        match by {
            Actor::Of(id) => Some(self.task(*id)),
            Actor::Timer | Actor::Thread(_) if is_shown => {
                let name = who(by);
                if let Some((_, lane)) = self.actors.iter().find(|(known, _)| *known == name) {
                    return Some(*lane);
                }
                self.lanes.lanes.push(Lane { name: name.clone(), id: None, segments: vec![], marks: vec![] });
                self.actors.push((name, self.lanes.lanes.len() - 1));
                self.actors.last().map(|(_, lane)| *lane)
            }
            _ => None,
        }
    }

    /// Tasks first, then callbacks, then the others, each in the order in which they turned up.
    fn finish(mut self) -> Lanes {
        let mut order: Vec<usize> = (0..self.lanes.lanes.len()).collect();
        order.sort_by_key(|lane| match self.lanes.lanes[*lane].id {
            Some(id) => (0, Some(id), *lane),
            None => (1, None, *lane),
        });
        let mut places = vec![0; order.len()];
        order.iter().enumerate().for_each(|(place, lane)| places[*lane] = place);
        for arrow in &mut self.lanes.arrows {
            (arrow.from, arrow.to) = (places[arrow.from], places[arrow.to]);
        }
        self.lanes.lanes = order.into_iter().map(|lane| self.lanes.lanes[lane].clone()).collect();
        self.lanes.last = self.state.step;
        self.lanes
    }
}

fn arrow(what: &What) -> Option<&'static str> {
    match what {
        What::Woken { .. } => Some("wake"),
        What::Spawned { .. } | What::Submitted { .. } => Some("spawn"),
        What::Joined { .. } => Some("join"),
        What::CancelAsked { .. } => Some("cancel"),
        What::WakerDropped { .. } => Some("drop"),
        What::Note { .. } => Some("print"),
        _ => None,
    }
}

fn letter(what: &What) -> Option<char> {
    use handloop::record::Outcome;
    Some(match what {
        What::Spawned { .. } | What::Submitted { .. } => 'S',
        What::Woken { queued: true, .. } => 'W',
        What::Woken { .. } => 'w',
        What::TimerSet { .. } => 'T',
        What::WakerCloned { .. } => 'C',
        What::WakerDropped { .. } => 'D',
        What::Joined { .. } => 'J',
        What::PollEnded { outcome: Outcome::Ready, .. } => 'F',
        What::PollEnded { outcome: Outcome::Panicked, .. } | What::Cancelled { panicked: true, .. } => 'P',
        What::DropBegun { .. } | What::Cancelled { .. } => 'X',
        What::Detached { .. } => 'd',
        What::Note { .. } => '>',
        _ => return None,
    })
}
