//! The lessons are true: every block of Rust is a piece of a file that is compiled, every output and picture is real,
//! every link leads somewhere. `UPDATE=1 cargo test --test lessons` renews outputs and pictures.

#[allow(dead_code, missing_docs)]
#[path = "../lessons/checker/rules.rs"]
mod rules;
#[allow(dead_code, missing_docs)]
#[path = "../lessons/diff.rs"]
mod diff;
#[allow(dead_code, missing_docs)]
#[path = "../lessons/course.rs"]
mod course;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use course::CHAPTERS;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).replace("\r\n", "\n")
}

fn is_update() -> bool {
    std::env::var_os("UPDATE").is_some()
}

/// The lessons that are here: the folder, and its text.
fn lessons() -> Vec<(PathBuf, String)> {
    let folders = fs::read_dir(root().join("lessons")).unwrap().map(|entry| entry.unwrap().path());
    let mut lessons: Vec<(PathBuf, String)> = folders
        .filter(|path| path.is_dir() && path.join("README.md").is_file())
        .map(|path| (path.clone(), read(&path.join("README.md"))))
        .collect();
    lessons.sort();
    assert!(lessons.len() >= CHAPTERS.len());
    lessons
}

/// A fenced block: what stands behind the fence, the marker in the line above, the text, and where that begins.
struct Block {
    info: String,
    marker: String,
    text: String,
    at: usize,
}

fn blocks(lesson: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let (mut at, mut before) = (0, "");
    let mut open: Option<Block> = None;
    for line in lesson.split_inclusive('\n') {
        match (&mut open, line.trim_end().strip_prefix("```")) {
            (None, Some(info)) => {
                let marker = before.trim().strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
                let (info, marker) = (info.to_owned(), marker.unwrap_or("").to_owned());
                open = Some(Block { info, marker, text: String::new(), at: at + line.len() });
            }
            (Some(_), Some("")) => blocks.extend(open.take()),
            (Some(block), _) => block.text.push_str(line),
            (None, None) => {}
        }
        before = line;
        at += line.len();
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// The Rust files from which a lesson may quote.
fn quotable(folder: &Path) -> Vec<String> {
    fn collect(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // What the student writes is no source of quotations.
            if path.is_dir() && !path.ends_with("exercises") {
                collect(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(read(&path));
            }
        }
    }
    let mut found = Vec::new();
    collect(folder, &mut found);
    collect(&root().join("src"), &mut found);
    collect(&root().join("lessons/programs"), &mut found);
    found
}

fn without_indentation(lines: &[&str]) -> Vec<String> {
    let common =
        lines.iter().filter(|line| !line.trim().is_empty()).map(|line| line.len() - line.trim_start().len()).min();
    lines.iter().map(|line| line.get(common.unwrap_or(0)..).unwrap_or("").trim_end().to_owned()).collect()
}

/// Whether a block is, word for word, a piece of a file, but for the indentation that all its lines share.
fn is_piece_of(block: &str, file: &str) -> bool {
    let block = without_indentation(&block.lines().collect::<Vec<_>>());
    let lines: Vec<&str> = file.lines().collect();
    lines.windows(block.len().max(1)).any(|piece| without_indentation(piece) == block)
}

#[test]
fn every_block_of_rust_is_a_piece_of_a_file_that_is_compiled() {
    for (folder, lesson) in lessons() {
        let files = quotable(&folder);
        for block in blocks(&lesson).iter().filter(|block| block.info == "rust") {
            let text = &block.text;
            assert!(
                files.iter().any(|file| is_piece_of(text, file)),
                "{}: no file has this:\n{text}",
                folder.display()
            );
        }
        for block in blocks(&lesson) {
            let known = ["rust", "rust tokio", "python", "text", "sh"].contains(&block.info.as_str());
            assert!(known, "{}: a block of \"{}\"", folder.display(), block.info);
            if ["rust tokio", "python"].contains(&block.info.as_str()) {
                assert!(block.text.lines().count() <= 15, "{}: at most 15 lines:\n{}", folder.display(), block.text);
            }
        }
    }
}

/// A folder for what is compiled here, one for each call.
fn scratch() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("handloop-lessons-{}-{number}", std::process::id()));
    fs::create_dir_all(&path).unwrap();
    path
}

/// What rustc says, and the program that it made if it did.
fn rustc(file: &Path, scratch: &Path) -> (Option<PathBuf>, String) {
    let program = scratch.join("program");
    let output = Command::new("rustc")
        .args(["--edition", "2024", "-D", "warnings", "--crate-name", "lesson", "--color", "never", "-o"])
        .args([&program, file])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (output.status.success().then_some(program), String::from_utf8_lossy(&output.stderr).replace("\r\n", "\n"))
}

