//! What the tests of the course have in common.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folders of the chapters that have exercises, in order; of this course, or of a copy.
pub fn chapters(root: &Path) -> Vec<PathBuf> {
    let mut chapters: Vec<PathBuf> =
        fs::read_dir(root.join("lessons")).unwrap().map(|entry| entry.unwrap().path()).collect();
    chapters.retain(|path| path.join("given").is_dir());
    chapters.sort();
    assert!(!chapters.is_empty());
    chapters
}

/// The real binary, on no terminal, as somebody in `folder` starts it.
pub fn handloop_in(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handloop"));
    command.current_dir(folder).args(arguments).env_remove("COLUMNS").stdin(Stdio::null()).output().unwrap()
}

pub fn handloop(arguments: &[&str]) -> Output {
    handloop_in(root(), arguments)
}

/// Whether a file compiles, and what the compiler says.
pub fn rustc(arguments: &[&str], source: &Path, output: &Path) -> (bool, String) {
    let mut command = Command::new("rustc");
    command.args(["--edition", "2024", "--color", "never"]).args(arguments).arg("-o").args([output, source]);
    let output = command.stdin(Stdio::null()).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).replace("\r\n", "\n"))
}

/// A folder of its own for a test, gone at its end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("handloop-{name}-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    pub fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    pub fn names(&self) -> Vec<String> {
        fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Calls `work` for all of them, two at a time. The results have the order of the items.
pub fn two_at_a_time<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let left = Mutex::new(items.iter().enumerate());
    let results = Mutex::new(Vec::new());
    let work_off = || {
        loop {
            let next = left.lock().unwrap().next();
            let Some((place, item)) = next else { return };
            let result = work(item);
            results.lock().unwrap().push((place, result));
        }
    };
    thread::scope(|scope| (0..2).for_each(|_| _ = scope.spawn(work_off)));
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}
