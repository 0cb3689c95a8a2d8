//! The judge of the exercises, which never looks at what the student wrote: everything given fails, every solution
//! passes, every wrong answer is rejected by the rule that it names, and passes with that rule's check switched off.

#[allow(dead_code, missing_docs)]
#[path = "../lessons/checker/mod.rs"]
mod checker;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::thread;

use checker::rules::{RULES, sentence};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folders of the chapters that have exercises.
fn chapters() -> Vec<PathBuf> {
    let mut chapters: Vec<PathBuf> =
        fs::read_dir(root().join("lessons")).unwrap().map(|entry| entry.unwrap().path()).collect();
    chapters.retain(|path| path.join("given").is_dir());
    chapters.sort();
    assert!(!chapters.is_empty());
    chapters
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "rs"));
    files.sort();
    files
}

fn stem(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

/// An answer to an exercise, and the check of that.
#[derive(Clone)]
struct Answer {
    chapter: PathBuf,
    /// `ex01_2`
    exercise: String,
    file: PathBuf,
}

impl Answer {
    fn name(&self) -> String {
        format!("{}/{}", self.file.parent().unwrap().file_name().unwrap().to_str().unwrap(), stem(&self.file))
    }

    /// Compiles the check with this answer in the place of the student's file. The checker, which is the same in all, is
    /// compiled once.
    fn compile(&self, folder: &Path) -> PathBuf {
        let check = self.chapter.join("checks").join(format!("{}.rs", self.exercise));
        let text = fs::read_to_string(check).unwrap();
        let own = format!("../exercises/{}.rs", self.exercise);
        let checker = "#[path = \"../../checker/mod.rs\"]\nmod checker;";
        let text = text.replace('\r', "");
        assert!(text.contains(&own) && text.contains(checker), "{}", self.exercise);
        let file = self.file.to_str().unwrap().replace('\\', "/");
        let given = format!("\"{}/", self.chapter.join("given").to_str().unwrap().replace('\\', "/"));
        let text = text.replace(&own, &file).replace("\"../given/", &given);
        let text = text.replace(checker, "extern crate checker;");
        let name = self.name().replace('/', "_");
        let (source, program) = (folder.join(format!("{name}.rs")), folder.join(&name));
        fs::write(&source, text).unwrap();
        let library = format!("checker={}", checker_library().display());
        let arguments = ["-D", "warnings", "--crate-name", "check", "--extern", &library];
        let (compiles, said) = rustc(&arguments, &source, &program);
        assert!(compiles, "{}:\n{said}", self.name());
        program
    }

    /// Whether it passes, and the sentence.
    fn verdict(&self, program: &Path, without: &str) -> (bool, String) {
        let output =
            Command::new(program).env("HANDLOOP_CHECK_WITHOUT", without).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let sentence = said.trim().strip_prefix(&format!("{}: ", self.exercise)).unwrap_or_else(|| panic!("{said}"));
        assert!(!sentence.contains('\n'), "one sentence: {sentence}");
        (output.status.success(), sentence.to_owned())
    }
}

/// Whether a file compiles, and what the compiler says.
fn rustc(arguments: &[&str], source: &Path, output: &Path) -> (bool, String) {
    let mut command = Command::new("rustc");
    command.args(["--edition", "2024"]).args(arguments).arg("-o").args([output, source]).stdin(Stdio::null());
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The checker as a library.
fn checker_library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libchecker.rlib");
        let arguments = ["--crate-type", "rlib", "--crate-name", "checker", "-A", "warnings"];
        let (compiles, said) = rustc(&arguments, &root().join("lessons/checker/mod.rs"), &library);
        assert!(compiles, "{said}");
        library
    })
}

/// Calls `judge` for each answer in the folders of that name, on two threads.
fn judged(kind: &str, judge: impl Fn(&Answer, &Path) + Sync) -> usize {
    let folder = std::env::temp_dir().join(format!("handloop-course-{kind}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let answers: Vec<Answer> = chapters()
        .into_iter()
        .flat_map(|chapter| {
            let answer =
                |file: PathBuf| Answer { chapter: chapter.clone(), exercise: stem(&file)[..6].to_owned(), file };
            files(&chapter.join(kind)).into_iter().map(answer).collect::<Vec<_>>()
        })
        .collect();
    let count = answers.len();
    let left = Mutex::new(answers);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let next = left.lock().unwrap().pop();
                    let Some(answer) = next else { return };
                    judge(&answer, &answer.compile(&folder));
                }
            });
        }
    });
    fs::remove_dir_all(&folder).unwrap();
    count
}

