//! The stage of chapter 1.

#[allow(dead_code, missing_docs)]
#[path = "../lessons/ch01_generators/stage.rs"]
mod stage;

use std::panic::Location;
use std::sync::Mutex;

use stage::{Announced, Countdown, Generator, Resumed};

use Resumed::{Complete, Yielded};

#[test]
fn a_countdown_yields_each_number_and_completes() {
    let mut countdown = Countdown::Start { from: 3 };
    for number in [3, 2, 1] {
        assert_eq!(countdown.resume(), Yielded(number));
    }
    assert_eq!(countdown.resume(), Complete("lift-off"));
}

#[test]
fn a_countdown_from_zero_completes_at_once() {
    assert_eq!(Countdown::Start { from: 0 }.resume(), Complete("lift-off"));
}

/// Rule 1.3.
#[test]
#[should_panic(expected = "a generator that is complete is not resumed")]
fn a_complete_generator_is_not_resumed() {
    let mut countdown = Countdown::Start { from: 0 };
    countdown.resume();
    countdown.resume();
}

/// Rules 1.4 and 1.5.
#[test]
fn delegation_passes_each_pause_on_and_goes_on_with_the_result() {
    let mut outer = Announced::Start { inner: Countdown::Start { from: 2 } };
    assert_eq!([outer.resume(), outer.resume()], [Yielded(2), Yielded(1)]);
    assert_eq!(outer.resume(), Complete("and lift-off".to_owned()));
}

/// Rules 1.6 and 1.7, on twenty generators.
#[test]
fn the_scheduler_takes_turns() {
    static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
    fn hear(event: &str, _: &'static Location<'static>) {
        if let Some(task) = event.strip_prefix("poll ") {
            SAID.lock().unwrap().push(task.to_owned());
        }
    }
    stage::PLAYER.get_or_init(|| hear);
    let names: Vec<String> = (1..=20).map(|n| n.to_string()).collect();
    let countdown = |from| Box::new(Announced::Start { inner: Countdown::Start { from } });
    // Each second one counts from 1, the others from 2.
    stage::run((0..20).zip(&names).map(|(n, name)| (name.as_str(), countdown(1 + n % 2) as Box<_>)).collect());
    let round = |every: usize| (1..=20).step_by(every).map(|n| n.to_string());
    let third = (2..=20).step_by(2).map(|n| n.to_string());
    let expected: Vec<String> = round(1).chain(round(1)).chain(third).collect();
    assert_eq!(*SAID.lock().unwrap(), expected);
}
