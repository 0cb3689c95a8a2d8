//! Breaks rule 1.2: it counts in a variable of its own, which is gone after the pause.

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
        let mut at = self.at;
        if at == self.last {
            return Resumed::Complete("done");
        }
        at += 1;
        Resumed::Yielded(at)
    }
}