fn stdout(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).env_remove("COLUMNS").output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
}

fn python() -> Option<&'static str> {
    ["python3", "python"].into_iter().find(|name| {
        let version = Command::new(name).arg("--version").stdin(Stdio::null()).output();
        version
            .is_ok_and(|output| output.status.success() && String::from_utf8_lossy(&output.stdout).contains("Python 3"))
    })
}

/// What the marker over a block says that it holds. `None`: it cannot be had on this machine.
fn real_output(folder: &Path, marker: &str, python_block: Option<&str>) -> Option<String> {
    let scratch = scratch();
    let output = if let Some(file) = marker.strip_prefix("$ rustc ") {
        let (program, errors) = rustc(&folder.join(file), &scratch);
        Some(stdout(&mut Command::new(program.unwrap_or_else(|| panic!("{file}: {errors}")))))
    } else if let Some(arguments) = marker.strip_prefix("$ cargo run -- ") {
        Some(stdout(Command::new(env!("CARGO_BIN_EXE_handloop")).args(arguments.split(' '))))
    } else if marker == "$ python" {
        let code = python_block.expect("a block of Python stands above its output");
        python().map(|python| stdout(Command::new(python).args(["-c", code])))
    } else {
        panic!("{}: the marker {marker} is not known", folder.display())
    };
    fs::remove_dir_all(scratch).unwrap();
    output
}

#[test]
fn every_quoted_output_is_real() {
    for (folder, lesson) in lessons() {
        let mut renewed = lesson.clone();
        let all = blocks(&lesson);
        for (place, block) in all.iter().enumerate().rev().filter(|(_, block)| block.marker.starts_with("$ ")) {
            let above = all[..place].iter().rev().find(|block| block.info == "python").map(|block| block.text.as_str());
            match real_output(&folder, &block.marker, above) {
                Some(output) if is_update() => renewed.replace_range(block.at..block.at + block.text.len(), &output),
                Some(output) => assert_eq!(
                    block.text,
                    output,
                    "{}, {}: UPDATE=1 cargo test --test lessons renews it",
                    folder.display(),
                    block.marker
                ),
                None => eprintln!("skipped: {} needs Python 3", block.marker),
            }
        }
        // What has no marker is no output of a program.
        for block in all.iter().filter(|block| block.info == "text") {
            assert!(!block.marker.is_empty(), "{}: this text has no marker:\n{}", folder.display(), block.text);
        }
        if is_update() && renewed != lesson {
            fs::write(folder.join("README.md"), renewed).unwrap();
        }
    }
}

/// What depends on the machine or the compiler is quoted as a pattern: `…` stands for any piece of a line.
#[test]
fn every_quoted_pattern_fits_its_output() {
    for (folder, lesson) in lessons() {
        for block in blocks(&lesson) {
            let Some(arguments) = block.marker.strip_prefix("~ cargo run -- ") else { continue };
            let output =
                real_output(&folder, &format!("$ cargo run -- {arguments}"), None).expect("it needs no Python");
            assert!(block.text.contains('…'), "{}, {}: this is no pattern", folder.display(), block.marker);
            let (expected, seen): (Vec<&str>, Vec<&str>) = (block.text.lines().collect(), output.lines().collect());
            assert_eq!(expected.len(), seen.len(), "{}, {}:\n{output}", folder.display(), block.marker);
            for (pattern, line) in expected.into_iter().zip(seen) {
                assert!(fits(pattern, line), "{}, {}:\n{pattern}\n{line}", folder.display(), block.marker);
            }
        }
    }
}

/// Whether a line is the pieces of the pattern in their order, with something between each two of them.
fn fits(pattern: &str, line: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('…') else { return pattern == line };
    let Some(line) = line.strip_prefix(first) else { return false };
    (1..=line.len()).filter(|end| line.is_char_boundary(*end)).any(|end| fits(rest, &line[end..]))
}

#[test]
fn a_pattern_fits_what_it_should() {
    assert!(fits("at …, of … bytes", "at 0x7f, of 12 bytes") && fits("…", "a"));
    assert!(!fits("at …", "at ") && !fits("at …", "of 12") && !fits("… bytes", "12 byte"));
}

