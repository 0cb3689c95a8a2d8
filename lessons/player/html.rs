//! `--html FILE`: the recording as one page that needs nothing else.

use std::collections::BTreeMap;
use std::fmt::Write;

use handloop::record::Id;

use super::Recorded;
use super::replay::State;
use super::sentence::{doing, full, holders, lines, seconds, state_name, state_of};
use super::svg::escape;

const PAGE: &str = include_str!("page.html");

/// The page: a template, and the recording as data in it.
pub fn html(recorded: &Recorded) -> String {
    PAGE.replace("{{title}}", &escape(&recorded.name)).replace("{{data}}", &data(recorded))
}

/// What is on the screen as *tracks*: a value, and the step from which it holds. So each step, forward or back, is a
/// look into the tracks, and what changes at a step is all that it costs.
fn data(recorded: &Recorded) -> String {
    let places = recorded.state(recorded.last()).tasks.into_keys().zip(0..).collect();
    let mut tracks = Tracks { places, ..Tracks::default() };
    let mut state = recorded.beginning();
    let mut sentences = Json::list();
    for step in 0..=recorded.last() {
        if step > 0 {
            state.apply(&recorded.events[step - 1]);
        }
        sentences.text(recorded.sentence(step));
        tracks.add(recorded, &state);
    }
    let mut data = Json::object();
    data.key("title").text(&recorded.name);
    data.key("what").text(recorded.what);
    data.key("last").raw(&recorded.last().to_string());
    data.key("sources").raw(&sources(recorded));
    data.key("sentences").raw(&sentences.end());
    for (name, track) in [
        ("clock", tracks.clock),
        ("place", tracks.place),
        ("loop", tracks.doing),
        ("ready", tracks.ready),
        ("timers", tracks.timers),
    ] {
        data.key(name).raw(&track.end());
    }
    let tasks = tracks.tasks.into_iter().map(|(id, track)| {
        let mut task = Json::object();
        task.key("name").text(full(&state, id));
        task.key("short").text(id.to_string());
        task.key("track").raw(&track.end());
        task.end()
    });
    data.key("tasks").raw(&list(tasks));
    data.key("output").raw(&list(state.output.iter().map(|line| pair(line.step, &quoted(&line.text)))));
    let lanes = recorded.lanes();
    data.key("lanes").raw(&list(lanes.lanes.iter().map(|lane| {
        let segment = |s: &super::lanes::Segment| format!("[{},{},\"{}\"]", s.from, s.to, state_name(s.state));
        let mut json = Json::object();
        json.key("name").text(&lane.name);
        json.key("kind").text(if lane.id.is_some() { "task" } else { "actor" });
        json.key("segments").raw(&list(lane.segments.iter().map(segment)));
        json.end()
    })));
    let arrow = |a: &super::lanes::Arrow| format!("[{},{},{},\"{}\"]", a.step, a.from, a.to, a.kind);
    data.key("marks").raw(&list(lanes.arrows.iter().map(arrow)));
    data.key("gaps").raw(&list(lanes.gaps.iter().map(|gap| pair(gap.step, &quoted(&gap.short())))));
    data.end()
}

fn sources(recorded: &Recorded) -> String {
    list(recorded.sources.iter().map(|source| {
        let mut json = Json::object();
        json.key("path").text(source.path);
        // A checkout on Windows may have other ends of lines, and its pages are the same.
        json.key("text").text(source.text.replace("\r\n", "\n"));
        json.end()
    }))
}

#[derive(Default)]
struct Tracks {
    /// Where each task stands in the end.
    places: BTreeMap<Id, usize>,
    clock: Track,
    place: Track,
    doing: Track,
    ready: Track,
    timers: Track,
    tasks: BTreeMap<Id, Track>,
}

impl Tracks {
    fn add(&mut self, recorded: &Recorded, state: &State) {
        let step = state.step;
        self.clock.add(step, quoted(&seconds(state.time)));
        self.doing.add(step, quoted(&doing(state)));
        let (source, line, is_marked) = recorded.place(state);
        // 0: nothing is marked, and the page stays where it was.
        self.place.add(step, format!("[{source},{}]", if is_marked { line } else { 0 }));
        // By its place among the tasks: a long queue is written at each step.
        self.ready.add(step, list(state.ready.iter().map(|id| self.places[id].to_string())));
        self.timers.add(
            step,
            list(state.timers.iter().map(|timer| {
                let whom = timer.whom.map_or("another loop's task".to_owned(), |id| id.to_string());
                format!("[{},{}]", quoted(&seconds(timer.deadline)), quoted(&whom))
            })),
        );
        for (id, task) in &state.tasks {
            let mut json = Json::object();
            json.key("state").text(state_of(state, *id));
            json.key("polls").raw(&task.polls.to_string());
            json.key("wakers").text(holders(task));
            json.key("at").text(lines(state, &task.waits_at).unwrap_or_default());
            self.tasks.entry(*id).or_default().add(step, json.end());
        }
    }
}

/// The values that something has had, each with its first step.
#[derive(Default)]
struct Track {
    entries: Vec<String>,
    last: Option<String>,
}

impl Track {
    fn add(&mut self, step: usize, value: String) {
        if self.last.as_ref() != Some(&value) {
            self.entries.push(pair(step, &value));
            self.last = Some(value);
        }
    }

    fn end(self) -> String {
        list(self.entries)
    }
}

fn pair(step: usize, value: &str) -> String {
    format!("[{step},{value}]")
}

fn list(values: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", values.into_iter().collect::<Vec<_>>().join(","))
}

/// An object or a list that is being written.
struct Json {
    text: String,
    close: char,
    is_after_key: bool,
}

impl Json {
    fn object() -> Self {
        Json { text: "{".to_owned(), close: '}', is_after_key: false }
    }

    fn list() -> Self {
        Json { text: "[".to_owned(), close: ']', is_after_key: false }
    }

    fn comma(&mut self) {
        if !self.is_after_key && self.text.len() > 1 {
            self.text.push(',');
        }
        self.is_after_key = false;
    }

    fn key(&mut self, key: &str) -> &mut Self {
        self.comma();
        let _ = write!(self.text, "\"{key}\":");
        self.is_after_key = true;
        self
    }

    fn text(&mut self, text: impl AsRef<str>) {
        self.raw(&quoted(text.as_ref()));
    }

    fn raw(&mut self, value: &str) {
        self.comma();
        self.text.push_str(value);
    }

    fn end(mut self) -> String {
        self.text.push(self.close);
        self.text
    }
}

/// A JSON string that can stand in a script element.
pub fn quoted(text: &str) -> String {
    let mut json = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '<' | '\u{2028}' | '\u{2029}' | '\u{0}'..='\u{1f}' => {
                let _ = write!(json, "\\u{:04x}", letter as u32);
            }
            _ => json.push(letter),
        }
    }
    json.push('"');
    json
}
