//! The student's desk as its user meets it, in a copy of the course: `check`, `hint`, `progress`, `solution`, `reset`,
//! `doctor`, `diff`.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::tools::{chapters, root};

/// A clean copy of the project, built on its own, gone at the end. Its target folder is below this one's, so that a
/// second run has less to build.
struct Copy {
    root: PathBuf,
    is_built: Cell<bool>,
}

impl Copy {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("handloop-desk-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        copy(root(), &path);
        lend(Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap(), &target());
        for own in chapters(&path) {
            for exercise in fs::read_dir(own.join("given")).unwrap() {
                let exercise = exercise.unwrap().path();
                fs::copy(&exercise, own.join("exercises").join(exercise.file_name().unwrap())).unwrap();
            }
        }
        Copy { root: path, is_built: Cell::new(false) }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root.join("lessons/ch01_generators").join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        // By cargo, as the student does, the first time; what it built is there then.
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = target().join(format!("debug/handloop{}", std::env::consts::EXE_SUFFIX));
        let mut command = Command::new(if self.is_built.get() { built.into_os_string() } else { cargo });
        if !self.is_built.replace(true) {
            command.args(["run", "--quiet", "--offline", "--"]);
        }
        command
            .current_dir(&self.root)
            .args(arguments)
            .env("CARGO_MANIFEST_DIR", &self.root)
            .env("CARGO_TARGET_DIR", target())
            .env("CARGO_NET_OFFLINE", "true")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Its lines, and whether it ended well.
    fn said(&self, arguments: &[&str]) -> (bool, Vec<String>) {
        let output = self.run(arguments);
        let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.success(), said.lines().map(str::to_owned).collect())
    }
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("desk")
}

/// The other crates that the checks are compiled with are compiled already: they get a second name below `to`. Where that
/// cannot be, cargo compiles them again.
fn lend(from: &Path, to: &Path) {
    for kind in ["debug/deps", "debug/.fingerprint", "debug/build"] {
        for entry in fs::read_dir(from.join(kind)).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_own = name.contains("handloop") || kind.ends_with("deps") && !name.starts_with("lib");
            if !is_own {
                link_all(&entry.path(), &to.join(kind).join(name));
            }
        }
    }
}

