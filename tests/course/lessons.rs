//! The lessons are true: every block of Rust is a piece of a file that is compiled, every output and picture is real,
//! every link leads somewhere. `UPDATE=1 cargo test --test course lessons` renews outputs, pictures and the pages of the runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};

use crate::checker::rules;
use crate::course::{self, CHAPTERS};
use crate::diff;
use crate::tools::{Folder, root, rustc, two_at_a_time};

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

/// The pages beside the chapters that quote code: for those who come from elsewhere.
const COMPARISONS: [&str; 2] = ["FROM_ASYNCIO.md", "FROM_TOKIO.md"];

/// All that quotes code and outputs: the page, and its text.
fn quoting() -> Vec<(PathBuf, String)> {
    let comparisons = COMPARISONS.map(|name| root().join("lessons").join(name)).map(|page| (page.clone(), read(&page)));
    lessons().into_iter().map(|(folder, text)| (folder.join("README.md"), text)).chain(comparisons).collect()
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

/// The Rust files from which a page may quote.
fn quotable(page: &Path) -> Vec<String> {
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
    let folder = page.parent().unwrap();
    if folder.ends_with("lessons") {
        return vec![read(&root().join("tests/comparisons.rs"))];
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
    let begins = |piece: &&[&str]| block.first().is_some_and(|first| first.trim() == piece[0].trim());
    lines.windows(block.len().max(1)).filter(begins).any(|piece| without_indentation(piece) == block)
}

#[test]
fn every_block_of_rust_is_a_piece_of_a_file_that_is_compiled() {
    for (page, lesson) in quoting() {
        let files = quotable(&page);
        for block in blocks(&lesson).iter().filter(|block| block.info == "rust") {
            let text = &block.text;
            assert!(files.iter().any(|file| is_piece_of(text, file)), "{}: no file has this:\n{text}", page.display());
        }
        for block in blocks(&lesson) {
            let known = ["rust", "rust tokio", "python", "text", "sh"].contains(&block.info.as_str());
            assert!(known, "{}: a block of \"{}\"", page.display(), block.info);
            if ["rust tokio", "python"].contains(&block.info.as_str()) {
                assert!(block.text.lines().count() <= 15, "{}: at most 15 lines:\n{}", page.display(), block.text);
            }
        }
    }
}

/// Whether a file compiles without a warning, and what rustc says. No program is made of it.
fn compiles(file: &Path) -> (bool, String) {
    let folder = Folder::new("lesson");
    let arguments = ["-D", "warnings", "--crate-name", "lesson", "--emit", "metadata"];
    rustc(&arguments, file, &folder.0.join("lesson.rmeta"))
}

fn stdout(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).env_remove("COLUMNS").output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
}

/// What `cargo run -- …` prints. Where several pages name a command it is run once: `show` compiles each time.
fn handloop(arguments: &str) -> String {
    static SAID: Said = Mutex::new(BTreeMap::new());
    once(&SAID, arguments, || stdout(Command::new(env!("CARGO_BIN_EXE_handloop")).args(arguments.split(' '))))
}

/// For each program, or command, what it said.
type Said = Mutex<BTreeMap<String, Arc<OnceLock<String>>>>;

fn once(said: &Said, what: &str, run: impl FnOnce() -> String) -> String {
    let one = said.lock().unwrap().entry(what.to_owned()).or_default().clone();
    one.get_or_init(run).clone()
}

/// What a piece of Python prints, each run once. `None`: there is no Python.
fn python_prints(code: &str) -> Option<String> {
    static SAID: Said = Mutex::new(BTreeMap::new());
    let python = python()?;
    Some(once(&SAID, code, || stdout(Command::new(python).args(["-c", code]))))
}

fn python() -> Option<&'static str> {
    static PYTHON: OnceLock<Option<&str>> = OnceLock::new();
    let is_python_3 = |name: &&str| {
        let version = Command::new(name).arg("--version").stdin(Stdio::null()).output();
        version
            .is_ok_and(|output| output.status.success() && String::from_utf8_lossy(&output.stdout).contains("Python 3"))
    };
    *PYTHON.get_or_init(|| ["python3", "python"].into_iter().find(is_python_3))
}

