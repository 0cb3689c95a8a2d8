//! Breaks rule 1.3: it has no state of its own: it asks the first generator each time, also after its end.

pub enum Resumed<Y, R> {
    Yielded(Y),
    Complete(R),
}

pub trait Generator {
    fn resume(&mut self) -> Resumed<u32, &'static str>;
}

pub struct Both<A, B> {
    first: A,
    second: B,
    /// What `first` completed with, once it has.
    result: Option<&'static str>,
}

impl<A: Generator, B: Generator> Both<A, B> {
    pub fn new(first: A, second: B) -> Self {
        Both { first, second, result: None }
    }

    pub fn resume(&mut self) -> Resumed<u32, (&'static str, &'static str)> {
        let a = match self.first.resume() {
            Resumed::Yielded(number) => return Resumed::Yielded(number),
            Resumed::Complete(a) => *self.result.insert(a),
        };
        match self.second.resume() {
            Resumed::Yielded(number) => Resumed::Yielded(number),
            Resumed::Complete(b) => Resumed::Complete((a, b)),
        }
    }
}
