//! One step on a terminal, and the same as plain text.

use handloop::record::Id;

use super::Recorded;
use super::replay::State;
use super::sentence::{capitalise, doing, full, holders, lines, seconds, state_name, state_of};

/// So many lines of source are beside the panels.
const SOURCE_LINES: usize = 14;
/// So many tasks, and lines of output, are shown.
const MOST: usize = 5;

/// Text that may be marked; marks are never colours alone.
#[derive(Clone, Copy)]
pub struct Style {
    pub width: usize,
    pub colour: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Source on the left, panels on the right, the sentence below. Narrow, one below the other.
pub fn screen(recorded: &Recorded, step: usize, style: Style) -> String {
    let state = recorded.state(step);
    let mut text = style.paint("1", &fit(&heading(recorded, &state), style.width)) + "\n\n";
    let side_by_side = style.width >= 72;
    let left = if side_by_side { (style.width - 3) * 54 / 100 } else { style.width };
    let right = if side_by_side { style.width - 3 - left } else { style.width };
    let source = source(recorded, &state, left);
    let panels = panels(&state, right);
    if side_by_side {
        for row in 0..source.len().max(panels.len()) {
            let (is_current, code) = source.get(row).cloned().unwrap_or_default();
            let code = pad(&code, left);
            let code = if is_current { style.paint("7", &code) } else { code };
            let panel = panels.get(row).map_or("", String::as_str);
            let painted = if panel.starts_with(' ') { panel.to_owned() } else { style.paint("1", panel) };
            text.push_str(format!("{code} | {painted}").trim_end());
            text.push('\n');
        }
    } else {
        source.iter().for_each(|(is_current, code)| {
            text.push_str(&if *is_current { style.paint("7", code) } else { code.clone() });
            text.push('\n');
        });
        panels.iter().for_each(|panel| {
            text.push_str(panel);
            text.push('\n');
        });
    }
    text.push('\n');
    for line in recorded.sentence(step).lines() {
        wrap(line, style.width).iter().for_each(|line| {
            text.push_str(&style.paint("1", line));
            text.push('\n');
        });
    }
    text
}

/// The same for whoever listens, or for a file: one thing a line, nothing beside anything.
pub fn plain(recorded: &Recorded, step: usize) -> String {
    let state = recorded.state(step);
    let mut text = format!("{}\n", heading(recorded, &state));
    text.push_str(recorded.sentence(step));
    text.push('\n');
    if let Some((path, number, line)) = recorded.marked(&state) {
        text.push_str(&format!("Line {number} of {path}: {}\n", line.trim()));
    }
    text.push_str(&format!("Ready queue, front first: {}.\n", queue(&state)));
    let timers: Vec<String> = timers(&state).iter().map(|(at, whom)| format!("{at} for {whom}")).collect();
    text.push_str(&format!("Timers: {}.\n", list(&timers, "none")));
    for (id, task) in state.tasks.iter().filter(|(id, task)| matches!(id, Id::Task(_)) || !task.is_over()) {
        let polled = if matches!(id, Id::Task(_)) { "polled" } else { "run" };
        let at = lines(&state, &task.waits_at).map_or(String::new(), |lines| format!(" at {lines}"));
        let (name, polls) = (capitalise(&full(&state, *id)), times(task.polls));
        let state = state_of(&state, *id);
        text.push_str(&format!("{name}: {state}{at}, {polled} {polls}, wakers {}.\n", holders(task)));
    }
    if let Some(line) = state.output.last().filter(|line| line.step == step) {
        text.push_str(&format!("Printed: {}\n", line.text));
    }
    text
}

fn times(polls: u32) -> String {
    if polls == 1 { "once".to_owned() } else { format!("{polls} times") }
}

fn heading(recorded: &Recorded, state: &State) -> String {
    let clock = seconds(state.time);
    format!("{}, step {} of {}. Clock {clock}. The loop {}.", recorded.name, state.step, recorded.last(), doing(state))
}

fn source(recorded: &Recorded, state: &State, width: usize) -> Vec<(bool, String)> {
    let source = recorded.source_of(state);
    let current = recorded.marked(state).map(|(_, number, _)| number);
    let middle = recorded.place(state).1;
    let count = source.text.lines().count();
    let first = middle.saturating_sub(SOURCE_LINES / 2).clamp(1, count.saturating_sub(SOURCE_LINES - 1).max(1));
    let mut rows = vec![(false, fit(source.path, width))];
    for (number, line) in (1..).zip(source.text.lines()).skip(first - 1).take(SOURCE_LINES) {
        let is_current = Some(number) == current;
        let sign = if is_current { '>' } else { ' ' };
        let code = format!("{sign}{number:>3} {line}");
        if is_current {
            // The line that matters is shown whole.
            let letters: Vec<char> = code.chars().collect();
            rows.extend(letters.chunks(width).map(|chunk| (true, chunk.iter().collect())));
        } else {
            rows.push((false, fit(&code, width)));
        }
    }
    rows.truncate(SOURCE_LINES + 1);
    rows
}

fn panels(state: &State, width: usize) -> Vec<String> {
    let mut rows = vec!["Ready queue, front first".to_owned()];
    rows.extend(wrap(&queue(state), width.saturating_sub(2)).into_iter().map(|row| format!("  {row}")));
    rows.push("Timers, earliest first".to_owned());
    rows.extend(most(timers(state), |(at, whom)| format!("  {at:<9} {whom}"), "  none"));
    let wide = width >= 46;
    let name_width = if wide { 22 } else { 11 };
    rows.push(format!("{:<name_width$}  {:<9} {:>3} wakers", "Tasks", "state", "at"));
    let shown = state.tasks.iter().filter(|(id, task)| matches!(id, Id::Task(_)) || !task.is_over());
    // Those that are over make room for the others.
    let mut shown: Vec<_> = shown.collect();
    if shown.len() > MOST {
        shown.retain(|(_, task)| !task.is_over());
    }
    rows.extend(most(
        shown,
        |(id, task)| {
            let full = full(state, **id);
            let short = full.replacen("task ", "", 1).replacen("callback ", "c", 1).replacen(',', "", 1);
            let name = fit_name(if wide { &full } else { &short }, name_width);
            let at = task.waits_at.iter().find(|place| state.names.file(place).is_some());
            let at = at.map_or(String::new(), |place| place.line().to_string());
            let wakers = match (task.is_over(), wide) {
                (true, _) => String::new(),
                (false, true) => holders(task),
                // The count first, so that it is seen where the names are cut off; of one, the name alone.
                (false, false) => holders(task).replace("the ", "").trim_start_matches("1: ").to_owned(),
            };
            let doing = if state.dropping == Some(**id) { "dropped" } else { state_name(task.state) };
            format!(" {name:<name_width$} {doing:<9} {at:>3} {wakers}")
        },
        "  none",
    ));
    rows.push("Output".to_owned());
    let hidden = state.output.len().saturating_sub(MOST);
    rows.extend(state.output.iter().skip(hidden).map(|line| format!("  {}", line.text)));
    if state.output.is_empty() {
        rows.push("  nothing yet".to_owned());
    }
    rows.iter().map(|row| fit(row, width)).collect()
}

fn most<T>(all: Vec<T>, row: impl Fn(&T) -> String, none: &str) -> Vec<String> {
    let mut rows: Vec<String> = all.iter().take(MOST).map(row).collect();
    if all.len() > MOST {
        rows.push(format!("  and {} more", all.len() - MOST));
    }
    if rows.is_empty() {
        rows.push(none.to_owned());
    }
    rows
}

fn queue(state: &State) -> String {
    let names: Vec<String> = state.ready.iter().map(Id::to_string).collect();
    list(&names, "empty")
}

fn timers(state: &State) -> Vec<(String, String)> {
    let whom = |id: Option<Id>| id.map_or("another loop's task".to_owned(), |id| id.to_string());
    state.timers.iter().map(|timer| (seconds(timer.deadline), whom(timer.whom))).collect()
}

fn list(names: &[String], none: &str) -> String {
    if names.is_empty() { none.to_owned() } else { names.join(", ") }
}

/// At most `width` letters; what is cut off shows as an ellipsis.
pub fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// The same for a name, of which both ends tell most: `do_so…work(4)`.
pub fn fit_name(name: &str, width: usize) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= width {
        return name.to_owned();
    }
    let tail = width.saturating_sub(1) / 2;
    let head = width.saturating_sub(1) - tail;
    letters[..head].iter().chain(&['…']).chain(&letters[letters.len() - tail..]).collect()
}

fn pad(text: &str, width: usize) -> String {
    format!("{text:<width$}")
}

pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut rows = vec![String::new()];
    for word in text.split(' ') {
        let row = rows.last_mut().expect("there is always one");
        if !row.is_empty() && row.chars().count() + 1 + word.chars().count() > width {
            rows.push(word.to_owned());
        } else {
            if !row.is_empty() {
                row.push(' ');
            }
            row.push_str(word);
        }
    }
    rows
}
