//! `pack ch05 DIR`: chapters as they are handed out, in a folder that is complete: without solutions, without wrong
//! answers, without what is for the teacher, and without the one dependency, which no exercise needs.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::course::{CHAPTERS, Chapter, root};

/// What a pack has besides the exercises. A folder comes whole; whatever else lies in the course stays there.
const PARTS: [&str; 12] = [
    "Cargo.toml",
    "Cargo.lock",
    "LICENSE",
    "README.md",
    ".gitignore",
    ".rustfmt.toml",
    ".vscode",
    "src",
    // The documentation of src has a page in tests.
    "tests/types.md",
    "tests/common",
    "lessons/checker",
    "lessons/player",
];

/// The same, of the folder `lessons`: besides the source of the front door.
const PAGES: [&str; 4] = ["README.md", "FROM_ASYNCIO.md", "FROM_TOKIO.md", "programs"];

/// Of each chapter, and for the exercises of those that are handed out.
const TO_READ: [&str; 5] = ["README.md", "stage.rs", "run.html", "shown", "errors"];
const OF_EXERCISES: [&str; 2] = ["given", "checks"];

/// Writes the pack.
///
/// # Errors
/// A sentence. Then nothing is left behind.
pub fn pack(chapters: &[&'static Chapter], folder: &Path) -> Result<(), String> {
    let is_new = !folder.exists();
    refuse(folder)?;
    let pack = Pack { chapters, files: files(chapters).map_err(|error| sorry(root(), &error))? };
    match pack.write(folder) {
        Ok(bytes) => {
            println!("{}: {}, {} KB. Students begin with:", folder.display(), pack.names(), bytes / 1024);
            println!("  cargo run -- check {}", chapters[0].short());
            Ok(())
        }
        Err(sentence) => {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let _ = fs::remove_dir_all(entry.path()).or_else(|_| fs::remove_file(entry.path()));
            }
            if is_new {
                let _ = fs::remove_dir(folder);
            }
            Err(sentence)
        }
    }
}

fn sorry(path: &Path, error: &std::io::Error) -> String {
    format!("{} cannot be packed: {error}.", path.display())
}

/// A pack is a new folder, outside of the course: in it, it would be found by cargo and by the next pack.
fn refuse(folder: &Path) -> Result<(), String> {
    if folder.as_os_str().is_empty() {
        return Err("The name of the folder is empty.".to_owned());
    }
    let known = folder.ancestors().find_map(|part| {
        let part = if part.as_os_str().is_empty() { Path::new(".") } else { part };
        part.canonicalize().ok()
    });
    if known.is_some_and(|known| root().canonicalize().is_ok_and(|root| known.starts_with(root))) {
        return Err(format!("{} lies in the course: name a folder outside of it.", folder.display()));
    }
    if folder.exists() && fs::read_dir(folder).map_err(|error| sorry(folder, &error))?.next().is_some() {
        return Err(format!("{} has something in it: name a folder that is new or empty.", folder.display()));
    }
    Ok(())
}

/// The files to be copied.
fn files(chapters: &[&Chapter]) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for part in PARTS {
        list(&root().join(part), &mut files)?;
    }
    let lessons = root().join("lessons");
    for page in PAGES {
        list(&lessons.join(page), &mut files)?;
    }
    list(&lessons.join("ch00_start"), &mut files)?;
    let of_type = |folder: &Path, end: &str| -> std::io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
        Ok(entries.into_iter().filter(|path| path.extension().is_some_and(|other| other == end)).collect())
    };
    files.extend(of_type(&lessons, "rs")?);
    for chapter in CHAPTERS {
        let folder = lessons.join(chapter.name);
        let is_handed_out = chapters.iter().any(|other| other.number == chapter.number);
        let parts = TO_READ.iter().chain(OF_EXERCISES.iter().filter(|_| is_handed_out));
        for part in parts {
            list(&folder.join(part), &mut files)?;
        }
        files.extend(of_type(&folder, "svg")?);
        if is_handed_out {
            files.push(root().join(format!("tests/{}.rs", chapter.name)));
        }
    }
    files.sort();
    Ok(files)
}

fn list(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let kind = fs::symlink_metadata(path)?;
    if kind.is_file() {
        files.push(path.to_owned());
    } else if kind.is_dir() {
        for entry in fs::read_dir(path)? {
            list(&entry?.path(), files)?;
        }
    }
    Ok(())
}

struct Pack<'a> {
    chapters: &'a [&'static Chapter],
    files: Vec<PathBuf>,
}

