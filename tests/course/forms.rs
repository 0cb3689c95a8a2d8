//! The player as its user meets it: each form of each program, compared with files in `tests/player`; the commands of
//! the stepper; files that are written whole or not at all. `UPDATE=1 cargo test --test course forms` renews the files.

#[allow(dead_code, missing_docs)]
#[path = "../../lessons/player/mod.rs"]
mod player;

use std::fs;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::tools::{Folder, handloop};
use handloop::{EventLoop, gather, sleep, spawn_named, yield_now};
use player::replay::Doing;
use player::screen::{Style, fit_name, screen};
use player::told::Told;
use player::{Recorded, Source, Tape, html, stepper};

const PROGRAMS: [&str; 14] = [
    "gather",
    "threads",
    "lost_waker",
    "ch01",
    "ch02",
    "ch03",
    "ch04",
    "ch05",
    "ch06",
    "ch07",
    "ch08",
    "ch09",
    "ch10",
    "ch11",
];

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap().replace("\r\n", "\n")
}

/// What it prints, without a word on stderr.
fn printed(arguments: &[&str]) -> String {
    let output = handloop(arguments);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text(&output.stderr), "");
    text(&output.stdout)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/player")
}

#[track_caller]
fn same_as_file(name: &str, actual: &str) {
    let path = folder().join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(folder()).unwrap();
        return fs::write(path, actual).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    let differs = expected.lines().zip(actual.lines()).position(|(one, other)| one != other);
    assert!(
        expected == actual,
        "{name} is not what the player shows now (first at line {:?}): UPDATE=1 cargo test --test course forms renews it",
        differs.map(|line| line + 1)
    );
}

#[test]
fn steps_of_each_program() {
    for program in PROGRAMS {
        let steps = printed(&[program, "--plain"]);
        let without_terminal = handloop(&[program, "--step"]);
        assert_eq!(steps, text(&without_terminal.stdout));
        assert_eq!(
            text(&without_terminal.stderr),
            "handloop: this is no terminal: all steps follow, as with --plain.\n"
        );
        assert!(!steps.contains('\x1b'), "no colours without a terminal");
        same_as_file(&format!("{program}.steps.txt"), &steps);
    }
}

#[test]
fn timeline_of_each_program() {
    for program in PROGRAMS {
        let timeline = printed(&[program, "--timeline"]);
        assert!(timeline.lines().all(|line| line.chars().count() <= 88), "no wider than a screen, and the legend");
        same_as_file(&format!("{program}.timeline.txt"), &timeline);
    }
}

#[test]
fn picture_of_each_program() {
    let folder = Folder::new("svg");
    for program in PROGRAMS {
        let path = folder.file(program);
        assert_eq!(printed(&[program, "--svg", &path]), format!("The picture is in {path}.\n"));
        same_as_file(&format!("{program}.svg"), &fs::read_to_string(path).unwrap());
    }
}

#[test]
fn page_of_each_program_needs_nothing_else_and_is_small() {
    let folder = Folder::new("html");
    for program in PROGRAMS {
        let path = folder.file(program);
        assert_eq!(printed(&[program, "--html", &path]), format!("The page is in {path}: open it in a browser.\n"));
        let page = fs::read_to_string(path).unwrap();
        assert!(page.len() <= 150_000, "{} bytes", page.len());
        for outside in ["http:", "https:", "src=", "@import", "url(", "fetch(", "{{"] {
            assert!(!page.contains(outside), "{program}: {outside}");
        }
        // The sentences are those of the other forms.
        for sentence in printed(&[program, "--plain"]).lines().filter(|line| line.starts_with("The timer wakes")) {
            assert!(page.contains(sentence), "{program}: {sentence}");
        }
    }
}

