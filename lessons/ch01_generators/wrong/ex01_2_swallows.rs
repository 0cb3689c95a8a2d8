//! Breaks rule 1.4: it resumes the second generator when the first completes, and throws away what that yields.

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
        let a = match self.result {
            Some(a) => a,
            None => match self.first.resume() {
                Resumed::Yielded(number) => return Resumed::Yielded(number),
                Resumed::Complete(a) => {
                    let _ = self.second.resume();
                    *self.result.insert(a)
                }
            },
        };
        match self.second.resume() {
            Resumed::Yielded(number) => Resumed::Yielded(number),
            Resumed::Complete(b) => Resumed::Complete((a, b)),
        }
    }
}