/// What the marker over a block says that it holds. `None`: it cannot be had on this machine.
fn real_output(folder: &Path, marker: &str, python_block: Option<&str>) -> Option<String> {
    if let Some(arguments) = marker.strip_prefix("$ cargo run -- ") {
        Some(handloop(arguments))
    } else if marker == "$ python" {
        let code = python_block.expect("a block of Python stands above its output");
        python_prints(code)
    } else {
        panic!("{}: the marker {marker} is not known", folder.display())
    }
}

#[test]
fn every_quoted_output_is_real() {
    for (page, lesson) in quoting() {
        let folder = page.parent().unwrap();
        let mut renewed = lesson.clone();
        let all = blocks(&lesson);
        let marked: Vec<(usize, &Block)> =
            all.iter().enumerate().rev().filter(|(_, block)| block.marker.starts_with("$ ")).collect();
        let outputs = two_at_a_time(&marked, |(place, block)| {
            let above = all[..*place].iter().rev().find(|block| block.info == "python");
            real_output(folder, &block.marker, above.map(|block| block.text.as_str()))
        });
        for ((_, block), output) in marked.into_iter().zip(outputs) {
            match output {
                Some(output) if is_update() => renewed.replace_range(block.at..block.at + block.text.len(), &output),
                Some(output) => assert_eq!(
                    block.text,
                    output,
                    "{}, {}: UPDATE=1 cargo test --test course lessons renews it",
                    page.display(),
                    block.marker
                ),
                None => eprintln!("skipped: {} needs Python 3", block.marker),
            }
        }
        // What has no marker is no output of a program.
        for block in all.iter().filter(|block| block.info == "text") {
            assert!(!block.marker.is_empty(), "{}: this text has no marker:\n{}", page.display(), block.text);
        }
        if is_update() && renewed != lesson {
            fs::write(&page, renewed).unwrap();
        }
    }
}