/// A program of three tasks, recorded here.
fn recorded(tasks: u64, yields: usize) -> Recorded {
    const SOURCES: &[Source] = &[Source { path: "tests/course/forms.rs", text: include_str!("forms.rs") }];
    let tape = Tape::new();
    EventLoop::builder().virtual_clock().record(&tape.recorder).build().run_until_complete(async {
        let work = |n: u64| async move {
            for _ in 0..yields {
                yield_now().await;
            }
            sleep(Duration::from_secs(n)).await;
        };
        gather((1..=tasks).map(|n| spawn_named(format!("work {n}"), work(n)))).await.unwrap();
    });
    Recorded::new("three", "three tasks", SOURCES, tape.events())
}

fn plain(width: usize) -> Style {
    Style { width, colour: false }
}

#[test]
fn so_many_steps_on_and_back_is_the_same_screen() {
    let recorded = recorded(3, 1);
    let last = recorded.last();
    let input = "\n".repeat(last) + &"b\n".repeat(last) + "q\n";
    let mut output = Vec::new();
    stepper::run(&recorded, plain(80), &mut input.as_bytes(), &mut output).unwrap();
    let output = text(&output);
    let screens: Vec<&str> =
        output.split("> three, step").map(|screen| screen.trim_start_matches("three, step")).collect();
    assert_eq!(screens.len(), 2 * last + 1);
    for (on, back) in screens.iter().zip(screens.iter().rev()).take(last) {
        assert_eq!(on.trim_end_matches("> "), back.trim_end_matches("> "));
    }
    assert!(screens.windows(2).all(|two| two[0] != two[1]), "each step shows something");
}

#[test]
fn commands_of_the_stepper() {
    let recorded = recorded(3, 0);
    let last = recorded.last();
    let headings = |input: &str| -> Vec<String> {
        let mut output = Vec::new();
        stepper::run(&recorded, plain(80), &mut input.as_bytes(), &mut output).unwrap();
        let lines: Vec<String> = text(&output).lines().map(|line| line.trim_start_matches("> ").to_owned()).collect();
        let short = |line: &String| line.split(". Clock").next().unwrap().replace("three, step ", "");
        lines.iter().filter(|line| line.starts_with("three, step")).map(short).collect()
    };
    let at = |step: usize| format!("{step} of {last}");
    assert_eq!(headings("g 7\nb\nq\n"), [at(0), at(7), at(6)]);
    assert_eq!(headings("g 7"), [at(0), at(7)], "the end of the input is the end");
    let first = (1..=last).find(|step| recorded.sentence(*step).contains("spawns task 3")).unwrap();
    for name in ["t 3", "t task 3", "t work 2", "t WORK 2"] {
        assert_eq!(headings(&format!("{name}\nq\n")), [at(0), at(first)], "{name}");
    }
}

#[test]
fn what_a_command_says_when_it_cannot_be_done() {
    let recorded = recorded(3, 0);
    let remark = |input: &str| {
        let mut output = Vec::new();
        stepper::run(&recorded, plain(80), &mut input.as_bytes(), &mut output).unwrap();
        text(&output).lines().rev().nth(2).unwrap().to_owned()
    };
    assert_eq!(remark("b\n"), "This is the beginning.");
    assert_eq!(remark("g 9999\n"), format!("There is no step 9999: they go from 0 to {}.", recorded.last()));
    assert_eq!(remark("g x\n"), format!("There is no step x: they go from 0 to {}.", recorded.last()));
    assert_eq!(
        remark(&format!("g {}\n\n", recorded.last())),
        "This is the last step. b Enter goes back, q Enter ends."
    );
    assert_eq!(remark("t nobody\n"), "3, work 2; 4, work 3.", "the end of the list of all");
    assert_eq!(remark(&format!("g {}\nt 2\n", recorded.last())), "After this step nothing more happens to 2.");
    assert_eq!(remark("t\n"), "t needs the name of a task, or its number: t 2");
    let together = "There is no command bq. Each is a line of its own: the line below lists them.";
    assert_eq!(remark("bq\n"), together);
    assert_eq!(remark("?\n"), "Each command is a line, with Enter at its end; the line below lists them.");
    assert_eq!(remark("g\n"), "g needs the number of a step: g 12");
}

