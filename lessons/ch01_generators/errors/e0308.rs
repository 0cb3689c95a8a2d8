//! E0308

pub enum Resumed<Y, R> {
    Yielded(Y),
    Complete(R),
}

/// Yields 2, 4, 8, … and is never complete.
pub struct Doubles {
    pub at: u32,
}

impl Doubles {
    pub fn resume(&mut self) -> Resumed<u32, ()> {
        self.at *= 2;
        self.at
    }
}

fn main() {
    Doubles { at: 1 }.resume();
}
