//! Breaks rule 10.6: it takes the end of a message off the line and goes on waiting for it.

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
            if let Piece::Text(text) = self.line.piece().await {
                self.text.push_str(&text);
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
