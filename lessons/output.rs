//! Standard output for the programs, without the panic that std's `println!` has for a closed pipe. While the player
//! records, a line goes to the recorder instead.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write, stdout};
use std::process::exit;
use std::sync::Mutex;

use handloop::record::Recorder;

static RECORDER: Mutex<Option<Recorder>> = Mutex::new(None);

/// From now on lines are notes of this recorder; `None`: they are printed.
pub fn record(recorder: Option<Recorder>) {
    *RECORDER.lock().expect("nobody panics while it holds this") = recorder;
}

/// Writes one line.
#[track_caller]
pub fn line(text: Arguments<'_>) {
    let recorder = RECORDER.lock().expect("nobody panics while it holds this").clone();
    match recorder {
        Some(recorder) => recorder.note(text.to_string()),
        None => written(writeln!(stdout(), "{text}")),
    }
}

/// Where nobody reads any more the process ends in silence; any other failure is a sentence.
pub fn written(outcome: std::io::Result<()>) {
    match outcome {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => exit(0),
        Err(error) => {
            // If stderr is closed too there is nobody left to tell.
            let _ = writeln!(std::io::stderr(), "handloop: standard output cannot be written: {error}.");
            exit(1)
        }
    }
}

/// std's `println!`, but for its panic.
macro_rules! println {
    () => { crate::output::line(format_args!("")) };
    ($($text:tt)+) => { crate::output::line(format_args!($($text)+)) };
}
