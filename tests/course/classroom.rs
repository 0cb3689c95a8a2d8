//! What a teacher does with the course: `pack` hands it out, `grade` looks at what comes back.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::tools::{Folder, handloop_in, root};

const CHAPTER: &str = "lessons/ch01_generators";

/// The folders of a class.
struct Class(Folder);

impl Class {
    fn new(name: &str) -> Self {
        Class(Folder::new(name))
    }

    /// What somebody has handed in: the exercises of chapter 1, from files of the course.
    fn hands_in(&self, name: &str, files: &[(&str, &str)]) {
        let folder = self.0.0.join(name).join(CHAPTER).join("exercises");
        fs::create_dir_all(&folder).unwrap();
        for (file, from) in files {
            fs::copy(root().join(CHAPTER).join(from), folder.join(file)).unwrap();
        }
    }

    fn file(&self, name: &str, exercise: &str) -> PathBuf {
        self.0.0.join(name).join(CHAPTER).join("exercises").join(format!("{exercise}.rs"))
    }
}

fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8(bytes.to_vec()).unwrap().lines().map(|line| line.trim_end().to_owned()).collect()
}

fn all_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
}

/// In what is given of exercise 1.1.
const TODO: &str = "todo!(\"yield the next number, or complete\")";
const GIVEN: [(&str, &str); 3] =
    [("ex01_1.rs", "given/ex01_1.rs"), ("ex01_2.rs", "given/ex01_2.rs"), ("ex01_3.rs", "given/ex01_3.rs")];
const SOLVED: [(&str, &str); 3] =
    [("ex01_1.rs", "solutions/ex01_1.rs"), ("ex01_2.rs", "solutions/ex01_2.rs"), ("ex01_3.rs", "solutions/ex01_3.rs")];

/// That it compiles, and that its tests pass, is seen where the whole project is judged.
#[test]
fn a_pack_has_all_that_its_chapters_need_and_no_answer() {
    let folder = Folder::new("pack");
    let output = handloop_in(&folder.0, &["pack", "ch01", "ch05", "pack"]);
    assert!(output.status.success(), "{output:?}");
    let pack = folder.0.join("pack");
    let files = all_files(&pack);
    for name in ["solutions", "wrong", "TEACHING.md"] {
        assert!(files.iter().all(|path| path.iter().all(|part| part != name)), "{name}");
    }
    let in_course = |path: &Path| root().join(path.strip_prefix(&pack).unwrap());
    for path in &files {
        let is_page = path.extension().is_some_and(|end| end == "md");
        let is_exercise = path.parent().unwrap().ends_with("exercises");
        // Written anew: the front page, the map, what links, and what cargo reads.
        if is_exercise {
            let given = in_course(path).parent().unwrap().with_file_name("given").join(path.file_name().unwrap());
            assert_eq!(fs::read(path).unwrap(), fs::read(given).unwrap());
        } else if !is_page && !path.ends_with("Cargo.toml") && !path.ends_with("Cargo.lock") {
            assert!(fs::read(path).unwrap() == fs::read(in_course(path)).unwrap(), "{path:?}");
        }
    }
    let manifest = fs::read_to_string(pack.join("Cargo.toml")).unwrap();
    let targets: Vec<&str> = manifest.lines().filter_map(|line| line.strip_prefix("path = ")).collect();
    assert_eq!(targets.len(), 1 + 6, "{targets:?}");
    for target in targets {
        assert!(pack.join(target.trim_matches('"')).is_file(), "{target}");
    }
    let read = ["ch05_wakers/README.md", "ch05_wakers/checks", "ch06_timers/README.md", "ch06_timers/stage.rs"];
    assert!(read.iter().all(|name| pack.join("lessons").join(name).exists()));
    assert!(!pack.join("lessons/ch06_timers/given").exists(), "it was not asked for");
    // It needs no other crate, and no link leads out of it.
    assert!(
        !manifest.contains("proptest") && !fs::read_to_string(pack.join("Cargo.lock")).unwrap().contains("proptest")
    );
    for page in files.iter().filter(|path| path.extension().is_some_and(|end| end == "md")) {
        let text = fs::read_to_string(page).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let is_elsewhere = target.is_empty() || target.contains(':');
            assert!(is_elsewhere || page.parent().unwrap().join(target).exists(), "{page:?} leads to {target}");
        }
    }
    // Nothing is overwritten, and nothing is left of what cannot be written.
    let output = handloop_in(&folder.0, &["pack", "ch02", "pack"]);
    assert!(!output.status.success());
    assert_eq!(lines(&output.stderr), ["handloop: pack has something in it: name a folder that is new or empty."]);
    assert_eq!(all_files(&pack).len(), files.len());
    // The course itself is safe, whatever a variable of the shell was.
    for inside in ["", "lessons/out", ".", "tests/../src"] {
        let output = handloop_in(root(), &["pack", "ch02", inside]);
        assert!(!output.status.success() && output.stdout.is_empty(), "{inside}");
    }
    assert!(!root().join("lessons/out").exists());
}

