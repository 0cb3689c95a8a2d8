//! Exercise 10.3, find the bug: about 15 minutes.
//!
//! A message comes over a line in pieces: two of text, and then its end. `Inbox` puts them together, confirms the
//! message, which takes one second, and gives it out. The reader has other work to do as well. So it waits for a message
//! with a limit: when the time is over, the future of `message` is dropped, and the reader calls `message` again. It was
//! tried out with a limit of 10 seconds. Then somebody made the limit short, and messages came out wrong, or not at
//! all.
//!
//! 1. Reproduce it: let `reproduce` return a plan with which this `Inbox` does not give out each message as it was sent.
//! 2. Repair `Inbox`, so that it loses nothing, wherever the future is dropped. Each message is given out once, in the
//!    order in which they came, and after it was confirmed.
//!
//! The check brings the line along, and a virtual clock. `line.piece()` is a future of the next piece, and takes it off
//! the line in the poll in which it is ready. `line.confirm()` is ready one second after its first poll; when it is
//! dropped before, nothing was confirmed. Check it with `cargo run -- check ch10 3`.

use crate::line::{Line, Piece};

/// Puts the pieces that come over a line together.
pub struct Inbox {
    line: Line,
}

impl Inbox {
    pub fn new(line: Line) -> Self {
        Inbox { line }
    }

    /// The next message.
    pub async fn message(&mut self) -> String {
        let mut message = String::new();
        while let Piece::Text(text) = self.line.piece().await {
            message.push_str(&text);
        }
        self.line.confirm().await;
        message
    }
}

/// A plan with which a message is lost, or a part of one.
pub fn reproduce() -> Plan {
    Plan { limit: 10, seconds: vec![1, 2, 3, 5, 6, 7] }
}

/// What happens, and when.
#[derive(Clone, Debug)]
pub struct Plan {
    /// After so many seconds, 2 or more, the future of a message is dropped.
    pub limit: u64,
    /// In which second each piece comes: three for each message, the earliest first.
    pub seconds: Vec<u64>,
}