impl Pack<'_> {
    fn names(&self) -> String {
        self.chapters.iter().map(|chapter| chapter.short()).collect::<Vec<_>>().join(", ")
    }

    /// How many bytes it has.
    fn write(&self, folder: &Path) -> Result<usize, String> {
        let exercises = self.chapters.iter().flat_map(|chapter| chapter.exercises());
        let handed_out = exercises.map(|exercise| (exercise.file("given"), PathBuf::from(exercise.path())));
        let own = self.files.iter().map(|file| (file.clone(), within(file).to_owned()));
        let mut all = 0;
        for (from, to) in own.chain(handed_out) {
            let to = folder.join(to);
            all += self.copy(&from, &to).map_err(|error| sorry(&to, &error))?;
        }
        Ok(all)
    }

    fn copy(&self, from: &Path, to: &Path) -> std::io::Result<usize> {
        fs::create_dir_all(to.parent().expect("it is in the pack"))?;
        let mut bytes = fs::read(from)?;
        let text = || String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        let changed = match within(from).to_str() {
            Some("Cargo.toml") => Some(self.manifest(&text())),
            Some("Cargo.lock") => Some(lock(&text())),
            Some("README.md") => Some(self.front_page()),
            Some("lessons/README.md") => Some(self.linked(from, &self.map(&text()))),
            Some(name) if name.ends_with(".md") => Some(self.linked(from, &text())),
            _ => None,
        };
        bytes = changed.map_or(bytes, String::into_bytes);
        fs::write(to, &bytes)?;
        Ok(bytes.len())
    }

    /// Its targets are the exercises that are handed out, and it needs nothing from elsewhere.
    fn manifest(&self, text: &str) -> String {
        let is_left = |block: &&str| {
            let path = block.lines().find_map(|line| line.strip_prefix("path = \"lessons/"));
            let of = path.and_then(|path| path.split_once("/checks/"));
            let is_here = of.is_none_or(|(name, _)| self.chapters.iter().any(|chapter| chapter.name == name));
            is_here && !block.starts_with("[dev-dependencies]")
        };
        text.split("\n\n").filter(is_left).collect::<Vec<_>>().join("\n\n")
    }

    fn front_page(&self) -> String {
        let first = self.chapters[0];
        let (name, short) = (first.name, first.short());
        format!(
            "# handloop\n\nA hand-written asyncio in Rust, and the course that builds it up. This is a pack of it: the \
             exercises of {}, and all lessons to read.\n\nYou need Rust 1.85 or later, and no network. Begin with the \
             [lesson](lessons/{name}/README.md):\n\n```sh\ncargo run -- {short} --step      # the chapter's program, step \
             by step\ncargo run -- check {short}       # the three exercises: a sentence each, and the next hint\n\
             cargo run -- --help           # what else there is\n```\n\nThe way through a chapter is in \
             [lessons/README.md](lessons/README.md).\n",
            self.names()
        )
    }

    fn map(&self, text: &str) -> String {
        let (title, rest) = text.split_once("\n\n").unwrap_or((text, ""));
        format!(
            "{title}\n\n> This is a pack of {}. What this page says of other exercises, of solutions, wrong answers and \
             the book is true of the whole course, and not here.\n\n{rest}",
            self.names()
        )
    }

    /// A link to what is not in the pack becomes its text.
    fn linked(&self, page: &Path, text: &str) -> String {
        let folder = within(page).parent().unwrap_or(Path::new("")).to_owned();
        let mut all = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("](") {
            let (before, after) = (&rest[..at], &rest[at + 2..]);
            let Some(end) = after.find(')') else { break };
            let target = after[..end].split('#').next().unwrap_or_default();
            if let (false, Some(open)) = (self.has(&folder, target), before.rfind('[')) {
                all += &before[..open];
                all += &before[open + 1..];
            } else {
                all += &rest[..at + 2 + end + 1];
            }
            rest = &after[end + 1..];
        }
        all + rest
    }

    fn has(&self, folder: &Path, target: &str) -> bool {
        if target.is_empty() || target.contains(':') {
            return true;
        }
        let mut path = PathBuf::new();
        for part in folder.join(target).components() {
            match part {
                Component::ParentDir => _ = path.pop(),
                Component::CurDir => {}
                part => path.push(part),
            }
        }
        // The exercises are handed out anew.
        let is_exercise =
            |chapter: &&Chapter| path.starts_with(Path::new("lessons").join(chapter.name).join("exercises"));
        self.files.iter().any(|file| within(file).starts_with(&path)) || self.chapters.iter().any(is_exercise)
    }
}

/// The path in the course.
fn within(path: &Path) -> &Path {
    path.strip_prefix(root()).expect("it is a file of the course")
}

/// What is locked is this package alone.
fn lock(text: &str) -> String {
    let mut blocks = text.split("\n\n");
    let head = blocks.next().unwrap_or_default();
    let own = blocks.find(|block| block.contains("name = \"handloop\"")).unwrap_or_default();
    let own = own.split("dependencies = [").next().unwrap_or_default();
    format!("{head}\n\n{}\n", own.trim_end())
}
