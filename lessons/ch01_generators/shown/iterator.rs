//! Any iterator is a generator whose result is `()`.

enum Resumed<Y, R> {
    Yielded(Y),
    Complete(R),
}

use Resumed::{Complete, Yielded};

trait Generator {
    type Yield;
    type Return;

    fn resume(&mut self) -> Resumed<Self::Yield, Self::Return>;
}

/// A generator that yields what an iterator gives.
struct Each<I>(I);

impl<I: Iterator> Generator for Each<I> {
    type Yield = I::Item;
    type Return = ();

    fn resume(&mut self) -> Resumed<I::Item, ()> {
        match self.0.next() {
            Some(item) => Yielded(item),
            None => Complete(()),
        }
    }
}

fn main() {
    let mut letters = Each("ab".chars());
    loop {
        match letters.resume() {
            Yielded(letter) => println!("yielded {letter}"),
            Complete(()) => break println!("complete"),
        }
    }
}
