//! Breaks rule 1.1: it yields the number that it was at, and so begins with 0.

pub enum Resumed<Y, R> {
    Yielded(Y),
    Complete(R),
}

pub struct Ticks {
    /// The last number that it yields.
    pub last: u32,
    /// The number that it yielded before it paused; 0 at the start.
    pub at: u32,
}

impl Ticks {
    pub fn new(last: u32) -> Self {
        Ticks { last, at: 0 }
    }

    pub fn resume(&mut self) -> Resumed<u32, &'static str> {
        if self.at == self.last {
            return Resumed::Complete("done");
        }
        self.at += 1;
        Resumed::Yielded(self.at - 1)
    }
}
