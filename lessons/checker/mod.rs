//! What every exercise is checked by.
//!
//! An exercise is a program of its own. It starts itself again as a child, and the child checks one rule after the
//! other, in the order of the list. So whatever the exercise does, never return, end the process, overflow its stack,
//! it ends in a verdict: only a child that says so with the word it was given has passed.
//!
//! | file | its one idea |
//! |---|---|
//! | `rules` | the rules of the course, each with a number and a sentence |
//! | `messages` | what a check says, all in one place |
//! | `contract` | an adversary for a future of yours: it polls, wakes and drops as the contract allows |
//! | `endless` | an end for code that would not come back |
//! | `handles` | handles of tasks that are not there, for a gather of yours |
//! | `lock` | a lock and a condition variable, for a check that plays the other threads itself |
//! | `threads` | threads without threads: a run in every order of the operations on locks |
//! | `turns` | tasks for a loop of yours, and the rules that a record of its turns has to keep |

pub mod contract;
pub mod endless;
pub mod handles;
pub mod lock;
pub mod messages;
pub mod rules;
pub mod threads;
pub mod turns;

use std::any::Any;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

/// What was seen where a rule is broken; `Ok`: it is kept.
pub type Verdict = Result<(), String>;

/// One rule of an exercise, and the check of it.
pub type Rule = (&'static str, fn() -> Verdict);

/// Far beyond what any check needs. It is never the verdict on a program that ends.
const BACKSTOP: Duration = Duration::from_secs(10);

/// A child may use so much memory; where the system does not tell, the backstop is left.
const MOST_MEMORY: u64 = 1 << 30;

/// The word that the child has to say. Nobody else knows it.
const WORD: &str = "HANDLOOP_CHECK_WORD";

/// A rule that is not checked, so that the course can prove that its check is needed.
const WITHOUT: &str = "HANDLOOP_CHECK_WITHOUT";

/// Checks an exercise: the first rule that is broken is the verdict.
pub fn run(exercise: &str, rules: &[Rule]) -> ExitCode {
    match std::env::var(WORD) {
        Ok(word) => {
            check_here(&word, rules);
            ExitCode::SUCCESS
        }
        Err(_) => match check_in_child() {
            Ok(()) => {
                let kept: Vec<&str> = rules.iter().map(|(rule, _)| *rule).collect();
                println!("{exercise}: {}", messages::passed(&kept));
                ExitCode::SUCCESS
            }
            Err(sentence) => {
                println!("{exercise}: {sentence}");
                ExitCode::FAILURE
            }
        },
    }
}

/// The child: says which rule it is at, what was seen, and at last that it has finished.
fn check_here(word: &str, rules: &[Rule]) {
    // The student's own panics are reported by the verdict, with their place.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or(String::new(), |at| {
            if is_of_std(at.file()) {
                format!(" in {} of std", file_name(at.file()))
            } else {
                format!(" at line {} of {}", at.line(), file_name(at.file()))
            }
        });
        let text = text_of(info.payload()).unwrap_or_default();
        let said =
            if is_todo(info.payload()) { messages::todo(text, &place) } else { messages::panicked(text, &place) };
        *LAST_PANIC.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = said;
    }));
    let without = std::env::var(WITHOUT).unwrap_or_default();
    for (rule, check) in rules.iter().filter(|(rule, _)| *rule != without) {
        say(word, &format!("at {rule}"));
        let verdict = catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(|_| Err(last_panic()));
        if let Err(seen) = verdict {
            say(word, &format!("broken {rule} {}", seen.replace('\n', " ")));
            return;
        }
    }
    say(word, "finished");
}

/// For a check that calls several functions of an exercise: the one that it calls now, so that the verdict can name it if
/// it does not come back.
pub fn calls(function: &str) {
    calls_and_asks(function, messages::NOTHING_MAY_END_IT);
}

/// The same, with a question of its own if the program crashes in it.
pub fn calls_and_asks(function: &str, question: &str) {
    if let Ok(word) = std::env::var(WORD) {
        say(&word, &format!("calls {function} {question}"));
    }
}

static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

