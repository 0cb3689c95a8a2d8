//! The course's front door: it runs the programs.

#[macro_use]
mod output;
mod programs {
    pub mod gather;
    pub mod threads;
}

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use handloop::{Builder, EventLoop};

/// A poll that takes longer is reported: asyncio's debug mode has the same.
const SLOW_POLL: Duration = Duration::from_millis(100);

/// What can be run.
#[derive(Clone, Copy)]
struct Program {
    name: &'static str,
    what: &'static str,
    run: fn(fast: bool) -> Result<(), Box<dyn Error>>,
}

const PROGRAMS: [Program; 2] = [
    Program { name: "gather", what: "three sleeps of 1, 2 and 4 seconds, together: 4 seconds", run: gather },
    Program { name: "threads", what: "a loop in another thread, and work that blocks: 8 seconds", run: threads },
];

fn gather(fast: bool) -> Result<(), Box<dyn Error>> {
    Ok(programs::gather::run(&builder(fast).build())?)
}

fn threads(fast: bool) -> Result<(), Box<dyn Error>> {
    // Blocking is real work: no clock can jump over it.
    let block_for = if fast { Duration::from_millis(150) } else { Duration::from_secs(1) };
    programs::threads::run(builder(fast), block_for)
}

fn builder(fast: bool) -> Builder {
    let builder = EventLoop::builder().slow_poll(SLOW_POLL);
    if fast { builder.virtual_clock() } else { builder }
}

/// What the command line asks for.
enum Command {
    Run { program: Program, fast: bool },
    RunFirst { fast: bool },
    Help,
}

fn parse(arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let (mut program, mut fast) = (None, false);
    for argument in arguments {
        match argument.as_str() {
            "--help" | "-h" => return Ok(Command::Help),
            "--fast" => fast = true,
            option if option.starts_with('-') => {
                return Err(format!("There is no option {option}: cargo run -- --help lists what there is."));
            }
            name => match PROGRAMS.iter().find(|known| known.name == name) {
                Some(_) if program.is_some() => return Err("One program at a time, please.".to_owned()),
                Some(known) => program = Some(*known),
                None => return Err(format!("There is no program {name}: cargo run -- --help lists what there is.")),
            },
        }
    }
    Ok(match program {
        Some(program) => Command::Run { program, fast },
        None => Command::RunFirst { fast },
    })
}

fn overview() {
    println!("handloop: a hand-written asyncio, on std alone.");
    println!();
    println!("cargo run -- PROGRAM [--fast]");
    for Program { name, what, .. } in PROGRAMS {
        println!("  {name:<8} {what}");
    }
    println!("  --fast   the same on a virtual clock: at once");
}

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    let outcome = match parse(arguments) {
        Ok(Command::Help) => {
            overview();
            Ok(())
        }
        Ok(Command::Run { program, fast }) => (program.run)(fast),
        Ok(Command::RunFirst { fast }) => {
            overview();
            println!();
            println!("The first of them, {}:", PROGRAMS[0].name);
            (PROGRAMS[0].run)(fast)
        }
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

/// If stderr is closed there is nobody to tell, and the exit status says it.
fn complain(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "handloop: {sentence}");
}