/// What depends on the machine or the compiler is quoted as a pattern: `…` stands for any piece of a line.
#[test]
#[ignore = "what is measured takes its time, also that of a clock: cargo test --test course -- --ignored"]
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
                let (compiles, said) = compiles(&file);
                if name.ends_with("_fixed") {
                    assert!(compiles, "{}: {said}", file.display());
                    continue;
                }
                count += 1;
                let code = read(&file).lines().next().unwrap().trim_start_matches("//! ").to_owned();
                assert!(!compiles && said.contains(&format!("error[{code}]")), "{}: {said}", file.display());
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
#[ignore = "what `show` compiles for the outputs above once more, for its warnings: cargo test --test course -- --ignored"]
fn every_shown_program_and_every_stage_compiles_alone() {
    for (folder, _) in lessons() {
        let shown = folder.join("shown");
        let shown = shown.is_dir().then(|| fs::read_dir(shown).unwrap().map(|entry| entry.unwrap().path()));
        let stage = Some(folder.join("stage.rs")).filter(|path| path.is_file());
        // What uses the finished machine is compiled with it by `show`, for its output that the lesson quotes.
        let is_alone = |file: &PathBuf| !read(file).contains("\nuse handloop::");
        for file in shown.into_iter().flatten().chain(stage).filter(is_alone) {
            let (compiles, said) = compiles(&file);
            assert!(compiles, "{}: {said}", file.display());
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

/// The last chapter goes on from its stage to the finished machine, before its exercises.
fn headings_of(chapter: &course::Chapter) -> Vec<&'static str> {
    let mut headings = HEADINGS.to_vec();
    if chapter.number == CHAPTERS.last().unwrap().number {
        headings.insert(HEADINGS.len() - 1, "From here to src");
    }
    headings
}

#[test]
fn every_chapter_has_its_parts_in_order() {
    for chapter in CHAPTERS {
        let lesson = chapter.lesson.replace("\r\n", "\n");
        let headings: Vec<&str> = lesson.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let (second, others): (Vec<&str>, Vec<&str>) = (vec![headings[1]], [&headings[..1], &headings[2..]].concat());
        assert_eq!(others, headings_of(chapter), "{}", chapter.name);
        assert!(second[0].starts_with("What "), "{}: the second part shows what fails: {}", chapter.name, second[0]);
        for exercise in chapter.exercises() {
            let hints = exercise.hints();
            assert_eq!(hints.len(), 3, "{} has three hints", exercise.name());
            assert!(hints.iter().all(|hint| hint.len() > 20), "{hints:?}");
            assert!(hints[0].len() < hints[2].len(), "{}: each hint says more", exercise.name());
        }
        let part = |name: &str| lesson.split(&format!("\n## {name}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
        assert!(part("Predict before you run").matches("<summary>Answer</summary>").count() >= 3);
        for shown in ["](run.svg)", "](run.html)", "--timeline"] {
            assert!(part("The run").contains(shown), "{}: {shown}", chapter.name);
        }
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

/// What a repository may hold of a page that a program makes.
const LARGEST_PAGE: usize = 150_000;

/// Each chapter's run as a picture and as a page. Chapter 0 has the page of the first program.
#[test]
fn every_picture_and_every_page_of_a_run_is_current() {
    let mut all = vec![("ch00_start", "gather".to_owned(), "html")];
    all.extend(CHAPTERS.iter().flat_map(|chapter| ["svg", "html"].map(|form| (chapter.name, chapter.short(), form))));
    for (folder, program, form) in all {
        let (own, name) = (Folder::new("run"), format!("run.{form}"));
        let (made, path) = (own.0.join(&name), root().join("lessons").join(folder).join(&name));
        stdout(Command::new(env!("CARGO_BIN_EXE_handloop")).args([&program, &format!("--{form}")]).arg(&made));
        let made = read(&made);
        assert!(made.len() <= LARGEST_PAGE, "{}: {} bytes", path.display(), made.len());
        if is_update() {
            fs::write(&path, made).unwrap();
        } else {
            assert!(read(&path) == made, "{}: UPDATE=1 cargo test --test course lessons renews it", path.display());
        }
    }
}

/// Every page of the course, and the front page.
fn pages() -> Vec<(PathBuf, String)> {
    let others = ["README.md", "lessons/README.md", "lessons/SUMMARY.md", "lessons/TEACHING.md"];
    let others = others.map(|name| root().join(name));
    quoting().into_iter().chain(others.map(|page| (page.clone(), read(&page)))).collect()
}

/// Every link to a file leads to one, and one with an anchor to that.
#[test]
fn links_lead_somewhere() {
    for (page, text) in pages() {
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

/// mdBook makes pages of what SUMMARY.md lists, and of nothing else.
#[test]
fn book_has_every_page_of_the_course_once_and_the_chapters_in_order() {
    let summary = read(&root().join("lessons/SUMMARY.md"));
    let listed = between(&summary, "](", ')');
    let lessons = root().join("lessons");
    let own = pages().into_iter().filter_map(|(page, _)| {
        let page = page.strip_prefix(&lessons).ok()?.to_string_lossy().replace('\\', "/");
        (page != "SUMMARY.md").then_some(page)
    });
    let (mut own, mut sorted): (Vec<String>, _) = (own.collect(), listed.clone());
    own.sort();
    sorted.sort_unstable();
    assert_eq!(sorted, own);
    let chapters: Vec<&str> = listed.into_iter().filter(|page| page.starts_with("ch")).collect();
    assert!(chapters.is_sorted(), "{chapters:?}");
    for chapter in chapters {
        let number: u32 = chapter[2..4].parse().unwrap();
        assert!(summary.lines().any(|line| line.starts_with(&format!("- [{number}. ")) && line.contains(chapter)));
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
    // Three lines around a change are shown, and one `None` for all between two changes that is not.
    let short = |old: &str, new: &str| {
        let changes = diff::changes(old, new);
        let word = |shown: Option<&diff::Change<'_>>| match shown {
            Some(Same(line) | Removed(line) | Added(line)) => (*line).to_owned(),
            None => "…".to_owned(),
        };
        diff::shortened(&changes).into_iter().map(word).collect::<Vec<_>>().join(" ")
    };
    let old = "a b c d e f g h i j k l".replace(' ', "\n");
    let new = |from: &str, to: &str| old.replace(from, to);
    assert_eq!(short(&old, &new("e\n", "")), "… b c d e f g h …");
    assert_eq!(short(&old, &new("a\n", "").replace('l', "L")), "a b c d … i j k l L");
    assert_eq!(short(&old, &new("b\n", "").replace("i\n", "")), "a b c d e f g h i j k l");
    assert_eq!(short(&old, &old), "…");
}

#[test]
fn every_piece_of_python_runs() {
    for (_, lesson) in quoting() {
        for block in blocks(&lesson).iter().filter(|block| block.info == "python") {
            if python_prints(&block.text).is_none() {
                eprintln!("skipped: Python 3 is not installed");
                return;
            }
        }
    }
}

/// The steps to which a lesson sends its reader: the chapter, its words, the step, and a part of the sentence there.
const STEPS: &[(&str, &str, usize, &str)] = &[
    ("gather", "Steps 4 to 8", 4, "spawns task 2"),
    ("gather", "Steps 4 to 8", 8, "Task 1 returns pending"),
    ("gather", "Steps 9 to 13", 9, "polls task 2"),
    ("gather", "Steps 9 to 13", 13, "Task 2 returns pending"),
    ("gather", "at step 14", 14, "polls task 3"),
    ("gather", "Step 24", 24, "virtual"),
    ("gather", "Steps 26 to 28", 26, "The timer wakes task 2"),
    ("gather", "Steps 26 to 28", 28, "Task 2 returns ready"),
    ("gather", "Steps 39 to 44", 39, "The end of task 4 wakes task 1"),
    ("gather", "Steps 39 to 44", 44, "Task 1 returns ready"),
    ("ch01", "at step 4, where Ann is taken from its front", 4, "The loop polls task 1, Ann, for the first time."),
    ("ch01", "at step 7, where she is put behind Bob", 7, "Task 1 wakes itself"),
    ("ch02", "At step 7 the first timer is set", 7, "A timer is set: it will wake task 1"),
    ("ch02", "At step 16 the ready queue is empty", 16, "Task 3 returns pending"),
    ("ch02", "At step 17 time passes for the first time", 17, "from 0.000 s to 1.000 s."),
    ("ch02", "At steps 18 and 19 the sleeper leaves the one list", 18, "It leaves the list"),
    ("ch02", "At steps 18 and 19 the sleeper leaves the one list", 19, "it goes to the end of the ready queue."),
    ("ch02", "only at step 20 is it polled", 20, "The loop polls task 1"),
    ("ch03", "Steps 5 to 8 and 9 to 12.", 5, "The loop polls task 1"),
    ("ch03", "Steps 5 to 8 and 9 to 12.", 8, "Task 1 returns pending."),
    ("ch03", "Steps 5 to 8 and 9 to 12.", 9, "The loop polls task 2, by hand"),
    ("ch03", "Steps 5 to 8 and 9 to 12.", 12, "Task 2 returns pending."),
    ("ch03", "Step 17.** All have had a poll", 17, "Each has had a poll"),
    ("ch03", "Steps 18 to 26.** A whole round in vain", 18, "The loop polls task 1"),
    ("ch03", "Steps 18 to 26.** A whole round in vain", 26, "Task 3 returns pending."),
    ("ch03", "Steps 45 to 47.** Task 2 is polled", 45, "The loop polls task 2"),
    ("ch03", "Steps 45 to 47.** Task 2 is polled", 47, "Task 2 returns ready"),
    ("ch04", "steps 4 to 6** one poll of the one task prints three lines", 4, "Task 1 prints: waiting: 1"),
    ("ch04", "steps 4 to 6** one poll of the one task prints three lines", 6, "Task 1 prints: waiting: 4"),
    ("ch04", "step 14** it is one second later", 14, "The loop polls task 1, join, again."),
    ("ch04", "\"returns pending\" at step 16", 16, "Task 1 returns pending."),
    ("ch04", "Steps 38 to 42** are the last poll", 38, "The loop polls task 1, join, again."),
    ("ch04", "Steps 38 to 42** are the last poll", 42, "Task 1 returns ready"),
    ("ch05", "At steps 5, 7 and 9 the clones are made", 5, "A clone of the waker of task 1 is made"),
    ("ch05", "At steps 5, 7 and 9 the clones are made", 7, "A clone of the waker of task 1 is made"),
    ("ch05", "At steps 5, 7 and 9 the clones are made", 9, "A clone of the waker of task 1 is made"),
    ("ch05", "at step 13 the first of them wakes the task", 13, "The timer wakes task 1"),
    ("ch05", "at step 14 it is gone", 14, "The timer drops its clone"),
    ("ch05", "Step 27 is the second wake at 2 s", 27, "The timer wakes task 1"),
    ("ch05", "Steps 43 to 45 drop what is left", 43, "The timer drops its clone"),
    ("ch05", "Steps 43 to 45 drop what is left", 45, "The timer drops its last clone"),
    ("ch06", "Steps 6, 9 and 12 set the timers", 6, "A timer is set"),
    ("ch06", "Steps 6, 9 and 12 set the timers", 9, "A timer is set"),
    ("ch06", "Steps 6, 9 and 12 set the timers", 12, "A timer is set"),
    ("ch06", "Step 16 takes the first one off", 16, "It leaves the list"),
    ("ch06", "step 17 is its wake", 17, "The timer wakes task 1"),
    ("ch06", "step 18 the end of that waker", 18, "The timer drops its clone"),
    ("ch06", "Steps 20 to 23, two pairs of `CD`", 20, "A clone of the waker of task 1 is made"),
    ("ch06", "Steps 20 to 23, two pairs of `CD`", 23, "Task 1 drops the clone that the timer had"),
    ("ch07", "This is step 25 of the run below", 25, "The timer drops its last clone of the waker of task 1"),
    ("ch07", "Steps 1 to 3 are the spawns", 1, "Task 1, report(1), is made"),
    ("ch07", "Steps 1 to 3 are the spawns", 3, "Task 3, main, is made"),
    ("ch07", "Steps 5 to 20 are the first turn", 5, "The loop polls task 1"),
    ("ch07", "Steps 5 to 20 are the first turn", 20, "Task 3 returns pending"),
    ("ch07", "At step 21 the queue is empty", 21, "Nothing is ready"),
    ("ch07", "At step 24 the waker of task 1 makes an entry", 24, "The timer wakes task 1"),
    ("ch07", "at step 26 the entry leaves and the poll begins", 26, "The loop polls task 1"),
    ("ch07", "Steps 34 to 38 are the second poll of `main`", 34, "The loop polls task 3, main, again."),
    ("ch07", "Steps 34 to 38 are the second poll of `main`", 38, "Task 3 returns pending"),
    ("ch08", "Steps 22 to 24 leave three clones", 22, "left with task 1"),
    ("ch08", "Steps 22 to 24 leave three clones", 24, "left with task 3"),
    ("ch08", "Step 28 is the first timer", 28, "the timer of task 1, work(1), is due"),
    ("ch08", "step 32 the wake of main", 32, "Task 1 wakes task 4, main"),
    ("ch08", "Steps 37 to 40 ask the two other handles", 37, "left with task 2"),
    ("ch08", "Steps 37 to 40 ask the two other handles", 40, "drops the clone that task 3 had"),
    ("ch09", "At step 5 the loop begins", 5, "The loop begins to run."),
    ("ch09", "In step 21 main is polled for the first time", 21, "The loop polls task 4, main, for the first time."),
    ("ch09", "steps 22 to 24 leave a clone", 22, "left with task 1"),
    ("ch09", "steps 22 to 24 leave a clone", 24, "left with task 3"),
    ("ch09", "step 24 of the run shows 3 clones", 24, "(clones alive: 3)"),
    ("ch09", "Steps 35 to 41 are one pass", 35, "The loop polls task 4, main, again."),
    ("ch09", "At step 36 `Pin::new(task).poll(context)` is ready", 36, "Task 4 takes the result of task 1"),
    ("ch09", "Steps 37 and 38 are the same `poll` for handle 2", 37, "left with task 2"),
    ("ch09", "Steps 37 and 38 are the same `poll` for handle 2", 38, "drops the clone that task 2 had"),
    ("ch09", "steps 39 and 40 for handle 3", 39, "left with task 3"),
    ("ch09", "steps 39 and 40 for handle 3", 40, "drops the clone that task 3 had"),
    ("ch09", "Step 41 is `return Poll::Pending`", 41, "Task 4 returns pending: it waits."),
    ("ch09", "Step 52 takes the second result", 52, "Task 4 takes the result of task 2"),
    ("ch09", "step 66 the third", 66, "Task 4 takes the result of task 3"),
    ("ch09", "Step 67 is the end of main", 67, "Task 4 returns ready: it is finished."),
    ("ch09", "The lines are printed after the run", 69, "The program prints: Task ret: Done after 1s"),
    ("ch10", "Step 36 is the cancel", 36, "Task 4 cancels task 2"),
    ("ch10", "at step 38 it leaves a clone of its waker", 38, "left with task 2"),
    ("ch10", "At step 40 the loop drops the future of task 2", 40, "The loop drops the future of task 2"),
    ("ch10", "at step 42 its timer is taken off the list", 42, "The timer of task 2, work(2), is taken off"),
    ("ch10", "Step 43 wakes main", 43, "Task 2 wakes task 4, main"),
    ("ch10", "At step 61 the timeout gives `None`", 61, "Task 4 prints: None"),
    ("ch10", "Main is over at step 62", 62, "Task 4 returns ready"),
    ("ch10", "Step 65 begins the close", 65, "The loop begins to close"),
    ("ch10", "At step 68 the future of task 3 is dropped", 68, "The loop closes: the future of task 3"),
    ("ch11", "At steps 1 and 2 main sends two jobs", 1, "The main thread puts callback 1, job, into the inbox"),
    ("ch11", "At steps 1 and 2 main sends two jobs", 2, "The main thread puts callback 2, job, into the inbox"),
    ("ch11", "the loop begins at step 4", 4, "The loop begins to run"),
    ("ch11", "At step 5 it runs the first", 5, "The loop runs callback 1, job"),
    ("ch11", "steps 6 and 7 make a task and its sender", 6, "Callback 1 spawns task 1, do_some_work(6)"),
    ("ch11", "steps 6 and 7 make a task and its sender", 7, "Callback 1 spawns task 2, sender"),
    ("ch11", "At step 13 the first poll begins", 13, "polls task 1, do_some_work(6), for the first time"),
    ("ch11", "At step 15 the timer keeps a waker of task 1", 15, "the waker of task 1 is made for its timer"),
    ("ch11", "at step 19 task 1 keeps one of its sender", 19, "the waker of task 2 is left with task 1"),
    ("ch11", "Step 29 is the park", 29, "Nothing is ready: the loop waits"),
    ("ch11", "At step 30 the clock is at 4 s", 30, "from 0.000 s to 4.000 s"),
    ("ch11", "Step 35 prints", 35, "Task 3 prints: Done after 4s"),
    ("ch11", "step 36 wakes the sender", 36, "Task 3 wakes task 4, sender"),
    ("ch11", "At step 40 the sender takes the result", 40, "Task 4 takes the result of task 3"),
    ("ch11", "after the park of step 42", 42, "Nothing is ready: the loop waits"),
    ("ch11", "That comes at step 53", 53, "Task 2 takes the result of task 1"),
    ("ch11", "whether the loop parks after step 54", 54, "Task 2 returns ready"),
    ("ch11", "at steps 55 and 60", 55, "The main thread puts callback 3, job, into the inbox"),
    ("ch11", "at steps 55 and 60", 60, "The main thread puts callback 4, job, into the inbox"),
    ("ch11", "Steps 57 and 58 are `more_work`", 57, "Callback 3 prints: More work 1"),
    ("ch11", "Steps 57 and 58 are `more_work`", 58, "Callback 3 prints: Finished more work 1"),
    ("ch11", "Step 62 is the stop", 62, "Callback 4 asks the loop to stop"),
    ("ch11", "at step 64 the run ends", 64, "It was asked to stop: the turn is over, and the run ends."),
    ("ch11", "Step 65 is main again", 65, "The program prints: Time: 6.000"),
];

#[test]
fn steps_that_a_lesson_points_to_are_what_it_says() {
    for (folder, lesson) in lessons() {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let program = if name == "ch00_start" { "gather" } else { &name[..4] };
        let lesson = lesson.split_whitespace().collect::<Vec<_>>().join(" ");
        let steps = handloop(&format!("{program} --plain"));
        let sentence = |step: usize| {
            let (_, shown) = steps.split_once(&format!("{program}, step {step} of ")).unwrap();
            shown.lines().nth(1).unwrap()
        };
        let claims: Vec<_> = STEPS.iter().filter(|(of, ..)| *of == program).collect();
        assert!(!claims.is_empty(), "{name}: which steps does it point to?");
        for (_, words, step, expected) in claims {
            assert!(lesson.contains(words), "{name} no longer says: {words}");
            assert!(sentence(*step).contains(expected), "{name}, step {step}: {}", sentence(*step));
        }
    }
}

/// The output of a command, with each run of spaces as one. A program that is stepped through shows every step.
fn output_of(arguments: &str) -> String {
    handloop(&arguments.replace("--step", "--plain")).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What stands between two marks, again and again.
fn between<'a>(text: &'a str, before: &str, after: char) -> Vec<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split_once(after)).map(|(inside, _)| inside).collect()
}

/// The commands that a page names: `cargo run -- …`, and `show ch05 window` in backquotes alone.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let ends = |letter: char| "`\n#()".contains(letter);
    for rest in text.split("cargo run -- ").skip(1) {
        commands.push(rest.split(ends).next().unwrap().trim_end_matches(" -->").trim().to_owned());
    }
    commands.extend(between(text, "`show ch", '`').into_iter().map(|rest| format!("show ch{rest}")));
    commands
}

/// Words that stand for something else: a file, a name, a chapter.
fn is_placeholder(word: &str) -> bool {
    word.contains('…') || word.chars().all(|letter| letter.is_ascii_uppercase() || "[]".contains(letter))
}

/// What is wrong with a command, if anything is.
fn fault(command: &str, help: &str) -> Option<String> {
    let words: Vec<&str> = command.split(' ').collect();
    let is_there = |word: &str| help.split_whitespace().any(|known| known == word);
    let named = |number: usize| words.get(number).copied().filter(|word| !is_placeholder(word));
    match words[0] {
        verb if is_placeholder(verb) || is_there(verb) => {}
        verb => return Some(format!("there is no {verb}")),
    }
    if let Some(option) = words.iter().find(|word| word.starts_with('-') && !is_there(word)) {
        return Some(format!("there is no option {option}"));
    }
    if !["check", "hint", "solution", "reset", "diff", "show", "pack"].contains(&words[0]) {
        return None;
    }
    let of = named(1)?;
    let Some(chapter) = CHAPTERS.iter().find(|chapter| chapter.short() == of) else {
        return Some(format!("there is no chapter {of}"));
    };
    let what = named(2).filter(|word| !word.starts_with('-'))?;
    let folder = root().join("lessons").join(chapter.name);
    let is_there = match words[0] {
        "show" => ["shown", "errors"].iter().any(|kind| folder.join(kind).join(format!("{what}.rs")).is_file()),
        "pack" | "diff" => true,
        _ => chapter.exercises().any(|exercise| what == exercise.number.to_string()),
    };
    (!is_there).then(|| format!("{of} has no {what}"))
}

#[test]
fn every_command_that_a_page_names_exists() {
    let help = stdout(Command::new(env!("CARGO_BIN_EXE_handloop")).arg("--help"));
    let mut seen = 0;
    for (page, text) in pages() {
        for command in commands(&text).iter().filter(|command| !command.is_empty()) {
            seen += 1;
            let fault = fault(command, &help);
            assert!(fault.is_none(), "{}: {command}: {}", page.display(), fault.unwrap_or_default());
        }
    }
    assert!(seen > 250, "{seen} commands");
}

#[test]
fn a_command_that_does_not_exist_is_seen() {
    let help = stdout(Command::new(env!("CARGO_BIN_EXE_handloop")).arg("--help"));
    for wrong in ["show ch05 windows", "check ch05 4", "ch12", "ch05 --stop", "diff ch55", "teach"] {
        assert!(fault(wrong, &help).is_some(), "{wrong}");
    }
    for right in
        ["show ch05 window", "show ch04 e0277", "show ch09 NAME", "check ch05 3", "ch05 --step", "gather --html FILE"]
    {
        assert_eq!(fault(right, &help), None, "{right}");
    }
    assert_eq!(
        commands("`cargo run -- ch01`, `show ch02 spins` (cargo run -- doctor)"),
        ["ch01", "doctor", "show ch02 spins"]
    );
}

const TEACHING: [&str; 6] = [
    "Afterwards they can",
    "On the board",
    "Three predictions",
    "Usual misconceptions",
    "Where they get stuck",
    "15, 45, 90 minutes",
];

/// The pages of TEACHING.md: the number of the chapter, and its parts in order.
fn teaching() -> Vec<(u32, Vec<(String, String)>)> {
    let text = read(&root().join("lessons/TEACHING.md"));
    let chapters = text.split("\n## Chapter ").skip(1);
    chapters
        .map(|page| {
            let number = page.split(':').next().unwrap().parse().unwrap();
            let parts = page.split("\n### ").skip(1).map(|part| part.split_once('\n').unwrap());
            (number, parts.map(|(heading, text)| (heading.to_owned(), text.to_owned())).collect())
        })
        .collect()
}

/// The course's map says of each chapter as many minutes as its lesson does.
#[test]
fn minutes_to_read_are_those_of_the_lessons() {
    let map = read(&root().join("lessons/README.md"));
    for chapter in CHAPTERS {
        let Some((_, rest)) = chapter.lesson.split_once("Reading takes about ") else { continue };
        let minutes = rest.split(' ').next().unwrap();
        let row = format!("\n| {} | {minutes} | ", chapter.number);
        assert!(map.contains(&row), "chapter {}: {minutes} minutes", chapter.number);
    }
}

#[test]
fn the_teacher_has_a_page_for_each_chapter() {
    let pages = teaching();
    let numbers: Vec<u32> = pages.iter().map(|(number, _)| *number).collect();
    assert!(numbers.iter().copied().eq(0..numbers.len() as u32), "{numbers:?}");
    assert!(numbers.len() > CHAPTERS.len(), "chapter 0 and all others");
    for (number, parts) in &pages {
        let headings: Vec<&str> = parts.iter().map(|(heading, _)| heading.as_str()).collect();
        assert_eq!(headings, TEACHING, "chapter {number}");
        let board = &blocks(&format!("\n{}", parts[1].1))[0].text;
        let widest = board.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(board.lines().count() <= 12 && widest <= 70, "chapter {number}: the board has {widest} columns");
    }
}

/// Each has one command, and what it quotes is in the output of that; "step 12: …" is the player's sentence there.
#[test]
fn predictions_of_the_teacher_come_true() {
    for (chapter, parts) in teaching().into_iter().filter(|(number, _)| (*number as usize) <= CHAPTERS.len()) {
        let predictions: Vec<String> = (1..=3)
            .map(|number| {
                let rest = parts[2].1.split(&format!("\n{number}. ")).nth(1).expect("three predictions");
                let text = rest.split(&format!("\n{}. ", number + 1)).next().unwrap();
                text.split_whitespace().collect::<Vec<_>>().join(" ")
            })
            .collect();
        for prediction in predictions {
            let commands: Vec<&str> = between(&prediction, "`cargo run -- ", '`');
            assert_eq!(commands.len(), 1, "chapter {chapter}: one command: {prediction}");
            let output = output_of(commands[0]);
            let quoted = prediction.split('"').skip(1).step_by(2).collect::<Vec<_>>();
            assert!(!quoted.is_empty(), "chapter {chapter}: what does it show? {prediction}");
            for quoted in quoted {
                assert!(output.contains(quoted), "chapter {chapter}: {} does not show: {quoted}", commands[0]);
            }
            let program = commands[0].split(' ').next().unwrap();
            for rest in prediction.split("tep ").skip(1) {
                let Some((step, sentence)) = rest.split_once(": \"") else { continue };
                let Ok(step) = step.parse::<usize>() else { continue };
                let sentence = sentence.split('"').next().unwrap();
                let screen = output.split(&format!("{program}, step {step} of ")).nth(1).expect("a step");
                let screen = screen.split(&format!("{program}, step ")).next().unwrap();
                assert!(screen.contains(sentence), "chapter {chapter}: step {step} is: {screen}");
            }
        }
    }
}

/// Each row names a wrong answer, and the rule that this breaks.
#[test]
fn misconceptions_of_the_teacher_are_wrong_answers_with_that_verdict() {
    for (number, parts) in teaching() {
        let Some(chapter) = CHAPTERS.iter().find(|chapter| chapter.number == number) else { continue };
        let rows: Vec<Vec<&str>> =
            parts[3].1.lines().filter(|line| line.contains("| `ex")).map(|line| line.split(" | ").collect()).collect();
        assert!(rows.len() >= 3, "chapter {number}: three misconceptions");
        for row in rows {
            let (name, rule) = (row[1].trim_matches('`'), row[2].trim_matches([' ', '|']));
            let file = root().join("lessons").join(chapter.name).join("wrong").join(format!("{name}.rs"));
            assert!(file.is_file(), "chapter {number}: there is no {name}");
            assert!(read(&file).starts_with(&format!("//! Breaks rule {rule}:")), "{name} does not break rule {rule}");
        }
    }
}