/// A program that the compiler must refuse is refused with the code in its first line, and says what the lesson quotes;
/// its corrected twin compiles.
#[test]
fn every_compiler_error_is_real_and_its_twin_compiles() {
    for (folder, lesson) in lessons() {
        let errors = folder.join("errors");
        let quoted = blocks(&lesson);
        let quoted = quoted.iter().filter_map(|block| Some((block.marker.strip_prefix("~ rustc ")?, &block.text)));
        let quoted: Vec<_> = quoted.collect();
        if errors.is_dir() {
            let mut count = 0;
            for entry in fs::read_dir(&errors).unwrap() {
                let file = entry.unwrap().path();
                let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
                let scratch = scratch();
                let (program, said) = rustc(&file, &scratch);
                fs::remove_dir_all(scratch).unwrap();
                if name.ends_with("_fixed") {
                    assert!(program.is_some(), "{}: {said}", file.display());
                    continue;
                }
                count += 1;
                let code = read(&file).lines().next().unwrap().trim_start_matches("//! ").to_owned();
                assert!(program.is_none() && said.contains(&format!("error[{code}]")), "{}: {said}", file.display());
                assert!(errors.join(format!("{name}_fixed.rs")).is_file(), "{name} has no corrected twin");
                let marker = format!("errors/{name}.rs");
                let (_, lines) = quoted.iter().find(|(file, _)| *file == marker).expect("each error is quoted");
                let mut rest = said.as_str();
                for line in lines.lines().filter(|line| !line.trim().is_empty()) {
                    let at = rest.find(line.trim()).unwrap_or_else(|| panic!("{marker} does not say: {line}\n{said}"));
                    rest = &rest[at..];
                }
            }
            assert_eq!(count, 3, "{}: three errors", folder.display());
        }
    }
}

#[test]
fn every_shown_program_and_every_stage_compiles_alone() {
    for (folder, _) in lessons() {
        let shown = folder.join("shown");
        let shown = shown.is_dir().then(|| fs::read_dir(shown).unwrap().map(|entry| entry.unwrap().path()));
        let stage = Some(folder.join("stage.rs")).filter(|path| path.is_file());
        for file in shown.into_iter().flatten().chain(stage) {
            let scratch = scratch();
            let (program, said) = rustc(&file, &scratch);
            assert!(program.is_some(), "{}: {said}", file.display());
            fs::remove_dir_all(scratch).unwrap();
        }
    }
}

const HEADINGS: [&str; 11] = [
    "The question",
    "The idea",
    "The code, piece by piece",
    "Predict before you run",
    "The run",
    "The rules",
    "What the compiler will say",
    "The same in asyncio and in tokio",
    "Where it is in src",
    "What is still missing",
    "Exercises",
];