/// Five hand something in, each with another mistake.
#[test]
fn a_class_is_graded_row_by_row() {
    let class = Class::new("class");
    class.hands_in("ada", &SOLVED);
    class.hands_in("bob", &[GIVEN[0], ("ex01_2.rs", "wrong/ex01_2_swallows.rs"), SOLVED[2]]);
    class.hands_in("cyd", &[GIVEN[0], SOLVED[1]]);
    fs::write(class.file("cyd", "ex01_1"), "fn main() {}\n").unwrap();
    class.hands_in("dee", &[GIVEN[1], GIVEN[2]]);
    let given = fs::read_to_string(root().join(CHAPTER).join("given/ex01_1.rs")).unwrap();
    assert!(given.contains(TODO));
    fs::write(class.file("dee", "ex01_1"), given.replace(TODO, "self.x")).unwrap();
    class.hands_in("eve", &[GIVEN[2]]);
    let exits = "{ println!(\"ex01_1: passed: so it says\\n\\u{1b}[2J\"); std::process::exit(0) }";
    fs::write(class.file("eve", "ex01_1"), given.replace(TODO, exits)).unwrap();
    let output = handloop_in(&class.0.0, &["grade", "ada", "bob", "cyd", "dee", "eve"]);
    assert!(output.status.success());
    let said = lines(&output.stdout);
    assert_eq!(
        said[..7],
        [
            "folder  ex01_1     ex01_2     ex01_3     passed",
            "ada     passed     passed     passed     3 of 3",
            "bob     untouched  rule 1.4   passed     1 of 3",
            "cyd     no verdict passed     missing    1 of 3",
            "dee     E0609      untouched  untouched  0 of 3",
            "eve     ended      missing    untouched  0 of 3",
            "passed  1          2          2",
        ]
    );
    assert_eq!(said[7], "");
    let starts = [
        "bob, ex01_2: Rule 1.4: ",
        "cyd, ex01_1: the check cannot use your file (",
        "dee, ex01_1: line 33: error[E0609]: no field `x` on type ",
        "eve, ex01_1: the program ended while rule 1.1 was checked",
    ];
    assert_eq!(said.len(), 8 + starts.len(), "{said:#?}");
    for (line, start) in said[8..].iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
    assert!(lines(&output.stderr)[0].starts_with("handloop: this is no sandbox: "));
}

/// Each costs its own row: nothing that is no plain file is opened, and what does not end is ended.
#[test]
fn a_folder_that_is_broken_missing_or_hostile_costs_its_own_row() {
    let class = Class::new("hostile");
    class.hands_in("ada", &[SOLVED[0]]);
    class.hands_in("huge", &[]);
    fs::write(class.file("huge", "ex01_1"), vec![b'/'; 300 << 10]).unwrap();
    fs::write(class.file("huge", "ex01_2"), [0xff, 0xfe]).unwrap();
    fs::create_dir(class.file("huge", "ex01_3")).unwrap();
    fs::create_dir(class.0.0.join("empty")).unwrap();
    fs::write(class.0.0.join("file"), "").unwrap();
    class.hands_in("endless", &[]);
    let endless = "#[allow(long_running_const_eval)]\nconst ENDLESS: () = loop {};\npub static END: () = ENDLESS;\n";
    fs::write(class.file("endless", "ex01_1"), endless).unwrap();
    // What an archive unpacked: one folder more. The chapter may not have been handed out. And one was named twice.
    class.hands_in("unpacked/pack", &[GIVEN[0], SOLVED[1]]);
    fs::create_dir_all(class.0.0.join("other/lessons/ch02_scheduler/exercises")).unwrap();
    let mut folders = vec!["unpacked", "other", "other/", "huge", "empty", "file", "missing", "re\u{1b}d"];
    let mut rows = vec![
        "unpacked  untouched  passed     missing    1 of 3",
        "other     –          –          –          0 of 0",
        "other/    refused",
        "huge      refused    refused    refused    0 of 3",
        "empty     refused",
        "file      refused",
        "missing   refused",
        "re\u{fffd}d      refused",
    ];
    if cfg!(unix) {
        class.hands_in("linked", &[]);
        let link = |to: &str, name: &Path| Command::new("ln").args(["-s", to]).arg(name).status().unwrap().success();
        assert!(link("/dev/zero", &class.file("linked", "ex01_1")) && link("ada", &class.0.0.join("link")));
        assert!(Command::new("mkfifo").arg(class.file("linked", "ex01_2")).status().unwrap().success());
        folders.extend(["linked", "link"]);
        rows.extend(["linked    refused    refused    missing    0 of 3", "link      refused"]);
    }
    let output = handloop_in(&class.0.0, &[&["grade", "--only=ch01"], &folders[..]].concat());
    assert!(output.status.success());
    let said = lines(&output.stdout);
    assert_eq!(said[1..=rows.len()], rows);
    if cfg!(unix) {
        for line in [
            "linked, ex01_1: the file is a link",
            "linked, ex01_2: the file is in its place something else: a folder, a pipe or a device",
        ] {
            assert!(said.iter().any(|said| said == line), "{said:#?}");
        }
    }

    let output = handloop_in(&class.0.0, &["grade", "--json", "--only", "ch01", "--limit", "2", "endless", "missing"]);
    assert!(output.status.success());
    let missing = |exercise: &str| format!("{{\"exercise\":\"{exercise}\",\"state\":\"missing\",\"sentence\":\"\"}}");
    let endless = "{\"exercise\":\"ex01_1\",\"state\":\"no verdict\",\"sentence\":\"the compiler did not come to an end in \
                   2 s, and was ended\"}";
    let said = lines(&output.stdout);
    let row = format!("[{endless},{},{}]", missing("ex01_2"), missing("ex01_3"));
    assert_eq!(said[..2], ["[", &format!("  {{\"folder\":\"endless\",\"problem\":null,\"exercises\":{row}}},")]);
    assert!(said[2].starts_with("  {\"folder\":\"missing\",\"problem\":\"it cannot be read: "));
    assert_eq!(said[3..], ["]"]);
}

