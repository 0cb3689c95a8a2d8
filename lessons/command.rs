//! The command line of the front door, as what it asks for.

use std::path::PathBuf;

use crate::catalogue::{PROGRAMS, Program};
use crate::course::{Chapter, Exercise};

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
    /// The exercises of a chapter, or one.
    Check(&'static Chapter, Option<Exercise>),
    Hint(Exercise),
    Progress {
        is_json: bool,
    },
    Solution {
        exercise: Exercise,
        anyway: bool,
    },
    Reset(Exercise),
    Doctor,
    Diff(&'static Chapter),
    /// The small programs of a chapter, or one.
    Show(&'static Chapter, Option<String>),
    /// To hand out, in a new folder.
    Pack(Vec<&'static Chapter>, PathBuf),
    /// What was handed in; of all chapters, or of one.
    Grade {
        folders: Vec<PathBuf>,
        only: Option<&'static Chapter>,
        /// For the compiler and for the check of one answer, in seconds.
        limit: u64,
        is_json: bool,
    },
    Play {
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
    let arguments = arguments.flat_map(|argument| match argument.split_once('=') {
        Some((option, value)) if option.starts_with("--") => vec![option.to_owned(), value.to_owned()],
        _ => vec![argument],
    });
    let mut arguments = arguments.peekable();
    if let Some(verb) = arguments.peek().filter(|word| VERBS.contains(&word.as_str())).cloned() {
        arguments.next();
        return parse_verb(&verb, arguments.collect());
    }
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
            name => match Program::find(name) {
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
        (Some(program), form) => Ok(Command::Play { program, form: form.unwrap_or(Form::Run { fast }), width }),
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

/// The commands of the course.
const VERBS: [&str; 10] = ["check", "hint", "progress", "solution", "reset", "doctor", "diff", "show", "pack", "grade"];

fn parse_verb(verb: &str, mut arguments: Vec<String>) -> Result<Command, String> {
    if arguments.iter().any(|argument| ["--help", "-h"].contains(&argument.as_str())) {
        return Ok(Command::Help);
    }
    // The options of verbs that have a value.
    let mut value = |option: &str| {
        let place = arguments.iter().position(|argument| verb == "grade" && argument == option)?;
        Some(arguments.drain(place..arguments.len().min(place + 2)).nth(1).unwrap_or_default())
    };
    let (only, limit) = (value("--only"), value("--limit"));
    let (options, names): (Vec<&str>, Vec<&str>) =
        arguments.iter().map(String::as_str).partition(|argument| argument.starts_with('-'));
    let known: &[&str] = match verb {
        "progress" => &["--json"],
        "solution" => &["--anyway"],
        "grade" => &["--json"],
        _ => &[],
    };
    if let Some(option) = options.iter().find(|option| !known.contains(option)) {
        return Err(format!("{verb} has no option {option}: cargo run -- --help lists what there is."));
    }
    let chapter = |usage: &str| match names.first() {
        Some(name) if ["diff", "show"].contains(&verb) => Chapter::find(name),
        Some(name) => Chapter::with_exercises(name),
        None => Err(format!("Which chapter? For example: cargo run -- {usage}")),
    };
    let exercise = || {
        let usage = format!("{verb} ch01 2");
        let chapter = chapter(&usage)?;
        match names.get(1) {
            Some(number) => Exercise::find(chapter, number),
            None => Err(format!("Which exercise? For example: cargo run -- {usage}")),
        }
    };
    let most = match verb {
        "progress" | "doctor" => 0,
        "diff" => 1,
        "pack" | "grade" => usize::MAX,
        _ => 2,
    };
    if let Some(extra) = names.get(most) {
        return Err(format!("{verb} does not know what to do with {extra}."));
    }
    Ok(match verb {
        "check" => {
            let chapter = chapter("check ch01")?;
            Command::Check(chapter, names.get(1).map(|number| Exercise::find(chapter, number)).transpose()?)
        }
        "hint" => Command::Hint(exercise()?),
        "progress" => Command::Progress { is_json: !options.is_empty() },
        "solution" => Command::Solution { exercise: exercise()?, anyway: !options.is_empty() },
        "reset" => Command::Reset(exercise()?),
        "diff" => Command::Diff(chapter("diff ch01")?),
        "show" => Command::Show(chapter("show ch01")?, names.get(1).map(|name| (*name).to_owned())),
        "pack" => match names.split_last() {
            // A chapter's name at the end: the folder was forgotten.
            Some((folder, chapters @ [_, ..])) if Chapter::find(folder).is_err() => {
                let mut chapters: Vec<&Chapter> =
                    chapters.iter().map(|name| Chapter::with_exercises(name)).collect::<Result<_, _>>()?;
                chapters.sort_by_key(|chapter| chapter.number);
                chapters.dedup_by_key(|chapter| chapter.number);
                Command::Pack(chapters, folder.into())
            }
            _ => {
                return Err("Which chapters, and into which folder? For example: cargo run -- pack ch05 DIR".to_owned());
            }
        },
        "grade" if names.is_empty() => {
            return Err("Which folders? For example: cargo run -- grade class/*".to_owned());
        }
        "grade" => Command::Grade {
            folders: names.iter().map(PathBuf::from).collect(),
            limit: match limit.as_deref().map(str::parse) {
                None => 60,
                Some(Ok(seconds @ 1..=3600)) => seconds,
                Some(_) => return Err("--limit needs a number of seconds from 1 to 3600 after it.".to_owned()),
            },
            only: only.map(|name| Chapter::with_exercises(&name)).transpose()?,
            is_json: !options.is_empty(),
        },
        _ => Command::Doctor,
    })
}
