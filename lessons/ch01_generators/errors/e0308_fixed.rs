//! The twin of e0308.rs: the number is wrapped.

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
        Resumed::Yielded(self.at)
    }
}

fn main() {
    Doubles { at: 1 }.resume();
}
