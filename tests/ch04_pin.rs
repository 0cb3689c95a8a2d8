//! The stage of chapter 4.

#[allow(dead_code, missing_docs)]
#[path = "../lessons/ch04_pin/stage.rs"]
mod stage;

use std::cell::Cell;
use std::marker::PhantomPinned;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use stage::{Clock, block_on, counted, do_some_work, join};

/// Pending so many times; each poll is counted, and wakes whoever made it.
struct Pauses<'a> {
    left: usize,
    polls: &'a Cell<usize>,
}

impl Future for Pauses<'_> {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<usize> {
        context.waker().wake_by_ref();
        self.polls.set(self.polls.get() + 1);
        if self.left == 0 {
            return Poll::Ready(self.polls.get());
        }
        self.left -= 1;
        Poll::Pending
    }
}

/// The result, and how many polls it took.
fn run<F: Future>(future: F) -> (F::Output, usize) {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for polls in 1..1_000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return (output, polls);
        }
    }
    panic!("not ready after 1,000 polls")
}

/// Rule 4.4.
#[test]
fn a_join_is_ready_when_both_are_and_polls_none_that_is() {
    for (a, b) in [(0, 0), (20, 3), (3, 20), (7, 7)] {
        let polls = [Cell::new(0), Cell::new(0)];
        let both = join(Pauses { left: a, polls: &polls[0] }, Pauses { left: b, polls: &polls[1] });
        assert_eq!(run(both), ((a + 1, b + 1), a.max(b) + 1));
        assert_eq!(polls.map(|polls| polls.get()), [a + 1, b + 1]);
    }
}

/// Rule 4.3: each poll's own waker.
#[test]
fn a_combinator_hands_its_context_on() {
    #[derive(Default)]
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let polls = [Cell::new(0), Cell::new(0)];
    let both = join(Pauses { left: 20, polls: &polls[0] }, Pauses { left: 20, polls: &polls[1] });
    let mut future = pin!(counted(both));
    for _ in 0..21 {
        let count = Arc::new(Count::default());
        let _ = future.as_mut().poll(&mut Context::from_waker(&count.clone().into()));
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
    }
}

/// Rule 4.1: what a join holds stays where it is when the join moves.
#[test]
fn a_join_may_move_between_two_polls() {
    async fn points_at_itself(polls: &Cell<usize>) -> bool {
        let number = 7;
        let reference = &number;
        Pauses { left: 1, polls }.await;
        std::ptr::eq(reference, &number)
    }
    let polls = Cell::new(0);
    let mut context = Context::from_waker(Waker::noop());
    let mut first = join(points_at_itself(&polls), points_at_itself(&polls));
    assert!(Pin::new(&mut first).poll(&mut context).is_pending());
    let mut second = Box::new(first);
    assert_eq!(Pin::new(&mut *second).poll(&mut context), Poll::Ready((true, true)));
}

/// Rule 4.2: no result is ever pinned, so one that could not move any more may be in a join.
#[test]
fn a_join_is_unpin_whatever_its_futures_end_with() {
    fn is_unpin(_: &impl Unpin) {}
    let both = join(async { PhantomPinned }, async { PhantomPinned });
    is_unpin(&both);
    run(both);
}

#[test]
fn counted_counts_the_poll_that_is_ready_too() {
    for left in [0, 1, 20] {
        let polls = Cell::new(0);
        assert_eq!(run(counted(Pauses { left, polls: &polls })), ((left + 1, left + 1), left + 1));
    }
}

/// Rule 4.5.
#[test]
fn a_join_weighs_two_pointers_and_its_results() {
    async fn heavy() -> u64 {
        let bytes = [1; 1024];
        std::future::ready(()).await;
        bytes.iter().sum()
    }
    assert!(size_of_val(&heavy()) >= 1024);
    assert!(size_of_val(&counted(heavy())) >= 1024);
    assert_eq!(size_of_val(&join(heavy(), heavy())), 2 * size_of::<usize>() + 2 * size_of::<Option<u64>>());
    assert_eq!(run(join(heavy(), heavy())), ((1024, 1024), 1));
}

#[test]
fn block_on_polls_until_ready_and_waits_once_after_each_poll_that_was_pending() {
    let clock = Clock::Virtual(Cell::default());
    let polls = Cell::new(0);
    assert_eq!(block_on(&clock, Duration::from_millis(250), Pauses { left: 20, polls: &polls }), 21);
    assert_eq!(clock.now(), Duration::from_secs(5));
}

#[test]
fn the_program_says_how_often_each_was_polled() {
    thread_local! {
        static SAID: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    fn hear(event: &str, _: &'static Location<'static>) {
        if let Some(said) = event.strip_prefix("say ") {
            SAID.with_borrow_mut(|all| all.push(said.to_owned()));
        }
    }
    stage::PLAYER.get_or_init(|| hear);
    stage::article(&Clock::Virtual(Cell::default()), Duration::from_millis(500));
    let expected = [
        "waiting: 1",
        "waiting: 2",
        "waiting: 4",
        "Done after 1s, in 3 polls",
        "Done after 2s, in 5 polls",
        "Done after 4s, in 9 polls",
        "Time: 4.000",
    ];
    assert_eq!(SAID.take(), expected);
}

/// Rule 3.3, through `.await`.
#[test]
fn some_work_sleeps_on_the_clock_it_was_given() {
    let clock = Clock::Virtual(Cell::default());
    assert_eq!(block_on(&clock, Duration::from_millis(300), do_some_work(&clock, 1)), "Done after 1s");
    assert_eq!(clock.now(), Duration::from_millis(1200));
}

/// The lesson sends its reader to steps by their number.
#[test]
fn steps_that_the_lesson_points_to_are_what_it_says() {
    let lesson = include_str!("../lessons/ch04_pin/README.md");
    let output = Command::new(env!("CARGO_BIN_EXE_handloop"))
        .args(["ch04", "--plain"])
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    let steps = String::from_utf8(output.stdout).unwrap();
    let shown = |step: usize| {
        let (_, shown) = steps.split_once(&format!("ch04, step {step} of ")).unwrap();
        shown.split("\n\n").next().unwrap()
    };
    let claims = [
        ("**steps 4 to 6**", 4, "polled once"),
        ("**steps 4 to 6**", 4, "Task 1 prints: waiting: 1"),
        ("**steps 4 to 6**", 6, "Task 1 prints: waiting: 4"),
        ("**step 14**", 14, "Clock 1.000 s"),
        ("at step 16", 16, "Task 1 returns pending"),
        ("**Steps 38 to 42**", 38, "Clock 4.000 s. The loop polls task 1"),
        ("**Steps 38 to 42**", 41, "Task 1 prints: Done after 4s, in 9 polls"),
        ("**Steps 38 to 42**", 42, "Task 1 returns ready"),
    ];
    let lesson = lesson.split_whitespace().collect::<Vec<_>>().join(" ");
    for (words, step, expected) in claims {
        assert!(lesson.contains(words), "the lesson no longer says: {words}");
        assert!(shown(step).contains(expected), "step {step}: {}", shown(step));
    }
}
