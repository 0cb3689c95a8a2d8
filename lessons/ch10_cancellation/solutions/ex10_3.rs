//! Exercise 10.3, solved.
//!
//! The future of `message` took pieces off the line and kept them in a local variable across an await. A local variable
//! is in the future, and is dropped with it. The plan: the first piece comes at 1 s, the future is dropped at 2 s, and
//! the message consists of what came after that.
//!
//! Repaired, a piece goes into the `Inbox` in the poll in which it leaves the line, and the message leaves the `Inbox`
//! in the poll in which it is given out. No await is between the two halves of either step, so the future can be dropped
//! at each await and holds nothing. The end of a message is a piece as well. Whoever keeps the text and forgets that its
//! end has come waits for another end after a drop in `confirm`, and makes one message of two.
//!
//! tokio's documentation says of each method whether it is cancel safe. `AsyncReadExt::read_exact` is not: it returns
//! the bytes only when all are there. `Lines::next_line` is: what has come of a line is kept in the `Lines`.

use crate::line::{Line, Piece};

/// Puts the pieces that come over a line together.
pub struct Inbox {
    line: Line,
    /// The text that has come, of the message that is next.
    text: String,
    /// The end of that message has come.
    is_whole: bool,
}

impl Inbox {
    pub fn new(line: Line) -> Self {
        Inbox { line, text: String::new(), is_whole: false }
    }

    /// The next message.
    pub async fn message(&mut self) -> String {
        while !self.is_whole {
            match self.line.piece().await {
                Piece::Text(text) => self.text.push_str(&text),
                Piece::End => self.is_whole = true,
            }
        }
        self.line.confirm().await;
        self.is_whole = false;
        std::mem::take(&mut self.text)
    }
}

/// A plan with which a message is lost, or a part of one.
pub fn reproduce() -> Plan {
    Plan { limit: 2, seconds: vec![1, 3, 3] }
}

/// What happens, and when.
#[derive(Clone, Debug)]
pub struct Plan {
    /// After so many seconds, 2 or more, the future of a message is dropped.
    pub limit: u64,
    /// In which second each piece comes: three for each message, the earliest first.
    pub seconds: Vec<u64>,
}
