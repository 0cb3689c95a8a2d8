//! The stage of chapter 2.

#[allow(dead_code, missing_docs)]
#[path = "../lessons/ch02_scheduler/stage.rs"]
mod stage;

use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::time::{Duration, Instant};

use stage::{Clock, DoSomeWork, Generator, Resumed, When, article, run};

use Resumed::{Complete, Yielded};

thread_local! {
    /// What the stage tells on this test's thread.
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn hear(event: &str, _: &'static Location<'static>) {
    TOLD.with_borrow_mut(|told| told.push(event.to_owned()));
}

/// What it tells behind `word` in this run.
fn told(word: &str, run: impl FnOnce()) -> Vec<String> {
    stage::PLAYER.get_or_init(|| hear);
    TOLD.take();
    run();
    TOLD.take().iter().filter_map(|event| event.strip_prefix(word)?.strip_prefix(' ')).map(str::to_owned).collect()
}

/// A virtual clock that generators can keep.
fn virtual_clock() -> &'static Clock {
    Box::leak(Box::new(Clock::Virtual(Cell::default())))
}

const SECOND: Duration = Duration::from_secs(1);

/// In each resume it works for a time, then yields; it writes down when it is resumed.
struct Plan {
    clock: &'static Clock,
    steps: std::vec::IntoIter<(Duration, When)>,
    seen: &'static RefCell<Vec<(usize, Duration)>>,
    name: usize,
}

impl Generator for Plan {
    type Yield = When;
    type Return = String;

    fn resume(&mut self) -> Resumed<When, String> {
        self.seen.borrow_mut().push((self.name, self.clock.now()));
        let Some((work, when)) = self.steps.next() else { return Complete(String::new()) };
        if work > Duration::ZERO {
            self.clock.wait_until(self.clock.now() + work);
        }
        Yielded(when)
    }
}

/// Who is resumed, and when, on a virtual clock: generators 1, 2, … with these steps.
fn resumes(plans: Vec<Vec<(Duration, When)>>) -> Vec<(usize, Duration)> {
    let (clock, seen) = (virtual_clock(), &*Box::leak(Box::default()));
    let plan = |(name, steps): (usize, Vec<_>)| Plan { clock, steps: steps.into_iter(), seen, name };
    run(clock, (1..).zip(plans).map(|plan_| ("", Box::new(plan(plan_)) as Box<_>)).collect());
    seen.take()
}

fn sleep(time: Duration) -> (Duration, When) {
    (Duration::ZERO, When::After(time))
}

#[test]
fn the_article_takes_four_seconds() {
    let lines = [
        "waiting: 1",
        "waiting: 2",
        "waiting: 4",
        "do_some_work(1): Done after 1s",
        "do_some_work(2): Done after 2s",
        "do_some_work(4): Done after 4s",
        "Time: 4.000",
    ];
    assert_eq!(told("say", || article(virtual_clock())), lines);
}

#[test]
fn a_sleep_of_no_seconds_is_a_pause() {
    let mut work = DoSomeWork::Start { x: 0 };
    assert!(matches!(work.resume(), Yielded(When::Now)));
    assert!(matches!(work.resume(), Complete(word) if word == "Done after 0s"));
}

/// Rule 1.3.
#[test]
#[should_panic(expected = "a generator that is complete is not resumed")]
fn a_complete_generator_is_not_resumed() {
    let mut work = DoSomeWork::Start { x: 1 };
    (0..3).for_each(|_| drop(work.resume()));
}

/// Rule 2.1: a sleep counts from the yield, however long the resume took.
#[test]
fn a_sleep_counts_from_the_moment_at_which_it_is_asked_for() {
    let seen = resumes(vec![vec![(3 * SECOND, When::After(SECOND))], vec![sleep(SECOND)]]);
    assert_eq!(seen, [(1, Duration::ZERO), (2, 3 * SECOND), (1, 4 * SECOND), (2, 4 * SECOND)]);
}

/// Rule 2.1, while another one is ready all the time and works for a tenth of a second in each resume.
#[test]
fn a_sleeper_is_not_resumed_before_its_deadline() {
    let busy = (0..300).map(|_| (SECOND / 10, When::Now)).collect();
    let seen = resumes(vec![(0..20).map(|_| sleep(SECOND)).collect(), busy]);
    let times: Vec<Duration> = seen.iter().filter(|(name, _)| *name == 1).map(|(_, time)| *time).collect();
    assert_eq!(times.len(), 21);
    assert!(times.windows(2).all(|two| two[1] - two[0] >= SECOND), "{times:?}");
}

