//! The judge of the exercises, which never looks at what the student wrote: everything given fails, every solution
//! passes, every wrong answer is rejected by the rule that it names, and passes with that rule's check switched off.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use crate::checker;
use crate::checker::rules::{RULES, sentence};
use crate::tools::{Folder, chapters, root, rustc, two_at_a_time};

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
    /// The folder's name: `given`, `solutions`, `wrong`.
    fn kind(&self) -> &str {
        self.file.parent().unwrap().file_name().unwrap().to_str().unwrap()
    }

    fn name(&self) -> String {
        format!("{}/{}", self.kind(), stem(&self.file))
    }

    /// Whether it passes, and the sentence.
    fn verdict(&self, program: &Path, without: &str) -> (bool, String) {
        let mut program = Command::new(program);
        program.env(ANSWER, self.name()).env("HANDLOOP_CHECK_WITHOUT", without).stdin(Stdio::null());
        let output = program.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let sentence = said.trim().strip_prefix(&format!("{}: ", self.exercise)).unwrap_or_else(|| panic!("{said}"));
        assert!(!sentence.contains('\n'), "one sentence: {sentence}");
        (output.status.success(), sentence.to_owned())
    }
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

/// Which of the answers a program of several checks. The child that a check starts inherits it.
const ANSWER: &str = "HANDLOOP_ANSWER";

/// Compiles all of these answers to one exercise as one program, each in a module with the check of its own. A program
/// for each would take more than twice as long.
fn compile(answers: &[Answer], folder: &Path) -> PathBuf {
    let Answer { chapter, exercise, .. } = &answers[0];
    let read = |path: &Path| fs::read_to_string(path).unwrap().replace('\r', "");
    let check = read(&chapter.join("checks").join(format!("{exercise}.rs")));
    let checker = "#[path = \"../../checker/mod.rs\"]\nmod checker;\n";
    let own = format!("../exercises/{exercise}.rs");
    let given = format!("\"../given/{exercise}.rs\"");
    for piece in [checker, &own, "\nfn main() -> ExitCode {"] {
        assert!(check.contains(piece), "the check of {exercise} needs {piece}");
    }
    let check = check.replace(checker, "").replace("\nfn main()", "\npub fn main()");
    let (mut modules, mut arms) = (String::new(), String::new());
    for (place, answer) in answers.iter().enumerate() {
        let module = format!("answer{place}");
        let folder = folder.join(format!("{exercise}_{place}"));
        fs::create_dir_all(&folder).unwrap();
        // What is the root for an answer alone is its module here.
        let rooted = |text: &str| text.replace("crate::", &format!("crate::{module}::"));
        let name = answer.file.file_name().unwrap().to_str().unwrap();
        fs::write(folder.join(name), rooted(&read(&answer.file))).unwrap();
        let mut check = rooted(&check.replace(&own, name)) + "\nuse super::checker;\n";
        if check.contains(&given) {
            let text = read(&chapter.join("given").join(format!("{exercise}.rs")));
            fs::write(folder.join("handed_out.rs"), rooted(&text)).unwrap();
            check = check.replace(&given, "\"handed_out.rs\"");
        }
        fs::write(folder.join("check.rs"), check).unwrap();
        modules += &format!("#[path = \"{exercise}_{place}/check.rs\"]\nmod {module};\n");
        arms += &format!("        \"{}\" => {module}::main(),\n", answer.name());
    }
    let text = format!(
        "extern crate checker;\n{modules}fn main() -> std::process::ExitCode {{\n    \
         match std::env::var(\"{ANSWER}\").unwrap().as_str() {{\n{arms}        \
         other => panic!(\"{{other}} is not among the answers\"),\n    }}\n}}\n"
    );
    let (source, program) = (folder.join(format!("{exercise}.rs")), folder.join(exercise));
    fs::write(&source, text).unwrap();
    let library = format!("checker={}", checker_library().display());
    let (compiles, said) = rustc(&["-D", "warnings", "--extern", &library], &source, &program);
    assert!(compiles, "{exercise}:\n{said}");
    program
}

/// Each exercise, with all of its answers: that of `given`, that of `solutions`, those of `wrong`.
fn exercises() -> Vec<Vec<Answer>> {
    let of_chapter = |chapter: &PathBuf| {
        let all = ["given", "solutions", "wrong"].map(|kind| files(&chapter.join(kind))).concat();
        let answers_to = |check: PathBuf| {
            let exercise = stem(&check).to_owned();
            let own = all.iter().filter(|file| stem(file).starts_with(&exercise));
            own.map(|file| Answer { chapter: chapter.clone(), exercise: exercise.clone(), file: file.clone() })
                .collect()
        };
        files(&chapter.join("checks")).into_iter().map(answers_to).collect::<Vec<_>>()
    };
    chapters(root()).iter().flat_map(of_chapter).collect()
}