#[test]
fn a_screen_keeps_to_its_width() {
    let recorded = recorded(12, 1);
    for width in [20, 40, 59, 60, 80, 120, 200] {
        for step in 0..=recorded.last() {
            for line in screen(&recorded, step, plain(width)).lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }
    let coloured = screen(&recorded, 5, Style { width: 80, colour: true });
    assert!(coloured.contains("\x1b[7m>"), "the current line has a sign of its own beside its colour");
}

#[test]
fn width_comes_from_the_option_then_from_columns() {
    let longest = |output: Output| text(&output.stdout).lines().map(|line| line.chars().count()).max().unwrap();
    let timeline = |columns: Option<&str>, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handloop"));
        command.args(["gather", "--timeline"]).args(arguments).env_remove("COLUMNS").stdin(Stdio::null());
        columns.map(|columns| command.env("COLUMNS", columns));
        longest(command.output().unwrap())
    };
    let legend = 88;
    assert!(timeline(None, &[]) <= legend);
    assert!(timeline(Some("110"), &[]) > legend);
    assert!(timeline(Some("110"), &["--width", "80"]) <= legend);
    assert!(timeline(Some("nonsense"), &[]) <= legend);
}

/// What is wrong is one sentence, and status 2 for the command line, 1 for the file.
#[test]
fn what_cannot_be_done_is_one_sentence() {
    let folder = Folder::new("errors");
    let nowhere = folder.file("no/such/folder.html");
    let is_folder = folder.0.to_str().unwrap();
    let cases: [(&[&str], i32, &str); 10] = [
        (&["nope", "--step"], 2, "There is no program nope: cargo run -- --help lists what there is."),
        (&["gather", "--nope"], 2, "There is no option --nope: cargo run -- --help lists what there is."),
        (&["--step"], 2, "Which program? For example: cargo run -- gather --step"),
        (&["gather", "--html"], 2, "--html needs the file to write after it."),
        (&["gather", "--width", "x"], 2, "--width needs a number of columns from 20 to 1000, not x."),
        (&["gather", "--step", "--timeline"], 2, "One of --step, --timeline, --html and --svg at a time, please."),
        (&["gather", "--timeline", "--plain"], 2, "--plain is a way to --step: leave the other form out."),
        (&["gather", "--html", &nowhere], 1, "cannot be written: "),
        (&["gather", "--svg", is_folder], 1, "cannot be written: there is something of that name that is no file."),
        (&["gather", "--svg", ""], 1, "The name of the file to write is empty."),
    ];
    for (arguments, status, sentence) in cases {
        let output = handloop(arguments);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(said.starts_with("handloop: ") && said.contains(sentence) && said.lines().count() == 1, "{said}");
        assert_eq!(text(&output.stdout), "");
    }
    assert!(folder.names().is_empty(), "nothing is left behind: {:?}", folder.names());
}

