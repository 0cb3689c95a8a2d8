//! The stage, counted: sleeps of 1, 2, … n seconds, a task each, and main, which joins their handles.

use std::cell::RefCell;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Mutex;

use stage::{Clock, EventLoop, Task, Time, do_some_work, join};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn listen(event: &str, _: &'static Location<'static>) {
    TOLD.with_borrow_mut(|told| told.push(event.to_owned()));
}

/// How many lines there are with this word, about main or about the others.
fn count(word: &str, main: &str, is_main: bool) -> usize {
    let fits = |event: &String| event.split_once(' ').is_some_and(|two| two.0 == word && (two.1 == main) == is_main);
    TOLD.with_borrow(|told| told.iter().filter(|event| fits(event)).count())
}

/// All handles as one future.
fn joined<'a>(tasks: Vec<Task<String>>) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    tasks.into_iter().fold(Box::pin(async {}), |others, task| {
        Box::pin(async move {
            join(others, task).await.1.unwrap();
        })
    })
}

fn main() {
    stage::PLAYER.get_or_init(|| listen);
    println!("sleeps  polls of the tasks  polls of main  clones for timers  clones for handles");
    for number in [1, 3, 10, 20] {
        TOLD.take();
        let clock = Clock::new(Time::Virtual(Mutex::default()));
        let event_loop = EventLoop::new(&clock);
        let tasks = (1..=number).map(|second| event_loop.spawn("work", do_some_work(&clock, second))).collect();
        event_loop.run_until_complete(joined(tasks));
        let main = (number + 1).to_string();
        let [of_tasks, of_main] = [false, true].map(|is_main| count("poll", &main, is_main));
        let [timers, handles] = [false, true].map(|is_main| count("clone", &main, is_main));
        println!("{number:6} {of_tasks:19} {of_main:14} {timers:18} {handles:19}");
    }
}