/// Rule 2.2, on thirty sleepers, six for each deadline.
#[test]
fn sleepers_wake_by_deadline_and_by_arrival() {
    let second = |n: usize| 1 + (n * 7 % 5) as u32;
    let seen = resumes((0..30).map(|n| vec![sleep(SECOND * second(n))]).collect());
    let mut expected: Vec<usize> = (1..=30).collect();
    expected.sort_by_key(|name| second(name - 1));
    assert_eq!(seen[30..].iter().map(|(name, _)| *name).collect::<Vec<_>>(), expected);
    assert!(seen[30..].iter().all(|(name, time)| *time == SECOND * second(name - 1)));
}

/// Rules 2.3 and 2.4: the third resume of the busy one begins at second 2, when the sleeper's deadline has come; it was
/// ready first.
#[test]
fn a_sleeper_that_is_due_goes_behind_those_that_are_ready() {
    let busy = |resumes| (0..resumes).map(|_| (SECOND, When::Now)).collect();
    let seen = resumes(vec![vec![sleep(2 * SECOND)], busy(20)]);
    let names: Vec<usize> = seen.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, [&[1, 2, 2, 2, 1][..], &[2; 18]].concat());
    assert_eq!(seen[4], (1, 3 * SECOND));
}

/// Rule 2.5.
#[test]
fn it_waits_once_for_each_deadline_and_never_while_somebody_is_ready() {
    assert_eq!(told("clock", || article(virtual_clock())), ["1000", "2000", "4000"]);
    let pauses = || (0..20).map(|_| (Duration::ZERO, When::Now)).collect();
    let waits = told("clock", || drop(resumes(vec![vec![sleep(SECOND)], pauses(), vec![sleep(SECOND)]])));
    assert_eq!(waits, ["1000"]);
}

/// Rule 2.6: a virtual clock moves only when somebody waits, and never back.
#[test]
fn a_virtual_clock_jumps_forward() {
    let clock = virtual_clock();
    assert_eq!((clock.now(), clock.now()), (Duration::ZERO, Duration::ZERO));
    clock.wait_until(3 * SECOND);
    clock.wait_until(SECOND);
    assert_eq!(clock.now(), 3 * SECOND);
}

/// Rules 2.1 and 2.5, on the real clock: std promises that `thread::sleep` is not early, so one wait is enough.
#[test]
fn a_real_wait_is_one_and_not_early() {
    struct Sleeper(Option<Instant>);
    impl Generator for Sleeper {
        type Yield = When;
        type Return = String;
        fn resume(&mut self) -> Resumed<When, String> {
            match self.0 {
                None => {
                    self.0 = Some(Instant::now());
                    Yielded(When::After(Duration::from_millis(20)))
                }
                Some(start) => Complete(format!("{}", start.elapsed() >= Duration::from_millis(20))),
            }
        }
    }
    let clock = Clock::Real(Instant::now());
    let mut waits = 0;
    let said = told("say", || {
        run(&clock, vec![("on time", Box::new(Sleeper(None)))]);
        waits = TOLD.with_borrow(|told| told.iter().filter(|event| event.starts_with("clock ")).count());
    });
    assert_eq!((said, waits), (vec!["on time: true".to_owned()], 1));
}

/// Rule 2.7.
#[test]
fn it_is_done_when_nobody_is_ready_and_nobody_sleeps() {
    let events = told("clock", || run(virtual_clock(), vec![]));
    assert_eq!(events, [""; 0]);
    let events = told("clock", || drop(resumes(vec![vec![], vec![(Duration::ZERO, When::Now)]])));
    assert_eq!(events, [""; 0]);
}

/// A deadline too far to express is the latest there is.
#[test]
fn an_endless_sleep_overflows_nothing() {
    let seen = resumes(vec![vec![sleep(SECOND), sleep(Duration::MAX)]]);
    assert_eq!(seen[2], (1, Duration::MAX));
}

/// The lesson sends its reader to steps by their number.
#[test]
fn steps_that_the_lesson_points_to_are_what_it_says() {
    let lesson = include_str!("../lessons/ch02_scheduler/README.md").split_whitespace().collect::<Vec<_>>().join(" ");
    let player = std::process::Command::new(env!("CARGO_BIN_EXE_handloop")).args(["ch02", "--plain"]).output().unwrap();
    let steps = String::from_utf8(player.stdout).unwrap();
    let shown = |step: usize| steps.split_once(&format!("ch02, step {step} of ")).unwrap().1;
    let claims = [
        ("At step 7", 7, "A timer is set"),
        ("At step 16", 16, "Task 3 returns pending"),
        ("At step 17", 17, "from 0.000 s to 1.000 s"),
        ("At steps 18 and 19", 18, "It leaves the list"),
        ("At steps 18 and 19", 19, "goes to the end of the ready queue"),
        ("at step 20", 20, "polls task 1"),
    ];
    for (words, step, expected) in claims {
        assert!(lesson.contains(words), "the lesson no longer says: {words}");
        assert!(shown(step).lines().nth(1).unwrap().contains(expected), "step {step}");
    }
}
