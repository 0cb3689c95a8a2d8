//! `grade DIR…`: what a class has handed in, as a table. Only the files of the exercises are taken, into a clean copy of
//! this course, and checked there with a limit on time and memory.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use crate::course::{Chapter, Exercise, handed_out, root};
use crate::desk::{Outcome, first_error, verdict};
use crate::limits::{self, Limits};
use crate::player::html::quoted;

/// No exercise is near it, in bytes.
const LARGEST_ANSWER: u64 = 256 << 10;

/// For the compiler and for a check, in bytes. A check ends an answer that takes 1 GiB.
const MEMORY: u64 = 4 << 30;

/// What is in the place of an exercise.
enum Handed {
    Text(String),
    Untouched,
    /// The chapter is not in this folder.
    NotHandedOut,
    Missing,
    Refused(String),
}

/// What became of it.
#[derive(Clone)]
struct Cell {
    /// For the table.
    word: String,
    /// For a script.
    state: &'static str,
    sentence: String,
}

impl Cell {
    fn new(word: &str, state: &'static str, sentence: impl Into<String>) -> Self {
        Cell { word: word.to_owned(), state, sentence: printable(&sentence.into()) }
    }
}

/// Grades clones or packs, one row each. The compiler, and then the check, has `limit` seconds for one answer.
///
/// # Errors
/// A sentence, where the course's own files are missing or cannot be copied. No folder is a reason.
pub fn grade(folders: &[PathBuf], only: Option<&'static Chapter>, limit: u64, is_json: bool) -> Result<(), String> {
    let limits = Limits { time: Duration::from_secs(limit), memory: MEMORY };
    eprintln!(
        "handloop: this is no sandbox: an answer is a program, and it runs with your rights. The page for teachers, \
         lessons/TEACHING.md, says how to grade in one."
    );
    let chapters = handed_out().filter(|chapter| only.is_none_or(|only| only.number == chapter.number));
    let exercises: Vec<Exercise> = chapters.flat_map(Chapter::exercises).collect();
    let given: Vec<String> = exercises.iter().map(given).collect::<Result<_, _>>()?;
    let mut seen: Vec<PathBuf> = Vec::new();
    let handed_in: Vec<Result<Vec<Handed>, String>> = folders
        .iter()
        .map(|folder| {
            let folder = &course_in(folder)?;
            let real = folder.canonicalize().map_err(|error| format!("it cannot be read: {error}"))?;
            if seen.contains(&real) {
                return Err("it was named twice".to_owned());
            }
            seen.push(real);
            Ok(exercises.iter().zip(&given).map(|(exercise, given)| handed(folder, exercise, given)).collect())
        })
        .collect();
    // A column for each exercise that somebody has worked on.
    let is_worked_on = |place: &usize| {
        let of = |row: &Result<Vec<Handed>, String>| {
            row.as_ref().is_ok_and(|row| matches!(row[*place], Handed::Text(_) | Handed::Refused(_)))
        };
        only.is_some() || handed_in.iter().any(of)
    };
    let columns: Vec<usize> = (0..exercises.len()).filter(is_worked_on).collect();
    let names: Vec<String> = folders.iter().map(|folder| printable(&folder.display().to_string())).collect();
    let columns_named = columns.iter().map(|place| exercises[*place].name()).collect();
    let mut table =
        Table { names: &names, common: common(&names), columns: columns_named, passed: vec![0; columns.len()] };
    if is_json {
        println!("[");
    } else {
        table.head();
    }
    let workers = Workers::new(&exercises)?;
    let grade_row = |folder: &Path, row: usize| -> Result<Vec<Cell>, String> {
        let handed = handed_in[row].as_ref().map_err(String::clone)?;
        Ok(columns.iter().map(|place| cell(&exercises[*place], &handed[*place], folder, &limits)).collect())
    };
    let mut sentences = Vec::new();
    workers.each_in_order(folders.len(), grade_row, |row, cells| {
        if is_json {
            table.json(row, &cells, row + 1 == folders.len());
        } else {
            table.row(row, &cells);
            sentences.extend(table.sentences(row, &cells));
            table.count(&cells);
        }
    });
    if is_json {
        println!("]");
    } else {
        table.foot();
        if !sentences.is_empty() {
            println!();
        }
        sentences.iter().for_each(|sentence| println!("{sentence}"));
    }
    Ok(())
}