/// What an answer has started ends with it.
#[cfg(target_os = "linux")]
#[test]
fn nothing_runs_on_when_a_class_is_graded() {
    let class = Class::new("left");
    class.hands_in("mallory", &[]);
    let time = format!("3600.{}", std::process::id());
    let given = fs::read_to_string(root().join(CHAPTER).join("given/ex01_1.rs")).unwrap();
    // With streams of its own, so that the check does not wait for it.
    let streams = "stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())";
    let start = format!(
        "{{ use std::process::*; Command::new(\"sleep\").arg(\"{time}\").{streams}.spawn().unwrap(); exit(0) }}"
    );
    fs::write(class.file("mallory", "ex01_1"), given.replace(TODO, &start)).unwrap();
    let output = handloop_in(&class.0.0, &["grade", "mallory"]);
    let ended = "mallory, ex01_1: the program ended while rule 1.1 was checked";
    assert!(lines(&output.stdout).iter().any(|line| line.starts_with(ended)), "{output:?}");
    ends(&time);

    // Also when `grade` itself is ended.
    fs::write(class.file("mallory", "ex01_1"), given.replace(TODO, "loop {}")).unwrap();
    let mut grade = Command::new(env!("CARGO_BIN_EXE_handloop"));
    grade.current_dir(&class.0.0).args(["grade", "mallory"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut grade = grade.spawn().unwrap();
    let folder = format!("handloop-grade-{}", grade.id());
    // Not the compiler, which ends by itself.
    let checks = std::env::temp_dir().join(&folder);
    while !commands().any(|command| command.starts_with(checks.to_str().unwrap())) {
        assert!(grade.try_wait().unwrap().is_none(), "it ended first");
        std::thread::yield_now();
    }
    grade.kill().unwrap();
    grade.wait().unwrap();
    ends(&folder);
    fs::remove_dir_all(std::env::temp_dir().join(folder)).unwrap();
}

/// Of all processes.
#[cfg(target_os = "linux")]
fn commands() -> impl Iterator<Item = String> {
    let processes = fs::read_dir("/proc").unwrap();
    processes.map(|process| fs::read_to_string(process.unwrap().path().join("cmdline")).unwrap_or_default())
}

/// It was sent the signal; the system may still be at work on it.
#[cfg(target_os = "linux")]
fn ends(piece: &str) {
    let mut looks = 0;
    while commands().any(|command| command.contains(piece)) {
        looks += 1;
        assert!(looks < 1_000, "{piece} is still there");
        std::thread::yield_now();
    }
}

/// A mistake in the command is a sentence, and nothing is done.
#[test]
fn a_command_that_is_not_meant_is_a_sentence() {
    let folder = Folder::new("meant");
    for (arguments, sentence) in [
        (&["pack"][..], "Which chapters, and into which folder? For example: cargo run -- pack ch05 DIR"),
        (&["pack", "ch05", "ch09"], "Which chapters, and into which folder? For example: cargo run -- pack ch05 DIR"),
        (&["pack", "ch05"], "Which chapters, and into which folder? For example: cargo run -- pack ch05 DIR"),
        (&["grade"], "Which folders? For example: cargo run -- grade class/*"),
        (&["grade", "--limit", "none", "x"], "--limit needs a number of seconds from 1 to 3600 after it."),
        (&["grade", "--loud", "x"], "grade has no option --loud: cargo run -- --help lists what there is."),
    ] {
        let output = handloop_in(&folder.0, arguments);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(lines(&output.stderr), [format!("handloop: {sentence}")]);
    }
    assert_eq!(all_files(&folder.0).len(), 0);
}
