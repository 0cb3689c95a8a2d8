//! The course's front door: it runs the programs, and shows how they run.

#[macro_use]
mod output;
mod catalogue;
mod command;
mod course;
mod desk;
mod diff;
mod doctor;
mod grade;
mod limits;
mod pack;
mod player;
mod show;
mod programs {
    pub mod gather;
    pub mod lost_waker;
    pub mod threads;
}
#[path = "ch01_generators/stage.rs"]
mod ch01_generators;
#[path = "ch02_scheduler/stage.rs"]
mod ch02_scheduler;
#[path = "ch03_futures/stage.rs"]
mod ch03_futures;
#[path = "ch04_pin/stage.rs"]
mod ch04_pin;
// A waker by hand is unsafe: from here on each stage has one.
#[allow(unsafe_code)]
#[path = "ch05_wakers/stage.rs"]
mod ch05_wakers;
#[allow(unsafe_code)]
#[path = "ch06_timers/stage.rs"]
mod ch06_timers;
// From here on a stage has more than its own program uses.
#[allow(dead_code, unsafe_code)]
#[path = "ch07_event_loop/stage.rs"]
mod ch07_event_loop;
#[allow(dead_code, unsafe_code)]
#[path = "ch08_tasks/stage.rs"]
mod ch08_tasks;
#[allow(dead_code, unsafe_code)]
#[path = "ch09_gather/stage.rs"]
mod ch09_gather;
#[allow(dead_code, unsafe_code)]
#[path = "ch10_cancellation/stage.rs"]
mod ch10_cancellation;
#[allow(dead_code, unsafe_code, clippy::type_complexity)]
#[path = "ch11_threads/stage.rs"]
mod ch11_threads;

use std::error::Error;
use std::io::{IsTerminal, Write, stdin, stdout};
use std::process::ExitCode;
use std::time::Duration;

use handloop::{Builder, EventLoop};

use catalogue::{Blocking, PROGRAMS, Program, Run};
use command::{Command, Form};
use player::{Recorded, Tape, file, html, screen, stepper, svg, timeline, told};