/// What a panic that was caught is reported as.
pub fn last_panic() -> String {
    LAST_PANIC.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
}

fn text_of(panic: &(dyn Any + Send)) -> Option<&str> {
    panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str))
}

/// Whether a panic is that of a `todo!()`.
pub fn is_todo(panic: &(dyn Any + Send)) -> bool {
    text_of(panic).is_some_and(|text| text.starts_with("not yet implemented"))
}

fn say(word: &str, what: &str) {
    // Straight to the pipe, and whole: the exercise may print too.
    let _ = std::io::stdout().write_all(format!("\n{word} {what}\n").as_bytes());
    let _ = std::io::stdout().flush();
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// The lines of std say nothing to a student.
fn is_of_std(path: &str) -> bool {
    ["core", "alloc", "std"].iter().any(|name| path.replace('\\', "/").contains(&format!("/library/{name}/src/")))
}

/// The parent: starts the child, and reads what it says.
fn check_in_child() -> Verdict {
    // Unknown to the exercise, which could otherwise say it by chance. It is no defence against malice.
    let word = format!("#{:x}-{:x}#", std::process::id(), std::ptr::from_ref(&WORD).addr());
    let started = std::env::current_exe().and_then(|program| {
        Command::new(program)
            .env(WORD, &word)
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    });
    let mut child = started.map_err(|error| messages::no_child(&error.to_string()))?;
    let output = drain(child.stdout.take().expect("it is piped"));
    let errors = drain(child.stderr.take().expect("it is piped"));
    let end = wait(&mut child);
    let said = output.join().unwrap_or_default();
    let errors = errors.join().unwrap_or_default();
    let lines: Vec<&str> =
        said.lines().filter_map(|line| line.strip_prefix(word.as_str())?.strip_prefix(' ')).collect();
    if let Some(broken) = lines.iter().find_map(|line| line.strip_prefix("broken ")) {
        let (rule, seen) = broken.split_once(' ').unwrap_or((broken, ""));
        return Err(messages::broken(rule, seen));
    }
    let at = lines.iter().rposition(|line| line.starts_with("at ")).unwrap_or(0);
    let rule = lines.get(at).and_then(|line| line.strip_prefix("at ")).unwrap_or("");
    let call = lines.iter().skip(at).rev().find_map(|line| line.strip_prefix("calls ")?.split_once(' '));
    let place = messages::place(rule, call.map(|(function, _)| function));
    match end {
        End::Exited(_) if lines.last() == Some(&"finished") => Ok(()),
        End::Exited(_) if errors.contains("has overflowed its stack") => Err(messages::overflowed(&place)),
        End::Exited(status) => {
            // By a signal there is no code; Windows has one for each kind of crash, and all are negative.
            let is_crash = status.code().is_none_or(|code| code < 0);
            let question = call.map(|(_, question)| question).filter(|_| is_crash);
            Err(messages::ended_early(&place, &status.to_string(), question))
        }
        End::Late => Err(messages::no_verdict(&place, BACKSTOP)),
        End::Large => Err(messages::too_large(&place, MOST_MEMORY)),
    }
}

/// Reads to the end on a thread of its own, so that a child that prints much is not stopped by a full pipe. What is
/// beyond a megabyte is thrown away, but for the first lines and the last.
fn drain(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let (mut kept, mut chunk) = (Vec::new(), [0; 8192]);
        while let Ok(count @ 1..) = pipe.read(&mut chunk) {
            kept.extend_from_slice(&chunk[..count]);
            if kept.len() > 2 << 20 {
                kept.drain(1 << 16..(1 << 16) + (1 << 20));
            }
        }
        String::from_utf8_lossy(&kept).into_owned()
    })
}

enum End {
    Exited(ExitStatus),
    Late,
    Large,
}

fn wait(child: &mut Child) -> End {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return End::Exited(status);
        }
        let is_late = start.elapsed() >= BACKSTOP;
        if is_late || memory(child) > MOST_MEMORY {
            let _ = child.kill();
            let _ = child.wait();
            return if is_late { End::Late } else { End::Large };
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// What the child has in memory, in bytes; 0 where the system does not tell.
fn memory(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