#[test]
fn everything_given_compiles_without_a_warning_and_fails() {
    let count = judged("given", |answer, program| {
        let (passes, sentence) = answer.verdict(program, "");
        assert!(!passes && sentence.starts_with("Rule "), "{}: {sentence}", answer.name());
    });
    assert_eq!(count, 3 * chapters().len());
}

#[test]
fn every_solution_passes_and_the_same_each_time() {
    let count = judged("solutions", |answer, program| {
        for _ in 0..5 {
            let (passes, sentence) = answer.verdict(program, "");
            assert!(passes, "{}: {sentence}", answer.name());
        }
    });
    assert_eq!(count, 3 * chapters().len());
}

/// The first line of a wrong answer: `//! Breaks rule 1.2: …`.
fn declared(answer: &Answer) -> String {
    let text = fs::read_to_string(&answer.file).unwrap();
    let rule = text.strip_prefix("//! Breaks rule ").and_then(|rest| rest.split(':').next());
    rule.unwrap_or_else(|| panic!("{} does not say which rule it breaks", answer.name())).to_owned()
}

/// Where a wrong answer's first line begins with a name in backquotes, the sentence has to name it too.
fn function_at_fault(answer: &Answer) -> Option<String> {
    let text = fs::read_to_string(&answer.file).unwrap();
    let (_, what) = text.lines().next()?.split_once(": ")?;
    let name = what.strip_prefix('`')?.split('`').next()?;
    Some(format!("`{name}`"))
}

#[test]
fn every_wrong_answer_is_rejected_by_the_rule_that_it_breaks_and_by_no_other() {
    judged("wrong", |answer, program| {
        let rule = declared(answer);
        assert!(sentence(&rule).is_some(), "{}: there is no rule {rule}", answer.name());
        for _ in 0..3 {
            let (passes, said) = answer.verdict(program, "");
            assert!(!passes && said.starts_with(&format!("Rule {rule}: ")), "{} breaks {rule}: {said}", answer.name());
        }
        if let Some(function) = function_at_fault(answer) {
            let (_, said) = answer.verdict(program, "");
            assert!(said.contains(&function), "{} does wrong in {function}: {said}", answer.name());
        }
        let (passes, said) = answer.verdict(program, &rule);
        assert!(
            passes,
            "{} is also rejected without the check of rule {rule}, which is not needed: {said}",
            answer.name()
        );
    });
}

#[test]
fn each_exercise_has_two_wrong_answers_or_more_and_each_of_its_rules_has_one() {
    for chapter in chapters() {
        let wrong = files(&chapter.join("wrong"));
        for check in files(&chapter.join("checks")) {
            let exercise = stem(&check);
            let answers: Vec<Answer> = wrong
                .iter()
                .filter(|file| stem(file).starts_with(exercise))
                .map(|file| Answer { chapter: chapter.clone(), exercise: exercise.to_owned(), file: file.clone() })
                .collect();
            assert!(answers.len() >= 2, "{exercise} has {} wrong answers", answers.len());
            let declared: Vec<String> = answers.iter().map(declared).collect();
            let text = fs::read_to_string(&check).unwrap();
            for (rule, _) in RULES.iter().filter(|(rule, _)| text.contains(&format!("\"{rule}\""))) {
                assert!(declared.iter().any(|other| other == rule), "{exercise}: no wrong answer breaks rule {rule}");
            }
        }
    }
}

