//! The player: a recording of a run, step by step, forward and back.
//!
//! | file | its one idea |
//! |---|---|
//! | `replay` | what there is after the first events: the one function that all forms draw from |
//! | `sentence` | what happened at a step, in plain words |
//! | `screen` | one step on a terminal, and as plain text |
//! | `stepper` | `--step`: commands, and the steps that they lead to |
//! | `lanes` | the run as lanes |
//! | `timeline` | `--timeline`: the lanes as text |
//! | `svg` | `--svg`: the lanes as a picture |
//! | `html`, `page.html` | `--html`: the whole as a page |
//! | `told` | what a stage without handloop tells of itself |
//! | `file` | files that are written whole, or not at all |

pub mod file;
pub mod html;
pub mod lanes;
pub mod replay;
pub mod screen;
pub mod sentence;
pub mod stepper;
pub mod svg;
pub mod timeline;
pub mod told;

use std::sync::{Arc, Mutex};

use handloop::record::{Event, Recorder};

use lanes::Lanes;
use replay::{Names, State};

/// A file of the program, as it was compiled.
#[derive(Clone, Copy)]
pub struct Source {
    pub path: &'static str,
    pub text: &'static str,
}

/// A run that is over, and what it takes to show it.
pub struct Recorded {
    pub name: String,
    pub what: &'static str,
    pub sources: &'static [Source],
    pub events: Vec<Event>,
    names: Arc<Names>,
    sentences: Vec<String>,
}

impl Recorded {
    pub fn new(name: impl Into<String>, what: &'static str, sources: &'static [Source], events: Vec<Event>) -> Self {
        let mut sentences = vec!["The program has not begun.".to_owned()];
        let names = Arc::new(Names::of(sources));
        let (mut before, mut after) = (State::new(&names), State::new(&names));
        for event in &events {
            after.apply(event);
            sentences.push(sentence::sentence(&before, event, &after));
            before.apply(event);
        }
        Recorded { name: name.into(), what, sources, events, names, sentences }
    }

    /// The last step. Step 0 is before the first event.
    pub fn last(&self) -> usize {
        self.events.len()
    }

    pub fn state(&self, step: usize) -> State {
        replay::replay(&self.events[..step], &self.names)
    }

    /// What there is before the first event.
    pub fn beginning(&self) -> State {
        State::new(&self.names)
    }

    pub fn lanes(&self) -> Lanes {
        lanes::lanes(&self.events, &self.names)
    }

    pub fn sentence(&self, step: usize) -> &str {
        &self.sentences[step]
    }

    /// The source that is shown, by its index; the line of it in the middle; and whether that is marked.
    pub fn place(&self, state: &State) -> (usize, usize, bool) {
        let of = |place| Some((self.names.file(place)?, place.line() as usize, state.place.is_some()));
        state.shown.and_then(of).unwrap_or((0, 1, false))
    }

    pub fn source_of(&self, state: &State) -> Source {
        let none = Source { path: "", text: "" };
        self.sources.get(self.place(state).0).copied().unwrap_or(none)
    }

    /// Path, number and text of the line that is marked.
    pub fn marked(&self, state: &State) -> Option<(&'static str, usize, &'static str)> {
        let (_, number, is_marked) = self.place(state);
        if !is_marked {
            return None;
        }
        let source = self.source_of(state);
        Some((source.path, number, source.text.lines().nth(number - 1)?))
    }
}

/// Keeps what a recorder is told.
#[derive(Clone)]
pub struct Tape {
    pub recorder: Recorder,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Tape {
    pub fn new() -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let sink = events.clone();
        let recorder = Recorder::new(move |event| {
            sink.lock().expect("nobody panics while it holds the tape").push(event.clone());
        });
        Tape { recorder, events }
    }

    pub fn events(&self) -> Vec<Event> {
        self.events.lock().expect("nobody panics while it holds the tape").clone()
    }
}
