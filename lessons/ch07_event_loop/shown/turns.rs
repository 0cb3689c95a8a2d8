//! Task 1 wakes itself in each poll, tasks 2, 3 and 4 are ready in their first: how three loops treat them. A model.

use std::collections::VecDeque;

/// No loop of this program polls more often: one that would go on for ever ends here.
const BOUND: usize = 1000;

/// The polls of each task, and the ready queue.
struct Loop {
    polls: [usize; 4],
    ready: VecDeque<usize>,
}

impl Loop {
    fn poll(&mut self, number: usize) {
        self.polls[number - 1] += 1;
        if number == 1 {
            self.ready.push_back(1);
        }
    }

    fn is_at_the_bound(&self) -> bool {
        self.polls.iter().sum::<usize>() == BOUND
    }

    fn from_the_end(&mut self) {
        while let Some(number) = self.ready.pop_back() {
            self.poll(number);
            if self.is_at_the_bound() {
                return;
            }
        }
    }

    fn until_it_is_empty(&mut self) {
        while let Some(number) = self.ready.pop_front() {
            self.poll(number);
            if self.is_at_the_bound() {
                return;
            }
        }
    }

    fn batch(&mut self) {
        for _ in 0..self.ready.len() {
            if let Some(number) = self.ready.pop_front() {
                self.poll(number);
            }
        }
    }
}

fn main() {
    let turns: [(&str, fn(&mut Loop)); 3] = [
        ("the last entry first", Loop::from_the_end),
        ("until it is empty", Loop::until_it_is_empty),
        ("a batch", Loop::batch),
    ];
    println!("                      polls of 1  of 2  of 3  of 4  the turn");
    for (name, turn) in turns {
        let mut model = Loop { polls: [0; 4], ready: VecDeque::from([2, 3, 4, 1]) };
        turn(&mut model);
        let [one, two, three, four] = model.polls;
        let end = if model.is_at_the_bound() { "goes on" } else { "is over" };
        println!("{name:20} {one:11} {two:5} {three:5} {four:5}  {end}");
    }
}
