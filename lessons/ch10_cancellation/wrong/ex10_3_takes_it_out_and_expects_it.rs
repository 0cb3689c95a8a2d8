//! Breaks rule 10.6: it takes the text out of the inbox at the beginning, and after a drop expects it to be there.

use crate::line::{Line, Piece};

/// Puts the pieces that come over a line together.
pub struct Inbox {
    line: Line,
    /// The text that has come, of the message that is next.
    text: Option<String>,
    /// The end of that message has come.
    is_whole: bool,
}

impl Inbox {
    pub fn new(line: Line) -> Self {
        Inbox { line, text: Some(String::new()), is_whole: false }
    }

    /// The next message.
    pub async fn message(&mut self) -> String {
        let mut message = self.text.take().unwrap();
        while !self.is_whole {
            match self.line.piece().await {
                Piece::Text(text) => message.push_str(&text),
                Piece::End => self.is_whole = true,
            }
        }
        self.line.confirm().await;
        self.is_whole = false;
        self.text = Some(String::new());
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
