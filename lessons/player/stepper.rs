//! `--step`: the recording on a terminal, one line of input for each command.

use std::io::{self, BufRead, Write};

use handloop::record::Id;

use super::Recorded;
use super::replay::parties;
use super::screen::{Style, plain, screen, wrap};
use super::sentence::full;

const HELP: &str = "Enter: on. b, then Enter: back. g 12: to step 12. t NAME: a task's next. q: end.";

/// What a line asks for.
enum Command {
    Go(usize),
    Quit,
    Sorry(String),
}

/// Shows step after step until the end of the input, or `q`.
pub fn run(recorded: &Recorded, style: Style, input: &mut dyn BufRead, output: &mut dyn Write) -> io::Result<()> {
    let mut step = 0;
    let mut remark = String::new();
    loop {
        let clear = if style.colour { "\x1b[2J\x1b[H" } else { "" };
        write!(output, "{clear}{}", screen(recorded, step, style))?;
        if !remark.is_empty() {
            for row in wrap(&remark, style.width) {
                writeln!(output, "{row}")?;
            }
        }
        for row in wrap(HELP, style.width) {
            writeln!(output, "{row}")?;
        }
        write!(output, "> ")?;
        output.flush()?;
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            writeln!(output)?;
            return Ok(());
        }
        remark.clear();
        match command(recorded, step, line.trim()) {
            Command::Quit => return Ok(()),
            Command::Go(next) if next == step => remark = at_the_edge(step).to_owned(),
            Command::Go(next) => step = next,
            Command::Sorry(sentence) => remark = sentence,
        }
    }
}

/// Every step, as text.
pub fn run_plain(recorded: &Recorded, output: &mut dyn Write) -> io::Result<()> {
    for step in 0..=recorded.last() {
        writeln!(output, "{}", plain(recorded, step))?;
    }
    Ok(())
}

fn at_the_edge(step: usize) -> &'static str {
    if step == 0 { "This is the beginning." } else { "This is the last step. b Enter goes back, q Enter ends." }
}

fn command(recorded: &Recorded, step: usize, line: &str) -> Command {
    let (word, rest) = line.split_once(' ').map_or((line, ""), |(word, rest)| (word, rest.trim()));
    // `g12` is `g 12`.
    let (word, rest) = match word.strip_prefix(['g', 't']) {
        Some(number) if rest.is_empty() && number.parse::<usize>().is_ok() => word.split_at(1),
        _ => (word, rest),
    };
    match (word, rest) {
        ("", _) => Command::Go((step + 1).min(recorded.last())),
        ("b", "") => Command::Go(step.saturating_sub(1)),
        ("q", "") => Command::Quit,
        ("g", "") => Command::Sorry("g needs the number of a step: g 12".to_owned()),
        ("g", number) => match number.parse() {
            Ok(number) if number <= recorded.last() => Command::Go(number),
            _ => Command::Sorry(format!("There is no step {number}: they go from 0 to {}.", recorded.last())),
        },
        ("t", "") => Command::Sorry("t needs the name of a task, or its number: t 2".to_owned()),
        ("t", name) => {
            let (meant, all) = tasks(recorded, name);
            let next = (step + 1..=recorded.last())
                .find(|step| parties(&recorded.events[step - 1].what).0.is_some_and(|id| meant.contains(&id)));
            match next {
                Some(next) => Command::Go(next),
                None if meant.is_empty() => Command::Sorry(format!("There is no task {name}. There are: {all}.")),
                None => Command::Sorry(format!("After this step nothing more happens to {name}.")),
            }
        }
        ("h" | "help" | "?", _) => {
            Command::Sorry("Each command is a line, with Enter at its end; the line below lists them.".to_owned())
        }
        _ => {
            Command::Sorry(format!("There is no command {line}. Each is a line of its own: the line below lists them."))
        }
    }
}

/// The tasks that a name means: by number, or by a part of the name. And the names of all.
fn tasks(recorded: &Recorded, name: &str) -> (Vec<Id>, String) {
    let whole = recorded.state(recorded.last());
    let name = name.to_lowercase();
    let is_meant = |id: &Id| {
        let full = full(&whole, *id).to_lowercase();
        let number = full.split(',').next().unwrap_or("");
        number == name
            || number.strip_prefix("task ") == Some(&name)
            || name.parse::<u64>().is_err() && full.contains(&name)
    };
    let names: Vec<String> = whole.tasks.keys().map(|id| full(&whole, *id).replacen("task ", "", 1)).collect();
    (whole.tasks.keys().copied().filter(is_meant).collect(), names.join("; "))
}
