//! Breaks rule 3.1: it polls for the next piece within one poll until it is there, so that nobody can drop it in between.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

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
            let piece = poll_fn(|context| {
                let mut piece = self.line.piece();
                loop {
                    if let Poll::Ready(piece) = Pin::new(&mut piece).poll(context) {
                        return Poll::Ready(piece);
                    }
                }
            });
            match piece.await {
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