/// The student's copy is there, and handed out as given. In a clone that somebody works in it may be anything.
#[test]
fn each_exercise_is_a_target_that_cargo_test_leaves_out() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    for chapter in chapters() {
        let names: Vec<String> = files(&chapter.join("given")).iter().map(|path| stem(path).to_owned()).collect();
        for folder in ["solutions", "checks"] {
            let same: Vec<String> = files(&chapter.join(folder)).iter().map(|path| stem(path).to_owned()).collect();
            assert_eq!(names, same, "{folder}");
        }
        for name in names {
            let chapter = chapter.file_name().unwrap().to_str().unwrap();
            let target = format!(
                "name = \"{name}\"\npath = \"lessons/{chapter}/checks/{name}.rs\"\ntest = false\nharness = false\n"
            );
            assert!(manifest.replace('\r', "").contains(&target), "Cargo.toml needs:\n{target}");
        }
    }
}

/// No check hangs, crashes or lies, whatever an answer does.
#[test]
fn an_answer_that_never_returns_ends_or_grows_has_no_verdict() {
    let ended = "No verdict: the program ended while rule 1.1 was checked";
    let bodies = [
        (
            "loop { std::hint::spin_loop() }",
            "No verdict: while rule 1.1 was checked, a call of yours did not return",
            "",
        ),
        ("std::process::exit(0)", ended, ""),
        ("std::process::abort()", ended, ""),
        ("println!(\"finished\"); std::process::exit(0)", ended, ""),
        (
            "#[allow(unconditional_recursion)] fn deep(n: u64) -> u64 { deep(n + 1) + n } let _ = deep(0); todo!()",
            "No verdict: the stack overflowed while rule 1.1 was checked",
            "",
        ),
        ("panic!(\"so\")", "Rule 1.1: the code panicked at line ", ""),
        (
            "let _ = std::time::Duration::ZERO - std::time::Duration::MAX; todo!()",
            "Rule 1.1: the code panicked in time.rs of std: overflow when subtracting durations",
            "",
        ),
    ];
    says("ch01_generators/given/ex01_1.rs", "todo!(\"yield the next number, or complete\")", &bodies);
}

/// Where a check calls several functions, the one that does not come back is named, and a crash leads to a question.
#[test]
fn a_function_that_does_not_come_back_is_named() {
    let ended = "No verdict: the program ended while `wake` was called for rule 5.7 (";
    let bodies = [
        ("while pointer.addr() > 0 {}", "No verdict: while `wake` was called for rule 5.7, a call of yours", ""),
        (
            "#[allow(unconditional_recursion)] fn deep(n: u64) -> u64 { deep(n + 1) + n } if deep(0) > 0 { return }",
            "No verdict: the stack overflowed while `wake` was called for rule 5.7",
            "",
        ),
        (
            "std::mem::forget(unsafe { std::sync::Arc::from_raw(pointer.cast::<u64>()) }.clone());",
            ended,
            checker::messages::IS_IT_AN_ARC,
        ),
        ("if pointer.addr() > 0 { std::process::exit(0) }", ended, "Nothing in an exercise may end the process."),
    ];
    says("ch05_wakers/solutions/ex05_2.rs", "wake_by_ref(pointer);\n", &bodies);
}

/// How the sentence begins and ends with which a check rejects a file in which a piece is replaced by each of these.
fn says(path: &str, piece: &str, bodies: &[(&str, &str, &str)]) {
    let folder = std::env::temp_dir().join(format!("handloop-hostile-{}", std::process::id()));
    let file = root().join("lessons").join(path);
    let (exercise, chapter) = (stem(&file).to_owned(), file.parent().and_then(Path::parent).unwrap().to_owned());
    let folder = folder.join(&exercise);
    fs::create_dir_all(&folder).unwrap();
    let text = fs::read_to_string(&file).unwrap().replace('\r', "");
    assert!(text.contains(piece));
    thread::scope(|scope| {
        for (place, (body, start, end)) in bodies.iter().enumerate() {
            let file = folder.join(format!("hostile{place}.rs"));
            fs::write(&file, text.replacen(piece, body, 1)).unwrap();
            let answer = Answer { chapter: chapter.clone(), exercise: exercise.clone(), file };
            let folder = &folder;
            scope.spawn(move || {
                let (passes, sentence) = answer.verdict(&answer.compile(folder), "");
                assert!(!passes && sentence.starts_with(start) && sentence.ends_with(end), "{body}: {sentence}");
            });
        }
    });
    fs::remove_dir_all(&folder).unwrap();
}