/// A poll that takes longer is reported: asyncio's debug mode has the same.
const SLOW_POLL: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    let outcome = match command::parse(arguments) {
        Ok(Command::Help) => {
            overview();
            Ok(())
        }
        Ok(Command::Overview { fast }) => {
            overview();
            println!();
            println!("The first of them, {}:", PROGRAMS[0].name);
            run(&PROGRAMS[0], fast)
        }
        Ok(Command::Play { program, form: Form::Run { fast }, .. }) => run(program, fast),
        Ok(Command::Play { program, form, width }) => record(program).and_then(|recorded| show(&recorded, form, width)),
        Ok(command) => return at_the_desk(command),
        Err(sentence) => {
            complain(&sentence);
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// The commands of the course. Where not all is well the status is 1.
fn at_the_desk(command: Command) -> ExitCode {
    let outcome = match command {
        Command::Check(chapter, only) => desk::check(chapter, only),
        Command::Hint(exercise) => desk::hint(exercise).map(|()| true),
        Command::Progress { is_json } => {
            desk::progress(is_json);
            Ok(true)
        }
        Command::Solution { exercise, anyway } => desk::solution(exercise, anyway).map(|()| true),
        Command::Reset(exercise) => desk::reset(exercise).map(|()| true),
        Command::Diff(chapter) => {
            diff::show(chapter);
            Ok(true)
        }
        Command::Pack(chapters, folder) => pack::pack(&chapters, &folder).map(|()| true),
        Command::Grade { folders, only, limit, is_json } => grade::grade(&folders, only, limit, is_json).map(|()| true),
        Command::Show(chapter, name) => show::show(chapter, name.as_deref()),
        _ => Ok(doctor::examine()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(sentence) => {
            complain(&sentence);
            ExitCode::FAILURE
        }
    }
}

fn overview() {
    println!("handloop: a hand-written asyncio, on std alone.");
    println!();
    println!("cargo run -- PROGRAM [OPTION]");
    for Program { name, what, .. } in &PROGRAMS {
        println!("  {name:<12} {what}");
    }
    println!();
    println!("  --fast       on a virtual clock: at once");
    println!("  --step       step by step, forward and back");
    println!("  --timeline   the whole run as text, a lane for each task");
    println!("  --html FILE  step by step, as a page for the browser");
    println!("  --svg FILE   the lanes as a picture");
    println!("  --plain      with --step: each step as text, without a terminal");
    println!("  --width N    so many columns, else COLUMNS, else 80");
    println!();
    println!("cargo run -- COMMAND, for the exercises of the course");
    println!("  check ch01        the three of a chapter; check ch01 2: one");
    println!("  hint ch01 2       one hint more each time");
    println!("  solution ch01 2   after it has passed, or with --anyway");
    println!("  reset ch01 2      as handed out; yours is kept beside it");
    println!("  progress          what is solved; --json for a script");
    println!("  diff ch01         what a stage adds to the one before");
    println!("  show ch01         the lesson's small programs; show ch01 functions: runs one");
    println!("  pack ch05 DIR     to hand out: a folder without solutions");
    println!("  grade DIR...      what was handed in, as a table; --json for a script,");
    println!("                    --only ch05 for a chapter, --limit 20 for the seconds of each");
    println!("  doctor            is everything there that the course needs?");
}

fn run(program: &Program, fast: bool) -> Result<(), Box<dyn Error>> {
    let builder = EventLoop::builder().slow_poll(SLOW_POLL);
    // Long enough to be reported.
    let block_for = if fast { Duration::from_millis(150) } else { Duration::from_secs(1) };
    match program.run {
        Run::OnLoop(run) => run(if fast { builder.virtual_clock() } else { builder }, Blocking(block_for)),
        Run::Told { run: alone, fast: at_once, .. } => {
            (if fast { at_once } else { alone })();
            Ok(())
        }
    }
}

/// Runs a program on a virtual clock, and keeps what happens.
fn record(program: &Program) -> Result<Recorded, Box<dyn Error>> {
    let tape = Tape::new();
    output::record(Some(tape.recorder.clone()));
    match program.run {
        Run::OnLoop(run) => {
            let builder: Builder = EventLoop::builder().virtual_clock().record(&tape.recorder);
            // A program that fails is shown to the step at which it does.
            drop(run(builder, Blocking(Duration::ZERO)));
        }
        Run::Told { fast, listener, .. } => told::listen(&tape.recorder, listener, fast)?,
    }
    output::record(None);
    Ok(Recorded::new(program.name, program.what, program.sources, tape.events()))
}

fn show(recorded: &Recorded, form: Form, width: Option<usize>) -> Result<(), Box<dyn Error>> {
    let columns = || std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns >= 20);
    let width = width.or_else(columns).unwrap_or(80);
    let is_terminal = stdin().is_terminal() && stdout().is_terminal();
    match form {
        Form::Step { plain } if plain || !is_terminal => {
            if !plain {
                complain("this is no terminal: all steps follow, as with --plain.");
            }
            output::written(stepper::run_plain(recorded, &mut stdout().lock()));
        }
        Form::Step { .. } => {
            let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            let style = screen::Style { width, colour };
            output::written(stepper::run(recorded, style, &mut stdin().lock(), &mut stdout().lock()));
        }
        Form::Timeline => {
            let text = timeline::timeline(&recorded.name, &recorded.lanes(), width);
            output::written(stdout().lock().write_all(text.as_bytes()));
        }
        Form::Html(path) => {
            file::write_whole(&path, &html::html(recorded))?;
            println!("The page is in {}: open it in a browser.", path.display());
        }
        Form::Svg(path) => {
            file::write_whole(&path, &svg::svg(&recorded.name, &recorded.lanes()))?;
            println!("The picture is in {}.", path.display());
        }
        Form::Run { .. } => unreachable!("it was run"),
    }
    Ok(())
}

/// If stderr is closed there is nobody to tell, and the exit status says it.
fn complain(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "handloop: {sentence}");
}