fn given(exercise: &Exercise) -> Result<String, String> {
    let file = exercise.file("given");
    let text = fs::read_to_string(&file).map_err(|error| format!("{} cannot be read: {error}.", file.display()))?;
    Ok(text.replace('\r', ""))
}

/// The folder that has the lessons: this one, or the only one in it, as an archive often unpacks. No link is followed, and
/// nothing is opened but a file: a pipe would never end.
fn course_in(folder: &Path) -> Result<PathBuf, String> {
    let has_lessons = |folder: &Path| fs::symlink_metadata(folder.join("lessons")).is_ok_and(|kind| kind.is_dir());
    match fs::symlink_metadata(folder) {
        Err(error) => Err(format!("it cannot be read: {error}")),
        Ok(kind) if kind.is_symlink() => Err("it is a link: name the folder that it leads to".to_owned()),
        Ok(kind) if !kind.is_dir() => Err("it is no folder".to_owned()),
        Ok(_) if has_lessons(folder) => Ok(folder.to_owned()),
        Ok(_) => {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            let is_folder = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
            let mut inner = entries.filter(is_folder).map(|entry| entry.path()).filter(|path| has_lessons(path));
            match (inner.next(), inner.next()) {
                (Some(only), None) => Ok(only),
                _ => Err("it has no folder lessons, as a clone or a pack has".to_owned()),
            }
        }
    }
}

/// Up to the last folder that all names have in common: what is the same in each row says nothing.
fn common(names: &[String]) -> usize {
    let [first, rest @ ..] = names else { return 0 };
    let same = |other: &String| first.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    match rest.iter().map(same).min() {
        Some(length) => {
            first.as_bytes()[..length].iter().rposition(|byte| b"/\\".contains(byte)).map_or(0, |at| at + 1)
        }
        None => 0,
    }
}

fn handed(folder: &Path, exercise: &Exercise, given: &str) -> Handed {
    let mut path = folder.join("lessons");
    for name in [exercise.chapter.name, "exercises"] {
        path.push(name);
        match fs::symlink_metadata(&path) {
            Err(_) => return Handed::NotHandedOut,
            Ok(kind) if !kind.is_dir() => return Handed::Refused(format!("{name} is a link, or no folder")),
            Ok(_) => {}
        }
    }
    path.push(format!("{}.rs", exercise.name()));
    let refused = |why: &str| Handed::Refused(format!("the file {why}"));
    match fs::symlink_metadata(&path) {
        Err(_) => return Handed::Missing,
        Ok(kind) if kind.is_symlink() => return refused("is a link"),
        Ok(kind) if !kind.is_file() => return refused("is in its place something else: a folder, a pipe or a device"),
        Ok(kind) if kind.len() > LARGEST_ANSWER => return refused("is larger than 256 KB"),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    let read = fs::File::open(&path).and_then(|file| file.take(LARGEST_ANSWER + 1).read_to_end(&mut bytes));
    match (read, String::from_utf8(bytes)) {
        (Err(error), _) => refused(&format!("cannot be read: {error}")),
        (_, Err(_)) => refused("is not UTF-8"),
        (_, Ok(text)) if text.replace('\r', "") == given => Handed::Untouched,
        (_, Ok(text)) => Handed::Text(text),
    }
}

/// In a word, from the checker's sentence.
fn why_no_verdict(sentence: &str) -> &'static str {
    let words = [
        ("did not return", "no end"),
        ("did not come to an end", "no end"),
        ("was ended after", "no end"),
        ("the stack overflowed", "overflow"),
        ("of memory", "memory"),
        ("the program ended", "ended"),
    ];
    words.iter().find(|(piece, _)| sentence.contains(piece)).map_or("no verdict", |(_, word)| word)
}

