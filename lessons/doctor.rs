//! `doctor`: is everything there that the course needs? What is not, it says what to do about.

use std::io::{IsTerminal, stdin, stdout};
use std::process::{Command, Stdio};

use crate::course::{Chapter, handed_out, root};

/// Shows what it found. False: something is to be done.
pub fn examine() -> bool {
    let findings = [toolchain("cargo"), toolchain("rustc"), folder(), dependencies(), exercises()];
    for finding in &findings {
        match finding {
            Ok(sentence) => println!("ok    {sentence}"),
            Err(sentence) => println!("to do {sentence}"),
        }
    }
    println!("      {}", terminal());
    let is_well = findings.iter().all(Result::is_ok);
    println!("{}", if is_well { "All is well: cargo run -- gather --step" } else { "Then run this again." });
    is_well
}

type Finding = Result<String, String>;

fn output(program: &str, arguments: &[&str]) -> Option<(bool, String)> {
    let output = Command::new(program).args(arguments).current_dir(root()).stdin(Stdio::null()).output().ok()?;
    Some((output.status.success(), String::from_utf8_lossy(&output.stdout).trim().to_owned()))
}

fn toolchain(program: &str) -> Finding {
    let install = "install Rust from https://rustup.rs, or run: rustup update stable";
    let Some((true, version)) = output(program, &["--version"]) else {
        return Err(format!("{program} is not found: {install}."));
    };
    let number = version.split(' ').nth(1).unwrap_or("");
    let mut parts = number.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
    let known = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    let needed = (1, 85);
    if known >= needed { Ok(version) } else { Err(format!("{version} is too old, 1.85 is needed: {install}.")) }
}

fn folder() -> Finding {
    let here = std::env::current_dir().ok().and_then(|path| path.canonicalize().ok());
    let is_in = here.zip(root().canonicalize().ok()).is_some_and(|(here, root)| here.starts_with(root));
    if is_in {
        Ok(format!("the folder is {}", root().display()))
    } else {
        Err(format!("this is not the folder of the course: cd {}", root().display()))
    }
}

fn dependencies() -> Finding {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    match output(&cargo, &["fetch", "--offline", "--locked", "--quiet"]) {
        Some((true, _)) => Ok("everything is fetched: the course works offline".to_owned()),
        _ => Err("something is still to be fetched, once: cargo fetch".to_owned()),
    }
}

fn exercises() -> Finding {
    let all = || handed_out().flat_map(Chapter::exercises);
    match all().find(|exercise| !exercise.file("exercises").is_file()) {
        None => Ok(format!("{} exercises are there", all().count())),
        Some(exercise) => Err(format!(
            "{} is not there: cargo run -- reset {} {}",
            exercise.path(),
            exercise.chapter.short(),
            exercise.number
        )),
    }
}

fn terminal() -> String {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse::<usize>().ok());
    match (stdin().is_terminal() && stdout().is_terminal(), columns) {
        (false, _) => "this is no terminal: --step prints every step as text".to_owned(),
        (true, Some(columns)) => format!("the terminal is told to have {columns} columns"),
        (true, None) => "the terminal is taken to have 80 columns; for another width: --width $(tput cols)".to_owned(),
    }
}