fn link_all(from: &Path, to: &Path) {
    if from.is_dir() {
        for entry in fs::read_dir(from).into_iter().flatten().flatten() {
            link_all(&entry.path(), &to.join(entry.file_name()));
        }
    } else if fs::create_dir_all(to.parent().unwrap()).is_ok() {
        let _ = fs::hard_link(from, to);
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if ["target", ".git", ".progress", "book", "class"].iter().any(|other| name == *other) {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

#[track_caller]
fn has(lines: &[String], text: &str) {
    assert!(lines.iter().any(|line| line.contains(text)), "no line has \"{text}\": {lines:#?}");
}

#[test]
fn a_student_works_through_chapter_1() {
    let copy = Copy::new();

    // As handed out: all three fail, each with one sentence and the next hint.
    let (passes, lines) = copy.said(&["check", "ch01"]);
    assert!(!passes);
    assert_eq!(lines.iter().filter(|line| line.contains("Rule 1.")).count(), 3, "{lines:#?}");
    has(&lines, "Hint 1 of 3: cargo run -- hint ch01 2");

    // One hint more each time; the last stays.
    for open in [1, 2, 3, 3] {
        let (passes, lines) = copy.said(&["hint", "ch01", "1"]);
        assert!(passes);
        assert_eq!(lines.iter().filter(|line| line.starts_with("Hint ")).count(), open);
    }

    // A type error: in short, with the lesson's section.
    let own = copy.file("exercises/ex01_1.rs");
    let given = fs::read_to_string(&own).unwrap();
    fs::write(&own, given.replace("todo!(\"yield the next number, or complete\")", "self.at + 1")).unwrap();
    let (passes, lines) = copy.said(&["check", "ch01", "1"]);
    assert!(!passes);
    has(&lines, "It does not compile yet. line 33: ");
    has(&lines, "E0308");
    assert!(lines.len() <= 5, "no wall of compiler text: {lines:#?}");
    // It hides nothing else.
    let (_, lines) = copy.said(&["check", "ch01", "2"]);
    has(&lines, "Rule 1.4");

    // The solution only after it passed.
    let (passes, lines) = copy.said(&["solution", "ch01", "1"]);
    assert!(!passes);
    has(&lines, "add --anyway");
    let (passes, lines) = copy.said(&["solution", "ch01", "1", "--anyway"]);
    assert!(passes);
    has(&lines, "Exercise 1.1, solved.");
    fs::copy(copy.file("solutions/ex01_1.rs"), &own).unwrap();
    let (passes, lines) = copy.said(&["check", "1", "ex01_1"]);
    assert!(passes);
    has(&lines, "passed: rules 1.1 and 1.2 are kept.");
    assert!(copy.said(&["solution", "ch01", "1"]).0);
    let (_, lines) = copy.said(&["progress"]);
    has(&lines, "[x] ex01_1  solved");
    has(&lines, "[ ] ex01_2  not begun");
    has(&lines, &format!("1 of {} exercises are solved.", 3 * chapters(&copy.root).len()));
    let (_, lines) = copy.said(&["progress", "--json"]);
    assert!(lines[0].starts_with(r#"[{"exercise":"ex01_1","state":"solved","hints":3},{"#), "{lines:?}");

    // Remembered by the content: a change takes it back, and the old text brings it again.
    let solved = fs::read_to_string(&own).unwrap();
    fs::write(&own, solved.clone() + "// more\n").unwrap();
    has(&copy.said(&["progress"]).1, "ex01_1  changed since it passed");
    fs::write(&own, solved).unwrap();
    has(&copy.said(&["progress"]).1, "ex01_1  solved");

    // Reset keeps what was there.
    let (passes, lines) = copy.said(&["reset", "ch01", "1"]);
    assert!(passes);
    has(&lines, "ex01_1.kept1.txt");
    assert_eq!(fs::read_to_string(&own).unwrap().replace('\r', ""), given.replace('\r', ""));
    assert!(fs::read_to_string(copy.file("exercises/ex01_1.kept1.txt")).unwrap().contains("Resumed::Yielded(self.at)"));

    // An error leads to the section that explains it: with other names in it, in an earlier chapter, by its second code, the
    // exercise's own. One that is only of the same kind does not, and `unsafe` is answered.
    let told = |exercise: &str, from: &str, to: &str| {
        let chapter = fs::read_dir(copy.root.join("lessons")).unwrap().map(|entry| entry.unwrap().path());
        let chapter = chapter.into_iter().find(|path| path.join(format!("given/{exercise}.rs")).is_file()).unwrap();
        let own = chapter.join(format!("exercises/{exercise}.rs"));
        let given = fs::read_to_string(&own).unwrap();
        assert!(given.contains(from), "{given}");
        fs::write(&own, given.replace(from, to)).unwrap();
        let (passes, lines) = copy.said(&["check", &exercise[2..4], &exercise[5..]]);
        fs::write(&own, given).unwrap();
        assert!(!passes);
        lines.join("\n")
    };
    let end = "todo!(\"count, poll the inner future, and pass on what it says\")";
    let wait = "drop(machine.wait_timeout(timers, deadline - now));";
    let ask = "todo!(\"ask";
    let of_its_own = "see ex06_3 in lessons/ch06_timers/README.md";
    for (exercise, from, to, leads_to) in [
        ("ex04_1", end, "self.inner.poll(context).map(|output| (output, 1))", "lessons/ch04_pin/README.md"),
        ("ex04_1", end, "Pin::new(&mut async {}).poll(context); todo!()", "lessons/ch04_pin/README.md"),
        ("ex04_1", end, "let number: u32 = async { 1 }; todo!()", "rustc --explain E0308"),
        ("ex04_1", end, "let polls = 0; polls.count_polls(); todo!()", "rustc --explain E0599"),
        ("ex04_1", end, "let polls = vec![0]; polls.push(1); todo!()", "rustc --explain E0596"),
        ("ex04_1", end, "Some(self.inner.as_mut()).poll(context); todo!()", "rustc --explain E0599"),
        (
            "ex10_1",
            ask,
            "let _ = future.poll(context); todo!(\"ask",
            "see ex10_1 in lessons/ch10_cancellation/README.md",
        ),
        ("ex03_1", "todo!(\"pending, or ready\")", "self.left", "rustc --explain E0308"),
        ("ex04_3", "todo!(", "let x: u32 = std::future::ready(1).await; todo!(", "lessons/ch03_futures/README.md"),
        ("ex06_3", wait, "machine.wait_timeout(timers, deadline); drop(timers);", of_its_own),
        ("ex06_3", wait, "machine.wait_timeout(timers, deadline); timers.fire();", of_its_own),
        ("ex06_2", "Poll::Pending", "drop(self); drop(self); Poll::Pending", "rustc --explain E0382"),
        ("ex04_1", end, "unsafe { self.inner.as_mut().poll(context).map(|output| (output, 1)) }", "without `unsafe`"),
    ] {
        let said = told(exercise, from, to);
        assert!(said.contains(leads_to), "{exercise}, {to}: {said}");
    }

    // What the label repeats is said once, and the check's own path is left out.
    let said = told("ex03_1", "todo!(\"pending, or ready\")", "let all = vec![self.left].zip(&mut 1); todo!()");
    assert!(said.contains("line ") && said.matches("is not an iterator").count() == 1, "{said}");

    // A file that is gone, one that is no Rust at all.
    fs::remove_file(&own).unwrap();
    let (passes, lines) = copy.said(&["check", "ch01", "1"]);
    assert!(!passes);
    has(&lines, "No verdict: lessons/ch01_generators/exercises/ex01_1.rs is not there: cargo run -- reset ch01 1.");
    has(&copy.said(&["doctor"]).1, "cargo run -- reset ch01 1");
    fs::write(&own, "def ticks(last):\n").unwrap();
    let (passes, lines) = copy.said(&["check", "ch01", "1"]);
    assert!(!passes);
    has(&lines, "It does not compile yet.");

    // The lesson's small programs: listed, run, and refused by the compiler.
    let (passes, lines) = copy.said(&["show", "ch01"]);
    assert!(passes);
    has(&lines, "cargo run -- show ch01 functions    Ann and Bob count down, each by an ordinary function.");
    let (passes, lines) = copy.said(&["show", "ch01", "iterator"]);
    assert!(passes);
    assert_eq!(lines, ["yielded a", "yielded b", "complete"]);
    let (passes, lines) = copy.said(&["show", "ch01", "e0507"]);
    assert!(passes, "the compiler refuses it, as it should");
    has(&lines, "error[E0507]: cannot move out of `*inner` which is behind a mutable reference");
    let (passes, lines) = copy.said(&["show", "ch01", "nothing"]);
    assert!(!passes);
    has(&lines, "Chapter 1 has no program nothing to show: it has functions, iterator, e0308,");

    // Whatever the exercises are in, the doctor finds the course well, and the stage's change is shown.
    let (passes, lines) = copy.said(&["diff", "ch01"]);
    assert!(passes);
    has(&lines, "+ pub enum Resumed<Y, R> {");
    has(&lines, "lines added and removed");
    let (_, lines) = copy.said(&["diff", "ch10"]);
    assert!(lines.iter().any(|line| line == "…"), "what is the same is left out: {lines:#?}");
}

#[test]
fn what_cannot_be_done_is_one_sentence() {
    let chapters = chapters(root());
    let short = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap()[..4].to_owned();
    let there_is = chapters.iter().map(short).collect::<Vec<_>>().join(", ");
    for (arguments, sentence) in [
        (["check"].as_slice(), "Which chapter? For example: cargo run -- check ch01"),
        (&["hint", "ch01"], "Which exercise? For example: cargo run -- hint ch01 2"),
        (&["check", "ch99"], &format!("There is no chapter ch99 here: there is {there_is}.")),
        (&["hint", "ch01", "4"], "Chapter 1 has exercises 1 to 3, and no 4."),
        (&["progress", "--xml"], "progress has no option --xml: cargo run -- --help lists what there is."),
        (&["diff", "ch01", "2"], "diff does not know what to do with 2."),
        (&["show"], "Which chapter? For example: cargo run -- show ch01"),
        (&["show", "ch01", "a", "b"], "show does not know what to do with b."),
    ] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_handloop")).args(arguments).stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap().trim(), format!("handloop: {sentence}"));
        assert!(output.stdout.is_empty());
    }
}
