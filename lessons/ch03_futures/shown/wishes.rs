//! Two generators on a scheduler that only knows two wishes: one waits for the other, and is resumed in vain.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

/// What a generator of chapter 2 can wish for.
enum When {
    Now,
    AfterSeconds(u64),
}

enum Resumed {
    Yielded(When),
    Complete(String),
}

use Resumed::{Complete, Yielded};

trait Generator {
    fn resume(&mut self) -> Resumed;
}

/// Where Bob puts a number for Ann.
type Post = Rc<Cell<Option<u32>>>;

/// Sleeps for three seconds, then puts 42 into the post.
struct Bob {
    post: Post,
    has_slept: bool,
}

impl Generator for Bob {
    fn resume(&mut self) -> Resumed {
        if !self.has_slept {
            self.has_slept = true;
            return Yielded(When::AfterSeconds(3));
        }
        self.post.set(Some(42));
        Complete("Bob: sent 42".to_owned())
    }
}

/// Waits until a number is in the post.
struct Ann {
    post: Post,
    resumes: u32,
}

impl Generator for Ann {
    fn resume(&mut self) -> Resumed {
        self.resumes += 1;
        match self.post.get() {
            None => Yielded(When::Now),
            Some(number) => Complete(format!("Ann: got {number}, resumed {} times", self.resumes)),
        }
    }
}

/// The scheduler of chapter 2, on a clock that shows a millisecond more after each resume.
fn run(generators: Vec<Box<dyn Generator>>) {
    let mut ready: VecDeque<_> = generators.into();
    let mut sleepers: Vec<(u64, _)> = Vec::new();
    let mut now = 0;
    while !ready.is_empty() || !sleepers.is_empty() {
        if ready.is_empty() {
            now = now.max(sleepers[0].0);
        }
        while sleepers.first().is_some_and(|(deadline, _)| *deadline <= now) {
            ready.push_back(sleepers.remove(0).1);
        }
        let Some(mut generator) = ready.pop_front() else { continue };
        match generator.resume() {
            Yielded(When::Now) => ready.push_back(generator),
            Yielded(When::AfterSeconds(time)) => {
                let deadline = now + 1000 * time;
                let place = sleepers.partition_point(|(other, _)| *other <= deadline);
                sleepers.insert(place, (deadline, generator));
            }
            Complete(word) => println!("{word}"),
        }
        now += 1;
    }
}

fn main() {
    let post = Post::default();
    run(vec![Box::new(Ann { post: post.clone(), resumes: 0 }), Box::new(Bob { post, has_slept: false })]);
}