/// Compiles the check with this answer, and runs it, in a clean copy.
fn cell(exercise: &Exercise, handed: &Handed, copy: &Path, limits: &Limits) -> Cell {
    let seconds = limits.time.as_secs();
    let text = match handed {
        Handed::Text(text) => text,
        Handed::Untouched => return Cell::new("untouched", "untouched", ""),
        Handed::NotHandedOut => return Cell::new("–", "not handed out", ""),
        Handed::Missing => return Cell::new("missing", "missing", ""),
        Handed::Refused(why) => return Cell::new("refused", "refused", why.as_str()),
    };
    let no_verdict = |sentence: &str| Cell::new(why_no_verdict(sentence), "no verdict", sentence);
    let folder = copy.join("lessons").join(exercise.chapter.name);
    let name = exercise.name();
    if let Err(error) = fs::write(folder.join("exercises").join(format!("{name}.rs")), text) {
        return no_verdict(&format!("the file cannot be copied: {error}"));
    }
    let (check, program) = (folder.join("checks").join(format!("{name}.rs")), copy.join(&name));
    // What the manifest of the course forbids, and the form of errors that `check` reads.
    let fixed = ["--edition=2024", "--error-format=short", "-Awarnings", "-Dunsafe_code", "-o"].map(OsStr::new);
    let arguments = [&fixed[..], &[program.as_os_str(), check.as_os_str()]].concat();
    let compiled = match limits::run(Path::new("rustc"), &arguments, copy, limits) {
        Err(error) => return no_verdict(&format!("rustc cannot be started: {error}")),
        Ok(compiled) => compiled,
    };
    if compiled.is_late {
        return no_verdict(&format!("the compiler did not come to an end in {seconds} s, and was ended"));
    }
    if !compiled.has_succeeded {
        return match first_error(&compiled.stderr, exercise) {
            Outcome::DoesNotCompile { line, code } => {
                Cell::new(code.as_deref().unwrap_or("compiler"), "does not compile", line)
            }
            Outcome::Lost(sentence) | Outcome::Passed(sentence) | Outcome::Failed(sentence) => no_verdict(&sentence),
        };
    }
    let ran = limits::run(&program, &[], copy, limits);
    let _ = fs::remove_file(&program);
    match ran {
        Err(error) => no_verdict(&format!("the check cannot be started: {error}")),
        Ok(ran) if ran.is_late => no_verdict(&format!("the check was ended after {seconds} s")),
        Ok(ran) => match verdict(&name, &ran.stdout) {
            Some(sentence) if ran.has_succeeded => Cell::new("passed", "passed", sentence),
            Some(sentence) => match sentence.strip_prefix("Rule ").and_then(|rest| rest.split(':').next()) {
                Some(rule) => Cell::new(&format!("rule {rule}"), "rule broken", sentence),
                None => no_verdict(sentence.strip_prefix("No verdict: ").unwrap_or(sentence)),
            },
            None => no_verdict("the check ended without a verdict"),
        },
    }
}

/// Clean copies of what the checks need, one for each that works at the same time. They are gone at the end.
struct Workers {
    folder: PathBuf,
    copies: Vec<PathBuf>,
}

