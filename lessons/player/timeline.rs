//! `--timeline`: the whole run as text. A row for each lane, a column for each step; where the clock jumps, a gap.

use std::fmt::Write;

use handloop::TaskState;

use super::lanes::{LETTERS, Lane, Lanes};
use super::screen::fit_name;

/// One column, or a gap with its label.
enum Column {
    Step(usize),
    Gap(String),
}

/// The lanes as text of this width, in as many blocks as that takes.
pub fn timeline(title: &str, lanes: &Lanes, width: usize) -> String {
    let longest = lanes.lanes.iter().map(|lane| lane.name.chars().count()).max().unwrap_or(0);
    // A label may take a third; the steps need the rest.
    let label = longest.clamp(4, (width / 3).max(12));
    let room = width.saturating_sub(label + 2).max(20);
    let mut text = format!("{title}, step by step: {} steps.\n", lanes.last);
    for block in blocks(lanes, room).iter().filter(|block| !seen(lanes, block).is_empty()) {
        text.push('\n');
        block_text(&mut text, lanes, block, label);
    }
    text.push_str("\n# running  = ready  . waiting\n");
    legend(&mut text, lanes, width);
    text
}

/// The letters that occur, in rows of this width.
fn legend(text: &mut String, lanes: &Lanes, width: usize) {
    let occurs = |letter: char| lanes.lanes.iter().flat_map(|lane| &lane.marks).any(|(_, mark)| *mark == letter);
    let mut row = String::new();
    for (letter, meaning) in LETTERS.into_iter().filter(|(letter, _)| occurs(*letter)) {
        let entry = format!("{letter} {meaning}");
        if !row.is_empty() && row.len() + 2 + entry.len() > width {
            let _ = writeln!(text, "{row}");
            row.clear();
        }
        row = if row.is_empty() { entry } else { format!("{row}  {entry}") };
    }
    if !row.is_empty() {
        let _ = writeln!(text, "{row}");
    }
}

fn blocks(lanes: &Lanes, room: usize) -> Vec<Vec<Column>> {
    let mut blocks = vec![Vec::new()];
    let mut used = 0;
    let mut gaps = lanes.gaps.iter().peekable();
    for step in 1..=lanes.last {
        let mut columns = Vec::new();
        while let Some(gap) = gaps.next_if(|gap| gap.step == step) {
            columns.push(Column::Gap(gap.text()));
        }
        columns.push(Column::Step(step));
        let needed: usize = columns.iter().map(Column::width).sum();
        if used + needed > room && used > 0 {
            blocks.push(Vec::new());
            used = 0;
        }
        used += needed;
        blocks.last_mut().expect("there is always one").extend(columns);
    }
    blocks
}

impl Column {
    fn width(&self) -> usize {
        match self {
            Column::Step(_) => 1,
            Column::Gap(label) => label.chars().count() + 4,
        }
    }
}

fn block_text(text: &mut String, lanes: &Lanes, block: &[Column], label: usize) {
    row(text, "step", label, &ruler(block));
    for lane in seen(lanes, block) {
        let cells: String = block
            .iter()
            .map(|column| match column {
                Column::Step(step) => cell(lane, *step).to_string(),
                Column::Gap(label) => format!("| {label} |"),
            })
            .collect();
        row(text, &lane.name, label, &cells);
    }
}

/// The lanes of which there is anything in a block.
fn seen<'a>(lanes: &'a Lanes, block: &[Column]) -> Vec<&'a Lane> {
    let steps = || block.iter().filter_map(|column| if let Column::Step(step) = column { Some(*step) } else { None });
    let (first, last) = (steps().min().unwrap_or(1), steps().max().unwrap_or(0));
    lanes.lanes.iter().filter(|lane| lane.is_seen(first..=last)).collect()
}

fn row(text: &mut String, name: &str, label: usize, cells: &str) {
    let name = fit_name(name, label);
    let line = format!("{name:<label$}  {cells}");
    let _ = writeln!(text, "{}", line.trim_end());
}

/// A number at the first step of a block and at each tenth, where there is room.
fn ruler(block: &[Column]) -> String {
    let mut ruler = String::new();
    let mut at = 0;
    let mut is_first = true;
    for column in block {
        if let Column::Step(step) = column {
            if (is_first || step % 10 == 0) && (at == 0 || ruler.len() < at) {
                ruler = format!("{ruler:<at$}{step}");
            }
            is_first = false;
        }
        at += column.width();
    }
    ruler
}

fn cell(lane: &Lane, step: usize) -> char {
    if let Some((_, letter)) = lane.marks.iter().find(|(at, _)| *at == step) {
        return *letter;
    }
    let segment = lane.segments.iter().find(|segment| (segment.from..segment.to).contains(&step));
    match segment.map(|segment| segment.state) {
        Some(TaskState::Running) => '#',
        Some(TaskState::Ready) => '=',
        Some(TaskState::Waiting) => '.',
        _ => ' ',
    }
}