#[test]
fn every_chapter_has_its_parts_in_order() {
    for chapter in CHAPTERS {
        let lesson = chapter.lesson.replace("\r\n", "\n");
        let headings: Vec<&str> = lesson.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let (second, others): (Vec<&str>, Vec<&str>) = (vec![headings[1]], [&headings[..1], &headings[2..]].concat());
        assert_eq!(others, HEADINGS, "{}", chapter.name);
        assert!(second[0].starts_with("What "), "{}: the second part shows what fails: {}", chapter.name, second[0]);
        for exercise in chapter.exercises() {
            let hints = exercise.hints();
            assert_eq!(hints.len(), 3, "{} has three hints", exercise.name());
            assert!(hints.iter().all(|hint| hint.len() > 20), "{hints:?}");
            assert!(hints[0].len() < hints[2].len(), "{}: each hint says more", exercise.name());
        }
        let part = |name: &str| lesson.split(&format!("\n## {name}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
        assert!(part("Predict before you run").matches("<summary>Answer</summary>").count() >= 3);
        assert!(part("The run").contains("](run.svg)") && part("The run").contains("--timeline"));
    }
}

#[test]
fn every_rule_is_in_its_lesson_word_for_word() {
    let mut seen = 0;
    for chapter in CHAPTERS {
        let lesson = chapter.lesson.replace("\r\n", "\n");
        let shown: Vec<&str> = lesson.lines().filter(|line| line.starts_with("**Rule ")).collect();
        let own =
            rules::RULES.iter().filter(|(number, _)| number.split('.').next() == Some(&chapter.number.to_string()));
        let expected: Vec<String> = own.map(|(number, sentence)| format!("**Rule {number}** {sentence}")).collect();
        assert_eq!(shown, expected, "{}", chapter.name);
        seen += expected.len();
    }
    assert_eq!(seen, rules::RULES.len(), "each rule is a chapter's");
}

#[test]
fn every_picture_is_current() {
    for chapter in CHAPTERS {
        let scratch = scratch();
        let (made, path) = (scratch.join("run.svg"), root().join("lessons").join(chapter.name).join("run.svg"));
        stdout(Command::new(env!("CARGO_BIN_EXE_handloop")).args([&chapter.short(), "--svg"]).arg(&made));
        let made = read(&made);
        fs::remove_dir_all(scratch).unwrap();
        if is_update() {
            fs::write(&path, made).unwrap();
        } else {
            assert!(read(&path) == made, "{}: UPDATE=1 cargo test --test lessons renews it", path.display());
        }
    }
}

/// Every link to a file leads to one, and one with an anchor to that.
#[test]
fn links_lead_somewhere() {
    let pages = lessons().into_iter().map(|(folder, text)| (folder.join("README.md"), text));
    let map = root().join("lessons/README.md");
    for (page, text) in
        pages.chain([(map.clone(), read(&map)), (root().join("README.md"), read(&root().join("README.md")))])
    {
        let prose: String = text.split("```").step_by(2).collect();
        for link in prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: {link} leads nowhere", page.display());
            if !anchor.is_empty() {
                let text = read(&target);
                let is_heading = |line: &str| {
                    let words = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
                    line.starts_with('#')
                        && words.chars().filter(|c| c.is_alphanumeric() || *c == '-').eq(anchor.chars())
                };
                let is_there = text.contains(&format!("id=\"{anchor}\"")) || text.lines().any(is_heading);
                assert!(is_there, "{}: {link} has no such place", page.display());
            }
        }
    }
}

/// The change from stage to stage is the lesson: at most 120 lines, `tell` aside, which is the same in every stage.
#[test]
fn each_stage_is_a_small_step() {
    let tells: Vec<&str> =
        CHAPTERS.iter().map(|chapter| diff::tell(chapter.stage).expect("each stage tells")).collect();
    assert!(tells.windows(2).all(|two| two[0] == two[1]), "`tell` is the same in every stage");
    assert!(tells[0].lines().count() <= 20, "`tell` has {} lines", tells[0].lines().count());
    let mut before = String::new();
    for chapter in CHAPTERS {
        let stage = diff::without_tell(chapter.stage);
        let count = diff::count(&diff::changes(&before, &stage));
        assert!(count <= 120, "{}: {count} lines", chapter.name);
        before = stage;
    }
}

#[test]
fn a_change_is_as_short_as_it_can_be() {
    use diff::Change::{Added, Removed, Same};
    let changes = diff::changes("a\nb\nc\nd\n", "a\nc\nx\nd\n");
    assert_eq!(changes, [Same("a"), Removed("b"), Same("c"), Added("x"), Same("d")]);
    assert_eq!(diff::count(&changes), 2);
    assert_eq!(diff::changes("", "a"), [Added("a")]);
}

#[test]
fn every_piece_of_python_runs() {
    let Some(python) = python() else {
        eprintln!("skipped: Python 3 is not installed");
        return;
    };
    for (_, lesson) in lessons() {
        for block in blocks(&lesson).iter().filter(|block| block.info == "python") {
            stdout(Command::new(python).args(["-c", &block.text]));
        }
    }
}

/// Chapter 0 sends its reader to steps by their number.
#[test]
fn steps_that_chapter_0_points_to_are_what_it_says() {
    let lesson = read(&root().join("lessons/ch00_start/README.md"));
    let steps = stdout(Command::new(env!("CARGO_BIN_EXE_handloop")).args(["gather", "--plain"]));
    let sentence = |step: usize| {
        let (_, shown) = steps.split_once(&format!("gather, step {step} of ")).unwrap();
        shown.lines().nth(1).unwrap()
    };
    let claims = [
        ("Steps 4 to 8", 4, "spawns task 2"),
        ("Steps 4 to 8", 8, "Task 1 returns pending"),
        ("Steps 9 to 13", 9, "polls task 2"),
        ("Steps 9 to 13", 13, "Task 2 returns pending"),
        ("at step 14", 14, "polls task 3"),
        ("Step 24", 24, "virtual"),
        ("Steps 26 to 28", 26, "The timer wakes task 2"),
        ("Steps 26 to 28", 28, "Task 2 returns ready"),
        ("Steps 39 to 44", 39, "The end of task 4 wakes task 1"),
        ("Steps 39 to 44", 44, "Task 1 returns ready"),
    ];
    for (words, step, expected) in claims {
        assert!(lesson.contains(words), "chapter 0 no longer says: {words}");
        assert!(sentence(step).contains(expected), "step {step}: {}", sentence(step));
    }
}