#[test]
fn a_file_is_replaced_whole_or_stays() {
    let folder = Folder::new("whole");
    let path = folder.file("page.html");
    fs::write(&path, "before").unwrap();
    printed(&["gather", "--html", &path]);
    assert!(fs::read_to_string(&path).unwrap().ends_with("</html>\n"));
    assert_eq!(folder.names(), ["page.html"]);
    #[cfg(target_os = "linux")]
    {
        let output = handloop(&["gather", "--html", "/dev/full"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(!fs::metadata("/dev/full").unwrap().is_file(), "a device stays what it is");
    }
}

#[test]
fn a_closed_pipe_ends_in_silence() {
    for form in ["--plain", "--timeline"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_handloop"))
            .args(["threads", form])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    }
}

/// The stall names the step at which the last waker went, and that step shows it.
#[test]
fn a_lost_waker_leads_back_to_the_step_that_dropped_it() {
    let steps = printed(&["lost_waker", "--plain"]);
    let (_, stall) = steps.split_once("The loop is stalled:").unwrap();
    let (_, step) = stall.split_once("The last waker of task 2 was dropped at step ").unwrap();
    let step = step.split('.').next().unwrap();
    let (_, shown) = steps.split_once(&format!("lost_waker, step {step} of ")).unwrap();
    let sentence = shown.lines().nth(1).unwrap();
    assert_eq!(
        sentence,
        "Task 3 drops the last clone of the waker of task 2, Ann. It waits, and now no waker is left that could wake it."
    );
}

/// Ten thousand events are read and shown; nothing in them is looked at more than once for each step.
#[test]
fn a_long_run_is_shown() {
    let recorded = recorded(100, 32);
    assert!(recorded.last() >= 10_000, "{} events", recorded.last());
    let page = html::html(&recorded);
    assert!(page.len() < 600 * recorded.last(), "{} bytes", page.len());
    assert!(screen(&recorded, recorded.last(), plain(80)).contains("The loop is closed."));
}

/// What chapters 2 to 6 tell beyond the words of the table: a clock that stays, a deadline that never comes, a poll of who
/// was parked, a line after the run.
#[test]
fn a_stage_may_leave_out_what_goes_without_saying() {
    let tape = Tape::new();
    let mut told = Told::new(tape.recorder.clone());
    let never = format!("timer 1 1 {}", Duration::MAX.as_millis());
    let lines = [
        "task 1 main",
        "begin",
        "poll 1",
        &never,
        "pending 1",
        "park",
        "clock 0",
        "poll 1",
        "ready 1",
        "end",
        "say over",
    ];
    lines.iter().for_each(|line| told.tell(line, Location::caller()));
    assert_eq!(told.error, None);
    let recorded = Recorded::new("told", "", &[], tape.events());
    assert_eq!(recorded.last(), lines.len() - 1, "a clock that has not moved is no event");
    assert_eq!(recorded.state(4).timers[0].deadline, Duration::MAX);
    assert_eq!((recorded.state(6).doing, recorded.state(7).doing), (Doing::Parked, Doing::Running));
    assert_eq!(recorded.sentence(recorded.last()), "The program prints: over");
}

/// Who acts while nobody is polled, and which wake is an entry in the queue.
#[test]
fn a_stage_need_not_say_who_wakes_nor_whether_it_is_queued() {
    let tape = Tape::new();
    let mut told = Told::new(tape.recorder.clone());
    let lines = [
        "task 1 main",
        "begin",
        "wake 1",
        "poll 1",
        "clone 1",
        "timer 7 1500",
        "pending 1",
        "park",
        "clock 1500",
        "fire 7",
        "wake 1",
        "wake 1",
        "drop 1",
        "poll 1",
        "clone 1",
        "wake 1",
        "ready 1",
        "wake 1",
        "end",
        "drop 1",
    ];
    for line in lines {
        told.tell(line, Location::caller());
        if line == "park" {
            // Told again at each look, until the next poll.
            told.tell(line, Location::caller());
        }
    }
    assert_eq!(told.error, None);
    let recorded = Recorded::new("told", "", &[], tape.events());
    assert_eq!(recorded.last(), lines.len());
    let starts = [
        (3, "The loop wakes task 1, main: it is in the ready queue already"),
        (6, "A timer is set: it will wake task 1, main, at 1.500 s."),
        (11, "The timer wakes task 1, main: it goes to the end of the ready queue."),
        (12, "The timer wakes task 1, main: it is in the ready queue already"),
        (13, "The timer drops its last clone of the waker of task 1, main."),
        (16, "Task 1 wakes itself: it goes to the end of the ready queue."),
        (18, "The loop wakes task 1, main: it is over, so nothing happens."),
        (20, "The timer drops its last clone of the waker of task 1, main."),
    ];
    for (step, start) in starts {
        let sentence = recorded.sentence(step);
        assert!(sentence.starts_with(start), "step {step}: {sentence}");
    }
}

/// Whose clones a stage makes and drops without saying so.
#[test]
fn a_stage_need_not_say_who_keeps_a_clone() {
    let tape = Tape::new();
    let mut told = Told::new(tape.recorder.clone());
    let lines = [
        "task 1 worker",
        "task 2 main",
        "begin",
        "poll 2",
        "wait 1",
        "clone 2",
        "clone 2",
        "wait 1",
        "clone 2",
        "drop 2",
        "pending 2",
        "poll 1",
        "wake 2",
        "drop 2",
        "ready 1",
        "drop 2",
    ];
    lines.iter().for_each(|line| told.tell(line, Location::caller()));
    assert_eq!(told.error, None);
    let recorded = Recorded::new("told", "", &[], tape.events());
    let sentences = [
        (5, "A clone of the waker of task 2 is left with task 1, to be called when that ends (clones alive: 1)."),
        (6, "A clone of the waker of task 2 is made for its timer (clones alive: 2)."),
        (7, "A clone of the waker of task 2 is left with task 1, to be called when that ends (clones alive: 3)."),
        (8, "Task 2 drops the clone that task 1 had of the waker of task 2 (clones alive: 2)."),
        (12, "Task 1 drops its clone of the waker of task 2 (clones alive: 1)."),
        (14, "The timer drops its last clone of the waker of task 2, main."),
    ];
    for (step, sentence) in sentences {
        assert_eq!(recorded.sentence(step), sentence);
    }
}

/// A stage polls no task that is cancelled: it tells of a poll, and the player of a drop. A park is told with what ends it.
#[test]
fn a_poll_of_a_cancelled_task_is_a_drop() {
    let tape = Tape::new();
    let mut told = Told::new(tape.recorder.clone());
    let lines = [
        "task 1 main",
        "begin",
        "poll 1",
        "pending 1",
        "park",
        "end",
        "close",
        "cancel 1",
        "wake 1",
        "close",
        "poll 1",
        "ready 1",
    ];
    lines.iter().for_each(|line| told.tell(line, Location::caller()));
    assert_eq!(told.error, None);
    let recorded = Recorded::new("told", "", &[], tape.events());
    let sentences: Vec<&str> = (5..=recorded.last()).map(|step| recorded.sentence(step)).collect();
    assert_eq!(
        sentences,
        [
            "What the run was for is done: it ends.",
            "The loop begins to close: what is not over will be dropped.",
            "The loop cancels task 1, main.",
            "Task 1, main, goes to the end of the ready queue, so that it is dropped: a cancel needs no waker.",
            "The loop closes: the future of task 1, main, is dropped.",
            "Task 1 is cancelled: its future is gone.",
        ]
    );
}

/// A job is a callback; who prints or stops in it is the job. One that comes while the loop runs comes at another line in
/// each run, and is shown where the loop calls it.
#[test]
fn a_job_is_shown_where_the_order_is_the_same_in_each_run() {
    let recorded = |sent_at: usize| {
        let tape = Tape::new();
        let mut told = Told::new(tape.recorder.clone());
        let mut lines =
            vec!["send by main", "begin", "job", "task 1 made", "poll 1", "ready 1", "job", "say here", "stop", "end"];
        lines.insert(sent_at, "send by helper");
        lines.iter().for_each(|line| told.tell(line, Location::caller()));
        assert_eq!(told.error, None);
        Recorded::new("told", "", &[], tape.events())
    };
    let sentences = [
        "The main thread puts callback 1, job, into the inbox, and an entry for it at the end of the ready queue.",
        "The loop begins to run.",
        "The loop runs callback 1, job.",
        "Callback 1 spawns task 1, made: it goes to the end of the ready queue.",
        "Callback 1 returns.",
        "The loop polls task 1, made, for the first time.",
        "Task 1 returns ready: it is finished.",
        "The thread helper puts callback 2, job, into the inbox, and an entry for it at the end of the ready queue.",
        "The loop runs callback 2, job.",
        "Callback 2 prints: here",
        "Callback 2 asks the loop to stop.",
        "Callback 2 returns.",
        "It was asked to stop: the turn is over, and the run ends.",
    ];
    for sent_at in 2..=6 {
        let recorded = recorded(sent_at);
        let seen: Vec<&str> = (1..=recorded.last()).map(|step| recorded.sentence(step)).collect();
        assert_eq!(seen, sentences, "sent at line {sent_at}");
        assert_eq!(recorded.state(1).ready.len(), 1, "its entry is in the queue");
        assert!(recorded.state(3).ready.is_empty());
    }
}

/// Of many names a narrow screen shows few, but how many there are it shows.
#[test]
fn a_narrow_screen_counts_the_wakers() {
    let tape = Tape::new();
    let mut told = Told::new(tape.recorder.clone());
    let lines = ["task 1 main", "begin", "poll 1", "clone 1", "clone 1"];
    lines.iter().for_each(|line| told.tell(line, Location::caller()));
    let recorded = Recorded::new("told", "", &[], tape.events());
    for (step, wakers) in [(3, " none"), (4, " timer"), (5, " 2: timer")] {
        let screen = screen(&recorded, step, plain(80));
        let row = screen.lines().find(|line| line.contains(" 1 main")).unwrap();
        let (_, seen) = row.split_once("running").unwrap();
        assert!(seen.trim_start().starts_with(wakers.trim_start()), "step {step}: {row}");
    }
}

#[test]
fn a_long_name_keeps_both_its_ends() {
    assert_eq!(fit_name("do_some_work(4)", 15), "do_some_work(4)");
    assert_eq!(fit_name("do_some_work(4)", 9), "do_s…k(4)");
    assert_eq!(fit_name("äöüäöü", 3), "ä…ü");
}

/// What the lines of a stage become.
#[test]
fn lines_of_a_stage_are_read_as_events() {
    let tape = Tape::new();
    let mut told = Told::new(tape.recorder.clone());
    let lines = [
        "task 1 main",
        "begin",
        "poll 1",
        "say hello by hand",
        "clone 1",
        "timer 7 1 1500",
        "pending 1",
        "park",
        "clock 1500",
        "fire 7",
        "wake 1 by the timer",
        "wake 1 by helper",
        "drop 1 by task 2",
        "forget 7",
        "cancel 1 by task 2",
        "poll 1",
        "ready 1",
        "join 1 by main",
        "poll 2",
        "panicked 2",
        "poll 3",
        "ready 3",
        "stop",
        "end",
    ];
    lines.iter().for_each(|line| told.tell(line, Location::caller()));
    assert_eq!(told.error, None);
    assert_eq!(tape.events().len(), lines.len());
    assert_eq!(tape.events()[8].time, Duration::from_millis(1500));
    assert!(tape.events().iter().all(|event| event.at.is_some()));
    let recorded = Recorded::new("told", "", &[], tape.events());
    let sentences: Vec<&str> = (1..=lines.len()).map(|step| recorded.sentence(step)).collect();
    assert_eq!(sentences[3], "Task 1 prints: hello by hand");
    assert_eq!(sentences[4], "A clone of the waker of task 1 is made for its timer (clones alive: 1).");
    assert_eq!(sentences[5], "A timer is set: it will wake task 1, main, at 1.500 s.");
    assert_eq!(
        sentences[11],
        "The thread helper wakes task 1, main: it is in the ready queue already, so nothing changes."
    );
    let state = recorded.state(11);
    assert_eq!(state.ready.len(), 1);
    assert!(state.timers.is_empty() && recorded.state(6).timers.len() == 1);
}

#[test]
fn a_line_that_cannot_be_read_is_named_with_its_place() {
    for bad in
        ["", "pol 1", "poll", "poll x", "poll 1 2", "timer 1 2", "wake 1 twice", "clone 1 for me", "clock soon", "job"]
    {
        let mut told = Told::new(Tape::new().recorder);
        told.tell(bad, Location::caller());
        let error = told.error.unwrap_or_else(|| panic!("{bad:?} was read"));
        assert!(error.contains("forms.rs:") && error.contains(&format!("\"{bad}\"")), "{error}");
    }
}
