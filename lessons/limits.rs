//! A program that is run with a limit on its time, its memory and what it writes. It is no sandbox.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Result};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

pub struct Limits {
    pub time: Duration,
    /// In bytes, and for each process that it starts: `ulimit -v`, where the system has that.
    pub memory: u64,
}

/// No file that it writes, and neither stream, gets larger, in bytes. Of a stream so much is read.
const LARGEST_FILE: u64 = 64 << 20;
const MOST_READ: u64 = 1 << 20;

pub struct Ran {
    /// It was ended from here, and all that it had started with it.
    pub is_late: bool,
    pub has_succeeded: bool,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a program in `folder`, where both of its streams are kept.
pub fn run(program: &Path, arguments: &[&OsStr], folder: &Path, limits: &Limits) -> Result<Ran> {
    // Files, since a pipe that a grandchild keeps open would be read for ever.
    let streams = ["stdout.txt", "stderr.txt"].map(|name| folder.join(name));
    let [stdout, stderr] = [File::create(&streams[0])?, File::create(&streams[1])?];
    let mut command = limited(program, limits);
    command.args(arguments).current_dir(folder).stdout(stdout).stderr(stderr);
    let mut child = command.spawn()?;
    // Kept open to the end: see `limited`.
    let _input = child.stdin.take();
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    let status = loop {
        match child.try_wait()? {
            None if start.elapsed() < limits.time => thread::sleep(pause),
            status => break status,
        }
        pause = (pause * 2).min(Duration::from_millis(20));
    };
    // Also after its own end: what it has started may still run.
    end_all(&mut child);
    let text = |path: &Path| -> Result<String> {
        let mut bytes = Vec::new();
        File::open(path)?.take(MOST_READ).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok(Ran {
        is_late: status.is_none(),
        has_succeeded: status.is_some_and(|status| status.success()),
        stdout: text(&streams[0])?,
        stderr: text(&streams[1])?,
    })
}

#[cfg(unix)]
fn limited(program: &Path, limits: &Limits) -> Command {
    use std::os::unix::process::CommandExt;
    // A limit that the system does not have is left out: the time stays. The second line waits until the other end of its
    // input is closed, which nobody but this program has: so whatever way this ends, also by Ctrl-C, nothing runs on.
    let script = "ulimit -c 0 2>/dev/null; ulimit -v \"$1\" 2>/dev/null; ulimit -f \"$2\" 2>/dev/null; shift 2\n\
                  exec 3<&0 </dev/null; (read -r _ <&3; kill -s KILL -- \"-$$\") >/dev/null 2>&1 &\n\
                  exec \"$@\" 3<&-";
    let mut command = Command::new("sh");
    // `ulimit` counts memory in kilobytes, and files in blocks of 512 bytes.
    let counts = [limits.memory / 1024, LARGEST_FILE / 512].map(|count| count.to_string());
    command.arg("-c").arg(script).arg("sh").args(counts).arg(program).process_group(0).stdin(Stdio::piped());
    command
}

#[cfg(not(unix))]
fn limited(program: &Path, _limits: &Limits) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command
}

/// Ends the process and its group.
fn end_all(child: &mut Child) {
    if cfg!(unix) {
        let group = child.id().to_string();
        let script = ["-c", "kill -s KILL -- \"-$1\"", "sh", &group];
        // Where nothing of the group is left there is nobody to end.
        let _ =
            Command::new("sh").args(script).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
    let _ = child.kill();
    let _ = child.wait();
}
