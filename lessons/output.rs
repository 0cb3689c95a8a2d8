//! Standard output for the programs, without the panic that std's `println!` has for a closed pipe.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write, stdout};
use std::process::exit;

/// Writes one line. Where nobody reads any more the process ends in silence; any other failure is a sentence.
pub fn line(text: Arguments<'_>) {
    let written = writeln!(stdout(), "{text}");
    match written {
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
