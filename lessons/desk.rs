//! The student's desk: `check`, `hint`, `progress`, `solution`, `reset`.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use crate::course::{CHAPTERS, Chapter, Exercise, handed_out, root, section};
use crate::player::file::write_whole;

/// What is remembered between two commands: for each exercise the content that passed, and how many hints are open.
#[derive(Default)]
struct Memory {
    passed: BTreeMap<String, u64>,
    hints: BTreeMap<String, usize>,
}

const MEMORY: &str = ".progress";

impl Memory {
    /// A line that cannot be read is as if it were not there.
    fn load() -> Self {
        let mut memory = Memory::default();
        for line in fs::read_to_string(root().join(MEMORY)).unwrap_or_default().lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["passed", exercise, content] => {
                    if let Ok(content) = u64::from_str_radix(content, 16) {
                        memory.passed.insert(exercise.to_owned(), content);
                    }
                }
                ["hints", exercise, count] => {
                    if let Ok(count) = count.parse() {
                        memory.hints.insert(exercise.to_owned(), count);
                    }
                }
                _ => {}
            }
        }
        memory
    }

    fn save(&self) -> Result<(), String> {
        let passed = self.passed.iter().map(|(exercise, content)| format!("passed {exercise} {content:x}\n"));
        let hints = self.hints.iter().map(|(exercise, count)| format!("hints {exercise} {count}\n"));
        write_whole(&root().join(MEMORY), &passed.chain(hints).collect::<String>())
    }

    /// It passed as it is now.
    fn has_passed(&self, exercise: &Exercise) -> bool {
        let content = content(exercise);
        content.is_some() && self.passed.get(&exercise.name()) == content.as_ref()
    }

    /// The number of the next hint that was not shown.
    fn next_hint(&self, exercise: &Exercise) -> usize {
        self.hints.get(&exercise.name()).copied().unwrap_or(0) + 1
    }
}

/// The student's file as a number: FNV-1a, to tell whether it has changed.
fn content(exercise: &Exercise) -> Option<u64> {
    let bytes = fs::read(exercise.file("exercises")).ok()?;
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    Some(bytes.iter().filter(|byte| **byte != b'\r').fold(0xcbf2_9ce4_8422_2325, mix))
}

/// What a run of a check said.
pub enum Outcome {
    Passed(String),
    /// The sentence of the first broken rule, or that there is no verdict.
    Failed(String),
    /// The first error, in short.
    DoesNotCompile {
        line: String,
        code: Option<String>,
    },
    Lost(String),
}

fn run(exercise: &Exercise) -> Outcome {
    let name = exercise.name();
    if !exercise.file("exercises").is_file() {
        return Outcome::Lost(format!("{} is not there: cargo run -- reset {}.", exercise.path(), arguments(exercise)));
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root())
        .args(["test", "--quiet", "--message-format", "short", "--color", "never", "--test", &name])
        .stdin(Stdio::null())
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => return Outcome::Lost(format!("cargo could not be started: {error}.")),
    };
    let said = String::from_utf8_lossy(&output.stdout);
    match verdict(&name, &said) {
        Some(sentence) if output.status.success() => Outcome::Passed(sentence.to_owned()),
        Some(sentence) => Outcome::Failed(sentence.to_owned()),
        None => first_error(&String::from_utf8_lossy(&output.stderr), exercise),
    }
}

/// The sentence of a check, in what it printed.
pub fn verdict<'a>(exercise: &str, said: &'a str) -> Option<&'a str> {
    said.lines().find_map(|line| line.strip_prefix(exercise)?.strip_prefix(": "))
}

/// rustc's short form has one line for each error: the place, the code, the message.
pub fn first_error(errors: &str, exercise: &Exercise) -> Outcome {
    let line = errors.lines().find(|line| line.contains(": error"));
    let Some(line) = line else {
        let last = errors.lines().rev().find(|line| !line.is_empty()).unwrap_or("it said nothing");
        return Outcome::Lost(format!("cargo ended without a verdict: {last}"));
    };
    let code = line.split_once("error[").and_then(|(_, rest)| rest.split_once(']')).map(|(code, _)| code.to_owned());
    // The path goes through the check, which is not the student's: only the file's own name is.
    let own = format!("exercises/{}.rs:", exercise.name());
    let plain = line.replace('\\', "/");
    let is_in_exercise = plain.contains(&own);
    let line = match plain.split_once(&own) {
        Some((_, rest)) => {
            let mut parts = rest.splitn(3, ':');
            let (number, _, message) = (parts.next().unwrap_or(""), parts.next(), parts.next().unwrap_or("").trim());
            format!("line {number}: {}", said_once(&message.replace("exercise::", "")))
        }
        None => line.to_owned(),
    };
    if !is_in_exercise {
        return Outcome::Lost(format!(
            "the check cannot use your file ({}). Something that it calls is missing or has another signature: compare with \
             given/{}.rs, or cargo run -- reset {}",
            line.split_once(": error").map_or(line.as_str(), |(_, rest)| rest.trim_start_matches(|c| c != ' ').trim()),
            exercise.name(),
            arguments(exercise)
        ));
    }
    Outcome::DoesNotCompile { line, code }
}

