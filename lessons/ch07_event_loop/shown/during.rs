//! When does an entry leave the ready queue? Tasks 1 and 2 are in it; the first poll of 1 wakes both. A model.

use std::collections::VecDeque;

#[derive(Default)]
struct Loop {
    ready: VecDeque<usize>,
    polls: [usize; 2],
}

impl Loop {
    /// A wake is an entry, unless there is one.
    fn wake(&mut self, number: usize) {
        if !self.ready.contains(&number) {
            self.ready.push_back(number);
        }
    }

    fn poll(&mut self, number: usize) {
        self.polls[number - 1] += 1;
        if number == 1 && self.polls[0] == 1 {
            self.wake(1);
            self.wake(2);
        }
    }

    fn after_its_poll(&mut self) {
        for _ in 0..self.ready.len() {
            self.poll(self.ready[0]);
            self.ready.pop_front();
        }
    }

    fn all_at_once(&mut self) {
        for number in std::mem::take(&mut self.ready) {
            self.poll(number);
        }
    }

    fn before_its_poll(&mut self) {
        for _ in 0..self.ready.len() {
            if let Some(number) = self.ready.pop_front() {
                self.poll(number);
            }
        }
    }
}

fn main() {
    let turns: [(&str, fn(&mut Loop)); 3] = [
        ("after its poll", Loop::after_its_poll),
        ("with all others, when the turn begins", Loop::all_at_once),
        ("before its poll", Loop::before_its_poll),
    ];
    println!("an entry leaves                        polls of 1  of 2");
    for (name, turn) in turns {
        let mut model = Loop::default();
        model.wake(1);
        model.wake(2);
        while !model.ready.is_empty() {
            turn(&mut model);
        }
        let [one, two] = model.polls;
        println!("{name:37} {one:11} {two:5}");
    }
}
