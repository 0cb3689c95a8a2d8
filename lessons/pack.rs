//! `pack ch05 DIR`: chapters as they are handed out, in a folder that is complete: without solutions, without wrong
//! answers, and without what is for the teacher.

use std::fs;
use std::path::{Path, PathBuf};

use crate::course::{CHAPTERS, Chapter, root};

/// What a pack has of the top level.
const TOP: [&str; 8] =
    ["Cargo.toml", "Cargo.lock", "LICENSE", "README.md", ".gitignore", ".rustfmt.toml", "src", "lessons"];

/// Of all chapters: what gives answers away, and the exercises, which are handed out anew.
const KEPT_BACK: [&str; 3] = ["solutions", "wrong", "exercises"];

/// Of a chapter that is read, and whose exercises are not handed out: these as well.
const OF_EXERCISES: [&str; 2] = ["given", "checks"];

const FOR_TEACHERS: [&str; 4] = ["TEACHING.md", "SUMMARY.md", "book.toml", "book.css"];

/// Writes the pack.
///
/// # Errors
/// A sentence. Then nothing is left behind.
pub fn pack(chapters: &[&'static Chapter], folder: &Path) -> Result<(), String> {
    let sorry = |path: &Path, error: std::io::Error| format!("{} cannot be written: {error}.", path.display());
    let is_new = !folder.exists();
    if !is_new && fs::read_dir(folder).map_err(|error| sorry(folder, error))?.next().is_some() {
        return Err(format!("{} has something in it: name a folder that is new or empty.", folder.display()));
    }
    let mut files = Vec::new();
    for name in TOP {
        list(&root().join(name), chapters, &mut files).map_err(|error| sorry(folder, error))?;
    }
    // The documentation of src has a page in tests.
    for name in ["tests/common", "tests/types.md"] {
        list(&root().join(name), chapters, &mut files).map_err(|error| sorry(folder, error))?;
    }
    for chapter in chapters {
        files.push(root().join(format!("tests/{}.rs", chapter.name)));
    }
    let write_all = || {
        let mut bytes = 0;
        for file in &files {
            let to = folder.join(file.strip_prefix(root()).expect("it was listed below"));
            bytes += write(file, &to, chapters).map_err(|error| sorry(&to, error))?;
        }
        for exercise in chapters.iter().flat_map(|chapter| chapter.exercises()) {
            let to = folder.join(exercise.path());
            bytes += write(&exercise.file("given"), &to, chapters).map_err(|error| sorry(&to, error))?;
        }
        Ok(bytes)
    };
    match write_all() {
        Ok(bytes) => {
            let names: Vec<String> = chapters.iter().map(|chapter| chapter.short()).collect();
            println!("{}: {}, {} KB. Students begin with:", folder.display(), names.join(", "), bytes / 1024);
            println!("  cargo run -- check {}", names[0]);
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

/// The files to be copied of a file or folder of the course.
fn list(path: &Path, chapters: &[&Chapter], files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let parent = path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
    let is_kept_back = CHAPTERS.iter().find(|chapter| chapter.name == parent).is_some_and(|chapter| {
        let is_handed_out = chapters.iter().any(|other| other.number == chapter.number);
        KEPT_BACK.contains(&name) || !is_handed_out && OF_EXERCISES.contains(&name)
    });
    let kind = fs::symlink_metadata(path)?;
    if is_kept_back || FOR_TEACHERS.contains(&name) {
        return Ok(());
    }
    if kind.is_file() {
        files.push(path.to_owned());
    } else if kind.is_dir() {
        let mut entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
        entries.sort();
        for entry in entries {
            list(&entry, chapters, files)?;
        }
    }
    Ok(())
}

/// Copies a file. The manifest names the exercises that are handed out, and no page leads to the teacher's.
fn write(from: &Path, to: &Path, chapters: &[&Chapter]) -> std::io::Result<usize> {
    fs::create_dir_all(to.parent().expect("it is in the pack"))?;
    let mut bytes = fs::read(from)?;
    let is_manifest = from == root().join("Cargo.toml");
    if is_manifest || from.extension().is_some_and(|end| end == "md") {
        let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        bytes = if is_manifest { manifest(&text, chapters) } else { without_teaching(&text) }.into_bytes();
    }
    fs::write(to, &bytes)?;
    Ok(bytes.len())
}

fn manifest(text: &str, chapters: &[&Chapter]) -> String {
    let is_left = |block: &&str| {
        let path = block.lines().find_map(|line| line.strip_prefix("path = \"lessons/"));
        let of = path.and_then(|path| path.split_once("/checks/"));
        of.is_none_or(|(name, _)| chapters.iter().any(|chapter| chapter.name == name))
    };
    text.split("\n\n").filter(is_left).collect::<Vec<_>>().join("\n\n")
}

/// `[for the teacher](lessons/TEACHING.md)` becomes its text.
fn without_teaching(text: &str) -> String {
    let mut pieces = text.split("TEACHING.md)");
    let mut all = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        if let Some((before, link)) = all.rsplit_once('[') {
            let name = link.split("](").next().unwrap_or_default();
            all = format!("{before}{name} (not in this pack)");
        }
        all += piece;
    }
    all
}