/// The short form puts the label behind the message, often in the same words.
fn said_once(message: &str) -> &str {
    match message.rsplit_once(": ") {
        Some((message, label)) if message.ends_with(label) => message,
        _ => message,
    }
}

/// Whether the exercise's own section speaks of this error: of its code, and of its message as far as the first name.
fn explains_itself(exercise: &Exercise, code: &str, line: &str) -> bool {
    let section = section(exercise.chapter.lesson, &exercise.name()).unwrap_or_default();
    let section = section.split_whitespace().collect::<Vec<_>>().join(" ");
    let message = line.split_once("]: ").map_or("", |(_, message)| message);
    let message = message.split('`').next().unwrap_or("").trim_end_matches([':', ' ']);
    section.contains(code) && !message.is_empty() && section.contains(message)
}

/// The chapter, this one or the nearest before it, whose lesson speaks of this error.
fn explained_in(chapter: &Chapter, code: &str, line: &str) -> Option<&'static Chapter> {
    CHAPTERS.iter().rev().find(|other| other.number <= chapter.number && explains(other.lesson, code, line))
}

/// The code alone is not enough: the lesson has to quote this error, with whatever names in it. E0308 is any two types
/// that differ: there both have to be the quoted ones. A code that is second in a heading is explained by the section's
/// text, where the error is about a poll or a pin.
fn explains(lesson: &str, code: &str, line: &str) -> bool {
    let is_of_an_option = ["`Option<", "`&Option<", "`&mut Option<"].iter().any(|start| line.contains(start));
    let mut codes = lesson.lines().filter(|line| line.starts_with("### E")).filter_map(|line| line.split(':').next());
    match codes.find(|codes| codes.contains(code)) {
        None => return false,
        Some(codes) if !codes.starts_with(&format!("### {code}")) => {
            // An `Option` around a pinned future has no `poll` either, and there the section's cure does not help.
            return !is_of_an_option && (line.contains("`poll`") || line.contains("Pin<"));
        }
        Some(_) => {}
    }
    if code == "E0308" {
        return mismatch(line).is_some_and(|seen| lesson.lines().any(|quoted| mismatch(quoted) == Some(seen)));
    }
    let without_names = |text: &str| text.split('`').step_by(2).collect::<Vec<_>>().join("`");
    let message = without_names(line.split_once("]: ").map_or("", |(_, message)| message));
    let quoted = lesson.lines().filter_map(|line| line.strip_prefix(&format!("error[{code}]: ")));
    quoted.map(|quoted| without_names(quoted.trim_end())).any(|quoted| message.starts_with(&quoted))
}

/// `Resumed` and `u32` of "expected `Resumed<u32, ()>`, found `u32`". Where a future was found, it does not matter what was
/// expected.
fn mismatch(message: &str) -> Option<(&str, &str)> {
    let (expected, found) = message.split_once("expected ")?.1.split_once(", found ")?;
    let found = first_word(found);
    Some((if found == "future" { "" } else { first_word(expected) }, found))
}

/// `Resumed` of "`Resumed<u32, ()>`".
fn first_word(text: &str) -> &str {
    let text = text.trim_start_matches(['`', '&']);
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap_or("")
}

/// `ch01 2`
fn arguments(exercise: &Exercise) -> String {
    format!("{} {}", exercise.chapter.short(), exercise.number)
}

/// A pack has none.
fn has_solution(exercise: &Exercise) -> bool {
    exercise.file("solutions").is_file()
}

/// Checks the exercises of a chapter, or one of them. False: not all have passed.
pub fn check(chapter: &'static Chapter, only: Option<Exercise>) -> Result<bool, String> {
    let mut memory = Memory::load();
    let exercises: Vec<Exercise> =
        chapter.exercises().filter(|e| only.is_none_or(|only| only.number == e.number)).collect();
    let mut have_all_passed = true;
    for exercise in &exercises {
        println!("{} ({})", exercise.name(), exercise.path());
        let outcome = run(exercise);
        let is_failure = !matches!(outcome, Outcome::Passed(_));
        match outcome {
            Outcome::Passed(sentence) => {
                println!("  {sentence}");
                if let Some(content) = content(exercise) {
                    memory.passed.insert(exercise.name(), content);
                }
            }
            Outcome::Failed(sentence) => println!("  {sentence}"),
            Outcome::DoesNotCompile { line, code } => {
                println!("  It does not compile yet. {line}");
                let explained = code.as_ref().and_then(|code| explained_in(chapter, code, &line));
                match (code, explained) {
                    (Some(code), _) if explains_itself(exercise, &code, &line) => {
                        println!("  {code}: see {} in lessons/{}/README.md", exercise.name(), chapter.name);
                    }
                    (Some(code), Some(Chapter { name, .. })) => {
                        println!("  {code}: see \"What the compiler will say\" in lessons/{name}/README.md");
                    }
                    (Some(code), None) => println!(
                        "  rustc --explain {code} tells more; cargo test --test {} shows all of it",
                        exercise.name()
                    ),
                    (None, _) if line.contains("`unsafe`") => {
                        println!(
                            "  The exercises are solved without `unsafe`, and the project does not allow it there."
                        );
                    }
                    (None, _) => println!("  cargo test --test {} shows all that the compiler says", exercise.name()),
                }
            }
            Outcome::Lost(sentence) => println!("  No verdict: {sentence}"),
        }
        if is_failure {
            have_all_passed = false;
            let (next, all) = (memory.next_hint(exercise), exercise.hints().len());
            if next <= all {
                println!("  Hint {next} of {all}: cargo run -- hint {}", arguments(exercise));
            } else if has_solution(exercise) {
                println!("  All hints are open; the solution: cargo run -- solution {} --anyway", arguments(exercise));
            }
        } else if has_solution(exercise) {
            println!("  The solution, explained: cargo run -- solution {}", arguments(exercise));
        }
    }
    memory.save()?;
    Ok(have_all_passed)
}

