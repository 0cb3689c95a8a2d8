//! Breaks rule 10.6: its `reproduce` is right, and nothing is repaired.

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
