//! The stage of chapter 3.

#[allow(dead_code, missing_docs)]
#[path = "../lessons/ch03_futures/stage.rs"]
mod stage;

use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use stage::{Clock, DoSomeWork, do_some_work};

const SECOND: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(500);

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// What the stage tells while this runs, on this thread.
fn told(code: impl FnOnce()) -> Vec<String> {
    fn hear(event: &str, _: &'static Location<'static>) {
        TOLD.with_borrow_mut(|told| told.push(event.to_owned()));
    }
    stage::PLAYER.get_or_init(|| hear);
    TOLD.take();
    code();
    TOLD.take()
}

/// Those that begin so, without the beginning.
fn only(beginning: &str, told: &[String]) -> Vec<String> {
    told.iter().filter_map(|event| event.strip_prefix(beginning)).map(str::to_owned).collect()
}

fn virtual_clock() -> Clock {
    Clock::Virtual(Cell::default())
}

fn poll<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

type Work<'a> = Pin<Box<dyn Future<Output = String> + 'a>>;

/// The same work, by hand and by the compiler.
fn both(clock: &Clock, x: u64) -> [Work<'_>; 2] {
    [Box::pin(DoSomeWork::Start { clock, x }), Box::pin(do_some_work(clock, x))]
}

/// Rules 3.1 and 3.3.
#[test]
fn both_machines_say_the_same_in_the_same_polls() {
    for x in [0, 1, 2, 20] {
        let clock = virtual_clock();
        let machines = both(&clock, x);
        for mut machine in machines {
            let start = clock.now();
            for second in 0..x {
                clock.wait_until(start + SECOND * second as u32);
                let events = told(|| assert!(poll(&mut machine).is_pending(), "{second} of {x}"));
                assert_eq!(events.len(), usize::from(second == 0), "only the first poll prints");
            }
            clock.wait_until(start + SECOND * x as u32);
            assert_eq!(poll(&mut machine), Poll::Ready(format!("Done after {x}s")));
        }
    }
}

/// Rule 3.1.
#[test]
fn nothing_runs_before_the_first_poll() {
    let clock = virtual_clock();
    assert_eq!(told(|| drop(both(&clock, 1))), [""; 0]);
    for mut machine in both(&clock, 1) {
        assert_eq!(told(|| drop(poll(&mut machine))), ["say waiting: 1"]);
    }
}

/// Rule 3.1: the deadline counts from the first poll.
#[test]
fn a_sleep_counts_from_the_first_poll() {
    let clock = virtual_clock();
    for mut machine in both(&clock, 1) {
        let made = clock.now();
        clock.wait_until(made + 5 * SECOND);
        assert!(poll(&mut machine).is_pending());
        clock.wait_until(made + 6 * SECOND - Duration::from_nanos(1));
        assert!(poll(&mut machine).is_pending());
        clock.wait_until(made + 6 * SECOND);
        assert!(poll(&mut machine).is_ready());
    }
}

/// Rule 3.6.
#[test]
fn polls_too_many_make_nothing_ready() {
    let clock = virtual_clock();
    for mut machine in both(&clock, 2) {
        let start = clock.now();
        for _ in 0..1_000 {
            assert!(poll(&mut machine).is_pending());
        }
        clock.wait_until(start + 2 * SECOND);
        assert!(poll(&mut machine).is_ready());
    }
}

/// Rule 3.2.
#[test]
#[should_panic(expected = "a future that is ready is not polled")]
fn the_machine_by_hand_is_not_polled_after_it_was_ready() {
    let clock = virtual_clock();
    let [mut by_hand, _] = both(&clock, 0);
    assert!(poll(&mut by_hand).is_ready());
    let _ = poll(&mut by_hand);
}

/// Rule 3.2.
#[test]
#[should_panic(expected = "`async fn` resumed after completion")]
fn the_machine_of_the_compiler_is_not_polled_after_it_was_ready() {
    let clock = virtual_clock();
    let [_, mut by_compiler] = both(&clock, 0);
    assert!(poll(&mut by_compiler).is_ready());
    let _ = poll(&mut by_compiler);
}

