//! One that is always ready, and one that sleeps: with a look before each resume, and with a look when nobody is ready.

use std::collections::VecDeque;

#[derive(PartialEq)]
enum Task {
    /// Works for a second in each resume, and wants to go on now.
    Busy { resumes_left: u32 },
    /// Slept until second 2, and is complete when it is resumed.
    Sleeper,
}

fn run(looks_before_each_resume: bool) {
    let mut now = 0;
    let mut ready = VecDeque::from([Task::Busy { resumes_left: 20 }]);
    let mut sleepers = vec![(2, Task::Sleeper)];
    while !ready.is_empty() || !sleepers.is_empty() {
        if looks_before_each_resume || ready.is_empty() {
            while sleepers.first().is_some_and(|(deadline, _)| *deadline <= now) {
                ready.push_back(sleepers.remove(0).1);
            }
        }
        match ready.pop_front() {
            Some(Task::Busy { resumes_left }) => {
                now += 1;
                if resumes_left > 1 {
                    ready.push_back(Task::Busy { resumes_left: resumes_left - 1 });
                }
            }
            Some(Task::Sleeper) => println!("its deadline was 2 s, and it is resumed at {now} s"),
            None => {}
        }
    }
}

fn main() {
    run(true);
    run(false);
}