/// Opens one hint more, and shows those that are open.
pub fn hint(exercise: Exercise) -> Result<(), String> {
    let mut memory = Memory::load();
    let hints = exercise.hints();
    let open = memory.next_hint(&exercise).min(hints.len());
    for (number, hint) in (1..=open).zip(&hints) {
        println!("Hint {number} of {}", hints.len());
        hint.lines().for_each(|line| println!("  {line}"));
    }
    if open < hints.len() {
        println!("The next one: cargo run -- hint {}", arguments(&exercise));
    } else if has_solution(&exercise) {
        println!("That was the last; the solution: cargo run -- solution {} --anyway", arguments(&exercise));
    } else {
        println!("That was the last.");
    }
    memory.hints.insert(exercise.name(), open);
    memory.save()
}

/// What is solved.
pub fn progress(is_json: bool) {
    let memory = Memory::load();
    let state = |exercise: &Exercise| match (memory.has_passed(exercise), content_is_given(exercise)) {
        _ if content(exercise).is_none() => "its file is not there",
        (true, _) => "solved",
        (false, true) => "not begun",
        (false, false) if memory.passed.contains_key(&exercise.name()) => "changed since it passed",
        (false, false) => "begun",
    };
    if is_json {
        let exercises = handed_out().flat_map(Chapter::exercises).map(|exercise| {
            let (name, hints) = (exercise.name(), memory.next_hint(&exercise) - 1);
            format!("{{\"exercise\":\"{name}\",\"state\":\"{}\",\"hints\":{hints}}}", state(&exercise))
        });
        println!("[{}]", exercises.collect::<Vec<_>>().join(","));
        return;
    }
    let (mut solved, mut all) = (0, 0);
    for chapter in handed_out() {
        println!("{}  {}", chapter.short(), chapter.title);
        for exercise in chapter.exercises() {
            let state = state(&exercise);
            (solved, all) = (solved + u32::from(state == "solved"), all + 1);
            println!("  [{}] {}  {state}", if state == "solved" { 'x' } else { ' ' }, exercise.name());
        }
    }
    println!("{solved} of {all} exercises are solved.");
}

fn content_is_given(exercise: &Exercise) -> bool {
    let read = |folder: &str| fs::read_to_string(exercise.file(folder)).ok().map(|text| text.replace('\r', ""));
    read("given") == read("exercises")
}

/// The solution, to whoever has passed or says `--anyway`.
pub fn solution(exercise: Exercise, anyway: bool) -> Result<(), String> {
    if !has_solution(&exercise) {
        return Err(format!("The solution of {} is not here: ask who handed this out.", exercise.name()));
    }
    if !anyway && !Memory::load().has_passed(&exercise) {
        return Err(format!(
            "{} has not passed as it is now: cargo run -- check {}. To see the solution all the same, add --anyway.",
            exercise.name(),
            arguments(&exercise)
        ));
    }
    let text = fs::read_to_string(exercise.file("solutions"));
    let text = text.map_err(|error| format!("The solution of {} cannot be read: {error}.", exercise.name()))?;
    text.lines().for_each(|line| println!("{line}"));
    Ok(())
}

/// Puts the file as handed out back, and keeps the student's beside it.
pub fn reset(exercise: Exercise) -> Result<(), String> {
    let (own, given) = (exercise.file("exercises"), exercise.file("given"));
    let text = fs::read_to_string(&given).map_err(|error| format!("{} cannot be read: {error}.", given.display()))?;
    if let Ok(kept) = fs::read_to_string(&own) {
        if kept == text {
            println!("{} is as it was handed out.", exercise.path());
            return Ok(());
        }
        let copy = (1..).map(|number| own.with_extension(format!("kept{number}.txt"))).find(|path| !path.exists());
        let copy = copy.expect("some number is free");
        write_whole(&copy, &kept)?;
        println!("Your version is in {}.", copy.strip_prefix(root()).unwrap_or(&copy).display());
    }
    fs::create_dir_all(own.parent().expect("it is in a folder")).map_err(|error| error.to_string())?;
    write_whole(&own, &text)?;
    println!("{} is as it was handed out.", exercise.path());
    Ok(())
}