/// Rules 3.2 and 3.5, on twenty futures, of both kinds in turn.
#[test]
fn the_loop_polls_each_that_is_not_ready_once_in_each_round() {
    let clock = virtual_clock();
    let lengths: Vec<u64> = (1..=20).map(|n| n * 7 % 5).collect();
    let names: Vec<String> = lengths.iter().map(u64::to_string).collect();
    let futures = names.iter().zip(&lengths).enumerate().map(|(place, (name, x))| {
        let [by_hand, by_compiler] = both(&clock, *x);
        (name.as_str(), if place % 2 == 0 { by_hand } else { by_compiler })
    });
    let futures = futures.collect();
    let events = told(|| stage::run(&clock, SECOND, futures));
    let lengths = &lengths;
    let round = |second| (1..=20).filter(move |task| lengths[task - 1] >= second);
    let expected: Vec<String> = (0..=4).flat_map(round).map(|task| task.to_string()).collect();
    assert_eq!(only("poll ", &events), expected);
    assert_eq!(only("clock ", &events), ["1000", "2000", "3000", "4000"]);
    assert_eq!(only("ready ", &events).len(), 20);
}

#[test]
fn the_article_takes_four_seconds_and_17_polls() {
    let clock = virtual_clock();
    let events = told(|| stage::article(&clock, PAUSE));
    let said = [
        "waiting: 1",
        "waiting: 2",
        "waiting: 4",
        "do_some_work(1): Done after 1s",
        "by hand: Done after 2s",
        "do_some_work(4): Done after 4s",
        "Polls: 17",
        "Time: 4.000",
    ];
    assert_eq!(only("say ", &events), said);
    let polls = only("poll ", &events);
    assert_eq!(["1", "2", "3"].map(|task| polls.iter().filter(|poll| *poll == task).count()), [3, 5, 9]);
}

/// The lesson's table of pauses, on the stage itself. The 7,000,003 polls of the shortest are `show ch03 polls`.
#[test]
fn a_pause_is_too_long_or_too_short() {
    for (pause, polls, end) in [(1, "7003", "4.000"), (300, "28", "4.200"), (500, "17", "4.000"), (3_000, "7", "6.000")]
    {
        let clock = virtual_clock();
        let events = told(|| stage::article(&clock, Duration::from_millis(pause)));
        assert_eq!(only("say Polls: ", &events), [polls]);
        assert_eq!(only("say Time: ", &events), [end]);
    }
}

#[test]
fn no_futures_are_no_rounds() {
    let clock = virtual_clock();
    assert_eq!(told(|| stage::run(&clock, PAUSE, vec![])), ["begin", "end", "say Polls: 0"]);
}

/// The lesson sends its reader to steps by their number.
#[test]
fn steps_that_the_lesson_points_to_are_what_it_says() {
    let lesson = include_str!("../lessons/ch03_futures/README.md");
    let output = Command::new(env!("CARGO_BIN_EXE_handloop"))
        .args(["ch03", "--plain"])
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    let steps = String::from_utf8(output.stdout).unwrap();
    let shown = |step: usize| {
        let (_, shown) = steps.split_once(&format!("ch03, step {step} of ")).unwrap();
        shown.split("\n\n").next().unwrap()
    };
    let claims = [
        ("Steps 5 to 8 and 9 to 12", 5, "polls task 1, do_some_work(1), for the first time"),
        ("Steps 5 to 8 and 9 to 12", 8, "Task 1 returns pending"),
        ("Steps 5 to 8 and 9 to 12", 9, "polls task 2, by hand, for the first time"),
        ("Steps 5 to 8 and 9 to 12", 12, "Task 2 returns pending"),
        ("Step 17", 17, "from 0.000 s to 0.500 s"),
        ("Step 17", 17, "Timers: none"),
        ("Steps 18 to 26", 18, "polls task 1, do_some_work(1), again"),
        ("Steps 18 to 26", 26, "Task 3 returns pending"),
        ("Steps 45 to 47", 45, "Clock 2.000 s"),
        ("Steps 45 to 47", 47, "Task 2 returns ready"),
        ("it \"wakes itself\"", 7, "Task 1 wakes itself"),
    ];
    for (words, step, expected) in claims {
        assert!(lesson.contains(words), "the lesson no longer says: {words}");
        assert!(shown(step).contains(expected), "step {step}: {}", shown(step));
    }
}