/// Judges the answers to each exercise in folders of these names. Of the first kind each exercise has one.
fn judged(kinds: &[&str]) {
    let folder = Folder::new("course");
    let exercises = exercises();
    assert_eq!(exercises.len(), 3 * chapters(root()).len());
    two_at_a_time(&exercises, |all| {
        let of_kinds = all.iter().filter(|answer| kinds.contains(&answer.kind()));
        let answers: Vec<Answer> = of_kinds.cloned().collect();
        let firsts = answers.iter().filter(|answer| answer.kind() == kinds[0]).count();
        assert_eq!(firsts, 1, "{}: its answers of the kind {}", all[0].exercise, kinds[0]);
        let program = compile(&answers, &folder.0);
        for answer in &answers {
            match answer.kind() {
                "given" => fails(answer, &program),
                "solutions" => passes(answer, &program),
                _ => is_rejected(answer, &program),
            }
        }
        fs::remove_file(program).unwrap();
    });
}

#[test]
fn every_solution_passes() {
    judged(&["solutions"]);
}

/// And everything given is rejected by some rule.
#[test]
#[ignore = "some hundred programs, which take minutes to compile: cargo test --test course -- --ignored"]
fn every_wrong_answer_is_rejected_by_the_rule_that_it_breaks_and_by_no_other() {
    judged(&["given", "wrong"]);
}

fn fails(given: &Answer, program: &Path) {
    let (passes, sentence) = given.verdict(program, "");
    assert!(!passes && sentence.starts_with("Rule "), "{}: {sentence}", given.name());
}

/// And the same each time.
fn passes(solution: &Answer, program: &Path) {
    for _ in 0..5 {
        let (passes, sentence) = solution.verdict(program, "");
        assert!(passes, "{}: {sentence}", solution.name());
    }
}

/// By the rule that it declares, and with that rule's check switched off by none.
fn is_rejected(wrong: &Answer, program: &Path) {
    let rule = declared(wrong);
    assert!(sentence(&rule).is_some(), "{}: there is no rule {rule}", wrong.name());
    let function = function_at_fault(wrong).unwrap_or_default();
    for _ in 0..3 {
        let (passes, said) = wrong.verdict(program, "");
        assert!(!passes && said.starts_with(&format!("Rule {rule}: ")), "{} breaks {rule}: {said}", wrong.name());
        assert!(said.contains(&function), "{} does wrong in {function}: {said}", wrong.name());
    }
    let (passes, said) = wrong.verdict(program, &rule);
    assert!(passes, "{} is also rejected without the check of rule {rule}, which is not needed: {said}", wrong.name());
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
fn each_exercise_has_two_wrong_answers_or_more_and_each_of_its_rules_has_one() {
    for answers in exercises() {
        let Answer { chapter, exercise, .. } = &answers[0];
        let wrong: Vec<&Answer> = answers.iter().filter(|answer| answer.kind() == "wrong").collect();
        assert!(wrong.len() >= 2, "{exercise} has {} wrong answers", wrong.len());
        let declared: Vec<String> = wrong.into_iter().map(declared).collect();
        let check = fs::read_to_string(chapter.join("checks").join(format!("{exercise}.rs"))).unwrap();
        for (rule, _) in RULES.iter().filter(|(rule, _)| check.contains(&format!("\"{rule}\""))) {
            assert!(declared.iter().any(|other| other == rule), "{exercise}: no wrong answer breaks rule {rule}");
        }
    }
}

/// The student's copy is there, and handed out as given. In a clone that somebody works in it may be anything.
#[test]
fn each_exercise_is_a_target_that_cargo_test_leaves_out() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    for chapter in chapters(root()) {
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
    let file = root().join("lessons").join(path);
    let (exercise, chapter) = (stem(&file).to_owned(), file.parent().and_then(Path::parent).unwrap().to_owned());
    let text = fs::read_to_string(&file).unwrap().replace('\r', "");
    assert!(text.contains(piece));
    let own = Folder::new("hostile");
    let folder = &own.0;
    let answer = |(place, (body, _, _)): (usize, &(&str, &str, &str))| {
        let file = folder.join(format!("hostile{place}.rs"));
        fs::write(&file, text.replacen(piece, body, 1)).unwrap();
        Answer { chapter: chapter.clone(), exercise: exercise.clone(), file }
    };
    let answers: Vec<Answer> = bodies.iter().enumerate().map(answer).collect();
    let program = compile(&answers, folder);
    thread::scope(|scope| {
        for (answer, (body, start, end)) in answers.iter().zip(bodies) {
            let program = &program;
            scope.spawn(move || {
                let (passes, sentence) = answer.verdict(program, "");
                assert!(!passes && sentence.starts_with(start) && sentence.ends_with(end), "{body}: {sentence}");
            });
        }
    });
}