impl Workers {
    fn new(exercises: &[Exercise]) -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("handloop-grade-{}", std::process::id()));
        let sorry = |error: std::io::Error| format!("{} cannot be made: {error}.", folder.display());
        fs::create_dir(&folder).map_err(sorry)?;
        let count = thread::available_parallelism().map_or(1, usize::from);
        let copies = (0..count).map(|number| folder.join(number.to_string())).collect();
        let workers = Workers { folder: folder.clone(), copies };
        for copy in &workers.copies {
            let checker = Path::new("lessons/checker");
            copy_files(&root().join(checker), &copy.join(checker)).map_err(sorry)?;
            for exercise in exercises {
                let chapter = Path::new("lessons").join(exercise.chapter.name);
                for name in ["given", "checks"] {
                    let folder = chapter.join(name);
                    copy_files(&root().join(&folder), &copy.join(&folder)).map_err(sorry)?;
                }
                fs::create_dir_all(copy.join(chapter).join("exercises")).map_err(sorry)?;
            }
        }
        Ok(workers)
    }

    /// Calls `work` for each number below `count`, several at a time, and `done` in their order.
    fn each_in_order<T: Send>(
        &self,
        count: usize,
        work: impl Fn(&Path, usize) -> T + Sync,
        mut done: impl FnMut(usize, T),
    ) {
        let next = Mutex::new(0..count);
        let (sender, receiver) = channel();
        thread::scope(|scope| {
            for copy in &self.copies {
                let (sender, next, work) = (sender.clone(), &next, &work);
                scope.spawn(move || {
                    loop {
                        let taken = next.lock().expect("nobody panics while it holds this").next();
                        let Some(number) = taken else { return };
                        // Where nobody receives any more, this program is at its end.
                        let _ = sender.send((number, work(copy, number)));
                    }
                });
            }
            drop(sender);
            let (mut early, mut turn) = (BTreeMap::new(), 0);
            for (number, result) in receiver {
                early.insert(number, result);
                while let Some(result) = early.remove(&turn) {
                    done(turn, result);
                    turn += 1;
                }
            }
        });
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn copy_files(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// What the rows have in common. `Err`: the whole folder is refused.
struct Table<'a> {
    names: &'a [String],
    /// So many bytes of the names are not shown.
    common: usize,
    columns: Vec<String>,
    /// How many have passed, in each column.
    passed: Vec<usize>,
}

const COLUMN: usize = 11;

impl Table<'_> {
    fn name(&self, row: usize) -> &str {
        self.names[row].get(self.common..).unwrap_or(&self.names[row])
    }

    fn width(&self) -> usize {
        let widths = (0..self.names.len()).map(|row| self.name(row).chars().count());
        widths.max().unwrap_or(0).max("folder".len())
    }

    fn head(&self) {
        let columns: String = self.columns.iter().map(|name| format!("{name:<COLUMN$}")).collect();
        println!("{:<2$}  {columns}{}", "folder", "passed", self.width());
    }

    fn row(&self, row: usize, cells: &Result<Vec<Cell>, String>) {
        let (name, width) = (self.name(row), self.width());
        let words: String = match cells {
            Err(_) => return println!("{name:<width$}  refused"),
            Ok(cells) => cells.iter().map(|cell| format!("{:<COLUMN$}", cell.word)).collect(),
        };
        let passed = cells.iter().flatten().filter(|cell| cell.state == "passed").count();
        let all = cells.iter().flatten().filter(|cell| cell.state != "not handed out").count();
        println!("{name:<width$}  {words}{passed} of {all}");
    }

    fn count(&mut self, cells: &Result<Vec<Cell>, String>) {
        for (passed, cell) in self.passed.iter_mut().zip(cells.iter().flatten()) {
            *passed += usize::from(cell.state == "passed");
        }
    }

    fn foot(&self) {
        let counts: String = self.passed.iter().map(|count| format!("{count:<COLUMN$}")).collect();
        println!("{:<1$}  {2}", "passed", self.width(), counts.trim_end());
    }

    /// Of whatever is no pass, the reason.
    fn sentences(&self, row: usize, cells: &Result<Vec<Cell>, String>) -> Vec<String> {
        let name = self.name(row);
        match cells {
            Err(why) => vec![format!("{name}: {}", printable(why))],
            Ok(cells) => {
                let told = self.columns.iter().zip(cells);
                let told = told.filter(|(_, cell)| cell.state != "passed" && !cell.sentence.is_empty());
                told.map(|(exercise, cell)| format!("{name}, {exercise}: {}", cell.sentence)).collect()
            }
        }
    }

    fn json(&self, row: usize, cells: &Result<Vec<Cell>, String>, is_last: bool) {
        let exercises: Vec<String> = self
            .columns
            .iter()
            .zip(cells.iter().flatten())
            .map(|(exercise, cell)| {
                let (state, sentence) = (quoted(cell.state), quoted(&cell.sentence));
                format!("{{\"exercise\":\"{exercise}\",\"state\":{state},\"sentence\":{sentence}}}")
            })
            .collect();
        let problem = cells.as_ref().err().map_or("null".to_owned(), |why| quoted(&printable(why)));
        println!(
            "  {{\"folder\":{},\"problem\":{problem},\"exercises\":[{}]}}{}",
            quoted(&self.names[row]),
            exercises.join(","),
            if is_last { "" } else { "," }
        );
    }
}

/// What others have chosen must not steer the terminal.
fn printable(text: &str) -> String {
    let is_plain = |letter: char| "'\"\\".contains(letter) || letter.escape_debug().count() == 1;
    text.chars().map(|letter| if is_plain(letter) { letter } else { '\u{fffd}' }).collect()
}
