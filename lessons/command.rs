//! The command line of the front door, as what it asks for.

use std::path::PathBuf;

use crate::catalogue::{PROGRAMS, Program};

/// How a program is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Form {
    Run { fast: bool },
    Step { plain: bool },
    Timeline,
    Html(PathBuf),
    Svg(PathBuf),
}

pub enum Command {
    Show {
        program: &'static Program,
        form: Form,
        width: Option<usize>,
    },
    /// What there is, and the first program.
    Overview {
        fast: bool,
    },
    Help,
}

/// Reads the arguments.
///
/// # Errors
/// A sentence that says what is wrong with them.
pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    // `--width=60` is `--width 60`.
    let mut arguments = arguments.flat_map(|argument| match argument.split_once('=') {
        Some((option, value)) if option.starts_with("--") => vec![option.to_owned(), value.to_owned()],
        _ => vec![argument],
    });
    let (mut program, mut form, mut width) = (None, None, None);
    let (mut fast, mut plain) = (false, false);
    let mut choose = |chosen: Form| match form.replace(chosen) {
        Some(_) => Err("One of --step, --timeline, --html and --svg at a time, please.".to_owned()),
        None => Ok(()),
    };
    while let Some(argument) = arguments.next() {
        let mut value = |what: &str| arguments.next().ok_or(format!("{argument} needs {what} after it."));
        match argument.as_str() {
            "--help" | "-h" => return Ok(Command::Help),
            "--fast" => fast = true,
            "--plain" => plain = true,
            "--step" => choose(Form::Step { plain: false })?,
            "--timeline" => choose(Form::Timeline)?,
            "--html" => choose(Form::Html(value("the file to write")?.into()))?,
            "--svg" => choose(Form::Svg(value("the file to write")?.into()))?,
            "--width" => width = Some(columns(&value("a number of columns")?)?),
            option if option.starts_with('-') => {
                return Err(format!("There is no option {option}: cargo run -- --help lists what there is."));
            }
            name => match PROGRAMS.iter().find(|known| known.name == name) {
                Some(_) if program.is_some() => return Err("One program at a time, please.".to_owned()),
                Some(known) => program = Some(known),
                None => return Err(format!("There is no program {name}: cargo run -- --help lists what there is.")),
            },
        }
    }
    let form = match (form, plain) {
        (Some(Form::Step { .. }), plain) => Some(Form::Step { plain }),
        (None, true) => Some(Form::Step { plain }),
        (Some(_), true) => return Err("--plain is a way to --step: leave the other form out.".to_owned()),
        (form, false) => form,
    };
    match (program, form) {
        (Some(program), form) => Ok(Command::Show { program, form: form.unwrap_or(Form::Run { fast }), width }),
        (None, None) => Ok(Command::Overview { fast }),
        (None, Some(_)) => Err(format!("Which program? For example: cargo run -- {} --step", PROGRAMS[0].name)),
    }
}

fn columns(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(columns) if (20..=1000).contains(&columns) => Ok(columns),
        _ => Err(format!("--width needs a number of columns from 20 to 1000, not {text}.")),
    }
}
