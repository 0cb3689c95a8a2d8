//! A file that is written whole, or not at all.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes `text` to a new file beside `path`, and gives it that name when all of it is there.
///
/// # Errors
/// A sentence. Then what was at `path` before is there still, and nothing else is left behind.
pub fn write_whole(path: &Path, text: &str) -> Result<(), String> {
    if path.as_os_str().is_empty() {
        return Err("The name of the file to write is empty.".to_owned());
    }
    let name = path.file_name().ok_or_else(|| sorry(path, "it does not name a file"))?;
    // A device, a pipe or a folder must not be replaced by a file.
    if fs::metadata(path).is_ok_and(|known| !known.is_file()) {
        return Err(sorry(path, "there is something of that name that is no file"));
    }
    let mut beside = name.to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    let beside = path.with_file_name(beside);
    let part = Part(&beside);
    write(&beside, text).and_then(|()| fs::rename(&beside, path)).map_err(|error| sorry(path, &error.to_string()))?;
    std::mem::forget(part);
    Ok(())
}

fn write(path: &PathBuf, text: &str) -> std::io::Result<()> {
    let mut file = fs::File::options().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Removes what a failure leaves.
struct Part<'a>(&'a PathBuf);

impl Drop for Part<'_> {
    fn drop(&mut self) {
        // It may not even have been made.
        let _ = fs::remove_file(self.0);
    }
}

fn sorry(path: &Path, why: &str) -> String {
    format!("{} cannot be written: {why}.", path.display())
}
