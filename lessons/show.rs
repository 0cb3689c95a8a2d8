//! `show ch02 spins`: one of a chapter's small programs, compiled on its own and run; one that the compiler refuses, with
//! what it says.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::course::{Chapter, root};

/// Runs one of them, or lists what there is. Whether all went well.
///
/// # Errors
/// A sentence that says what is missing.
pub fn show(chapter: &Chapter, name: Option<&str>) -> Result<bool, String> {
    let all = programs(chapter);
    let Some(name) = name else {
        for path in &all {
            println!("cargo run -- show {} {:<12} {}", chapter.short(), stem(path), about(chapter, path));
        }
        return Ok(true);
    };
    let name = name.strip_suffix(".rs").unwrap_or(name);
    let name = name.rsplit('/').next().unwrap_or(name);
    let Some(file) = all.iter().find(|path| stem(path) == name) else {
        let names: Vec<&str> = all.iter().map(|path| stem(path)).collect();
        return Err(format!("Chapter {} has no program {name} to show: it has {}.", chapter.number, names.join(", ")));
    };
    let program = std::env::current_exe()
        .map_err(|error| format!("The folder of the program is not known: {error}."))?
        .with_file_name(format!(
            "shown-{}-{name}-{}{}",
            chapter.short(),
            std::process::id(),
            std::env::consts::EXE_SUFFIX
        ));
    let compile = |made: &Path, source: &Path, arguments: &[&OsStr]| {
        Command::new("rustc")
            .current_dir(root())
            .args(["--edition", "2024", "-o"])
            .args([made, source.strip_prefix(root()).unwrap_or(source)])
            .args(arguments)
            .stdin(Stdio::null())
            .status()
            .map(|status| status.success())
            .map_err(|error| format!("rustc cannot be started ({error}): cargo run -- doctor."))
    };
    // A program that measures the finished machine is compiled with it, and both are optimised.
    let library = program.with_file_name(format!("libshown-{}-{name}-{}.rlib", chapter.short(), std::process::id()));
    let uses_library = fs::read_to_string(file).is_ok_and(|text| text.contains("\nuse handloop::"));
    let named = ["--crate-name", "shown"].map(OsStr::new);
    let is_compiled = if uses_library {
        let mut handloop = OsString::from("handloop=");
        handloop.push(&library);
        let source = root().join("src/lib.rs");
        compile(&library, &source, &["-O", "--crate-type", "rlib", "--crate-name", "handloop"].map(OsStr::new))?
            && compile(&program, file, &[&named[..], &["-O", "--extern"].map(OsStr::new), &[&handloop]].concat())?
    } else {
        compile(&program, file, &named)?
    };
    let _ = fs::remove_file(&library);
    let is_refused = file.parent().is_some_and(|folder| folder.ends_with("errors")) && !name.ends_with("_fixed");
    if !is_compiled {
        return Ok(is_refused);
    }
    let status = Command::new(&program).status();
    let _ = fs::remove_file(&program);
    let status = status.map_err(|error| format!("{name} cannot be started: {error}."))?;
    Ok(status.success())
}

/// The files of `shown`, then those of `errors`.
fn programs(chapter: &Chapter) -> Vec<PathBuf> {
    let folder = root().join("lessons").join(chapter.name);
    let of = |folder: PathBuf| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "rs")).collect();
        files.sort();
        files
    };
    [of(folder.join("shown")), of(folder.join("errors"))].concat()
}

fn stem(path: &Path) -> &str {
    path.file_stem().and_then(|name| name.to_str()).unwrap_or_default()
}

/// What a program says of itself in its first line; of an error, the heading of its section in the lesson.
fn about(chapter: &Chapter, path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let first = text.lines().next().unwrap_or_default().trim_start_matches("//!").trim().to_owned();
    let before = chapter.lesson.split_once(&format!("(errors/{}.rs)", stem(path))).map(|(before, _)| before);
    let heading = before.and_then(|before| before.lines().rev().find_map(|line| line.strip_prefix("### ")));
    match heading.and_then(|heading| heading.strip_prefix(&first)?.strip_prefix(": ")) {
        Some(about) => format!("the compiler refuses it: {about}"),
        None => first,
    }
}
