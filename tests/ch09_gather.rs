//! The stage of chapter 9. On the virtual clock all that it tells is told by the thread of the test.

#[allow(dead_code, missing_docs, unsafe_code)]
#[path = "../lessons/ch09_gather/stage.rs"]
mod stage;
#[path = "common/stages.rs"]
mod stages;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use stage::{Clock, EventLoop, Outcome, Task, Time, do_some_work, gather, gather_settled, try_gather};
use stages::{Bell, TOLD, listen_to, told, yields};

fn count(word: &str, number: usize) -> usize {
    told(word).iter().filter(|told| **told == number.to_string()).count()
}

fn virtual_clock() -> Arc<Clock> {
    Clock::new(Time::Virtual(Mutex::default()))
}

/// 1 to `n`, each once, in no order of size.
fn shuffled(n: u64) -> Vec<u64> {
    let mut numbers: Vec<u64> = (1..=n).collect();
    (1..numbers.len()).for_each(|at| numbers.swap(at, at * 7919 % (at + 1)));
    (1..numbers.len()).for_each(|at| numbers.swap(at, at * at % n as usize));
    numbers
}

/// All orders of 1 to `n`.
fn orders(n: u64) -> Vec<Vec<u64>> {
    if n == 0 {
        return vec![vec![]];
    }
    let insert = |order: Vec<u64>| {
        (0..=order.len()).map(move |at| [&order[..at], &[n], &order[at..]].concat()).collect::<Vec<_>>()
    };
    orders(n - 1).into_iter().flat_map(insert).collect()
}

/// A result, which counts if it is dropped and nobody has taken it.
struct Value<'a> {
    number: Option<u64>,
    lost: &'a Cell<usize>,
}

impl Drop for Value<'_> {
    fn drop(&mut self) {
        if self.number.is_some() {
            self.lost.set(self.lost.get() + 1);
        }
    }
}

/// What becomes of a task when it has slept.
#[derive(Clone, Copy, PartialEq, Debug)]
enum End {
    Value,
    Error,
    Panic,
}

type Ended<'a> = Result<Value<'a>, &'static str>;

fn word(result: Ended<'_>) -> String {
    result.map_or_else(str::to_owned, |mut value| value.number.take().unwrap().to_string())
}

fn outcome_word(outcome: Outcome<Ended<'_>>) -> String {
    match outcome {
        Ok(result) => word(result),
        Err(panic) => (*panic.downcast_ref::<&str>().unwrap()).to_owned(),
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Which {
    Gather,
    Try,
    Settled,
}

const ALL: [Which; 3] = [Which::Gather, Which::Try, Which::Settled];

/// What main has: a word for each task; or `error`; or with what it panicked.
async fn waits(which: Which, tasks: Vec<Task<Ended<'_>>>) -> Vec<String> {
    match which {
        Which::Gather => gather(tasks).await.into_iter().map(word).collect(),
        Which::Try => match try_gather(tasks).await {
            Ok(values) => values.into_iter().map(|value| word(Ok(value))).collect(),
            Err(error) => vec![format!("returns {error}")],
        },
        Which::Settled => gather_settled(tasks).await.into_iter().map(outcome_word).collect(),
    }
}

#[derive(PartialEq, Debug)]
struct Ran {
    /// The second at which main was over, and what it had.
    at: u64,
    words: Vec<String>,
    /// The numbers of the tasks that had a value by then, and much later; each is the second of its end.
    over: [Vec<u64>; 2],
    /// Values that nobody has got.
    lost: usize,
}

/// A task for each pair: its number is the seconds that it sleeps.
fn run(which: Which, list: &[(u64, End)]) -> Ran {
    let (clock, lost, over) = (virtual_clock(), Cell::new(0), RefCell::new(Vec::new()));
    let work = async |number: u64, end: End| {
        do_some_work(&clock, number).await;
        match end {
            End::Value => {}
            End::Error => return Err("error"),
            End::Panic => panic!("panic"),
        }
        assert_eq!(clock.now().as_secs(), number);
        over.borrow_mut().push(number);
        Ok(Value { number: Some(number), lost: &lost })
    };
    let event_loop = EventLoop::new(&clock);
    let tasks = list.iter().map(|(number, end)| event_loop.spawn("work", work(*number, *end))).collect();
    let main = catch_unwind(AssertUnwindSafe(|| event_loop.run_until_complete(waits(which, tasks))));
    let words = main.unwrap_or_else(|panic| vec![format!("panics with {}", panic.downcast_ref::<&str>().unwrap())]);
    let (at, then) = (clock.now().as_secs(), over.borrow().clone());
    event_loop.run_until_complete(do_some_work(&clock, 1000));
    let later = over.borrow().clone();
    Ran { at, words, over: [then, later], lost: lost.get() }
}

/// Rule 9.1: each order of five ends, and two long lists.
#[test]
fn a_result_has_the_place_of_its_argument() {
    listen_to(&stage::PLAYER);
    let lists = [orders(5), vec![shuffled(24), (1..=40).rev().collect()]].concat();
    assert_eq!(lists.len(), 122);
    for (which, list) in ALL.into_iter().flat_map(|which| lists.iter().map(move |list| (which, list))) {
        let ran = run(which, &list.iter().map(|number| (*number, End::Value)).collect::<Vec<_>>());
        assert_eq!(ran.words, list.iter().map(u64::to_string).collect::<Vec<_>>(), "{which:?}");
        assert_eq!((ran.at, ran.lost), (list.len() as u64, 0), "rule 9.2: as long as the longest");
    }
}

/// Rule 9.2: 500 tasks of a second take one, and all begin before time passes.
#[test]
fn all_tasks_run_side_by_side() {
    for which in ALL {
        listen_to(&stage::PLAYER);
        let ran = run(which, &[(1, End::Value); 500]);
        assert_eq!((ran.at, ran.words.len()), (1, 500));
        let begun = |event: &String| event.starts_with("say waiting");
        let before = TOLD
            .with_borrow(|told| told.iter().take_while(|event| *event != "clock 1000").filter(|e| begun(e)).count());
        assert_eq!(before, 500);
    }
}

/// Rule 9.3.
#[test]
fn a_handle_that_has_given_its_result_is_not_polled_again() {
    for which in ALL {
        listen_to(&stage::PLAYER);
        run(which, &shuffled(24).into_iter().map(|number| (number, End::Value)).collect::<Vec<_>>());
        assert_eq!(told("join").len(), 24);
        for number in 1..=24 {
            let of_handle = |event: &str| event == format!("join {number}") || event == format!("wait {number}");
            let last = TOLD.with_borrow(|told| told.iter().rfind(|event| of_handle(event)).cloned());
            assert_eq!(last, Some(format!("join {number}")));
        }
    }
}

/// Number 1, 11 or 21 of 21 fails: before all others end, among them, or after. It stands first, among them, or last.
fn cells(failure: End, check: impl Fn(&[(u64, End)], u64)) {
    for (failing, place) in [1, 11, 21].into_iter().flat_map(|failing| [0, 10, 20].map(|place| (failing, place))) {
        let others = shuffled(21).into_iter().filter(|number| *number != failing);
        let mut list: Vec<(u64, End)> = others.map(|number| (number, End::Value)).collect();
        list.insert(place, (failing, failure));
        check(&list, failing);
    }
}

/// All tasks without the one that fails, in the order of their ends.
fn others(failing: u64) -> Vec<u64> {
    (1..=21).filter(|number| *number != failing).collect()
}

/// Main waits for all, and each has its place.
fn waited_for_all(which: Which, list: &[(u64, End)], failing: u64) {
    let word = |(number, end): &(u64, End)| match end {
        End::Value => number.to_string(),
        End::Error => "error".to_owned(),
        End::Panic => "panic".to_owned(),
    };
    // At second 21 main is behind the task of that second.
    let expected =
        Ran { at: 21, words: list.iter().map(word).collect(), over: [others(failing), others(failing)], lost: 0 };
    assert_eq!(run(which, list), expected);
}

/// Main is over with the failure; the others run on, each to its own second, and nobody gets a value.
fn ended_at_once(which: Which, list: &[(u64, End)], failing: u64, words: &str) {
    let then = others(failing).into_iter().filter(|number| *number < failing).collect();
    let expected = Ran { at: failing, words: vec![words.to_owned()], over: [then, others(failing)], lost: 20 };
    assert_eq!(run(which, list), expected);
}

/// The matrix: an error.
#[test]
fn an_error_is_a_result_for_gather() {
    listen_to(&stage::PLAYER);
    cells(End::Error, |list, failing| waited_for_all(Which::Gather, list, failing));
}

/// The matrix, rule 9.4: an error.
#[test]
fn an_error_ends_try_gather_at_once() {
    listen_to(&stage::PLAYER);
    cells(End::Error, |list, failing| ended_at_once(Which::Try, list, failing, "returns error"));
}

/// The matrix, rule 9.5: an error.
#[test]
fn an_error_has_its_place_in_gather_settled() {
    listen_to(&stage::PLAYER);
    cells(End::Error, |list, failing| waited_for_all(Which::Settled, list, failing));
}

/// The matrix, rule 9.4: a panic.
#[test]
fn a_panic_comes_through_gather_at_once() {
    listen_to(&stage::PLAYER);
    cells(End::Panic, |list, failing| ended_at_once(Which::Gather, list, failing, "panics with panic"));
}

/// The matrix, rule 9.4: a panic.
#[test]
fn a_panic_comes_through_try_gather_at_once() {
    listen_to(&stage::PLAYER);
    cells(End::Panic, |list, failing| ended_at_once(Which::Try, list, failing, "panics with panic"));
}

/// The matrix, rule 9.5: a panic.
#[test]
fn a_panic_has_its_place_in_gather_settled() {
    listen_to(&stage::PLAYER);
    cells(End::Panic, |list, failing| waited_for_all(Which::Settled, list, failing));
}

/// Rule 9.5: no failure hides another.
#[test]
fn each_of_many_failures_has_its_place() {
    listen_to(&stage::PLAYER);
    let ends = [End::Value, End::Error, End::Panic];
    let list: Vec<(u64, End)> = shuffled(24).into_iter().zip(ends.into_iter().cycle()).collect();
    let ran = run(Which::Settled, &list);
    for (at, word) in ran.words.iter().enumerate() {
        assert_eq!(*word, [list[at].0.to_string(), "error".to_owned(), "panic".to_owned()][at % 3]);
    }
    assert_eq!((ran.at, ran.words.len(), ran.lost), (24, 24, 0));
}

/// What fails after the first failure changes nothing.
#[test]
fn later_failures_are_dropped() {
    listen_to(&stage::PLAYER);
    let list: Vec<(u64, End)> =
        (1..=20).map(|number| (number, if number % 2 == 0 { End::Error } else { End::Panic })).collect();
    let ran = run(Which::Try, &list);
    assert_eq!((ran.at, ran.words), (1, vec!["panics with panic".to_owned()]));
    let ran = run(Which::Try, &list[1..]);
    assert_eq!((ran.at, ran.words), (2, vec!["returns error".to_owned()]));
    assert_eq!(told("ready").len(), 20 + 19 + 2 * 2, "all tasks came to their end");
}

async fn fails(name: &'static str) -> Result<(), &'static str> {
    yields().await;
    Err(name)
}

/// Two that fail between two polls of main: the stage gives the first argument's error.
#[test]
fn the_first_argument_counts_when_two_fail_before_main_looks() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let b = event_loop.spawn("b", fails("b"));
    let a = event_loop.spawn("a", fails("a"));
    assert_eq!(event_loop.run_until_complete(try_gather([a, b])), Err("a"));
    assert_eq!((told("ready")[..2].concat(), count("poll", 3)), ("12".to_owned(), 2), "b was over first");
}

/// The same in src, which gives the one that came first: GATH-02 there.
#[test]
fn in_src_the_first_in_time_counts() {
    async fn fails(name: &'static str) -> Result<(), &'static str> {
        handloop::yield_now().await;
        Err(name)
    }
    let error = handloop::run(async {
        let b = handloop::spawn(fails("b"));
        let a = handloop::spawn(fails("a"));
        handloop::try_gather([a, b]).await.unwrap_err()
    });
    assert_eq!(error.to_string(), "b");
}

/// Rule 9.6, and without a clone of a waker.
#[test]
fn to_gather_nothing_is_to_be_ready_at_once() {
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(bell.clone());
    let mut context = Context::from_waker(&waker);
    assert!(matches!(pin!(gather::<u32>([])).poll(&mut context), Poll::Ready(results) if results.is_empty()));
    assert_eq!(pin!(try_gather::<u32, ()>([])).poll(&mut context), Poll::Ready(Ok(vec![])));
    assert!(matches!(pin!(gather_settled::<u32>([])).poll(&mut context), Poll::Ready(results) if results.is_empty()));
    assert_eq!((Arc::strong_count(&bell), bell.rings.load(Ordering::SeqCst)), (2, 0));
}

/// GATH-14 of asyncio's newer versions.
#[test]
fn tasks_that_are_over_are_gathered_in_the_first_poll() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let tasks: Vec<_> = (0..20).map(|number| event_loop.spawn("work", async move { number })).collect();
    event_loop.run_until_complete(async {});
    let poll = pin!(gather(tasks)).poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(poll, Poll::Ready((0..20).collect()));
    assert_eq!([told("join").len(), told("wait").len()], [20, 0]);
}

/// Polls of main, of handles, and clones of main's waker: those of the lesson.
#[test]
fn polls_are_what_the_lesson_counts() {
    for n in [0, 1, 3, 10, 20, 100] {
        listen_to(&stage::PLAYER);
        run(Which::Gather, &shuffled(n).into_iter().map(|number| (number, End::Value)).collect::<Vec<_>>());
        let n = n as usize;
        assert_eq!([count("poll", n + 1), count("clone", n + 1)], [n + 1, n * (n + 1) / 2]);
        assert_eq!(told("join").len() + told("wait").len(), n * (n + 3) / 2);
    }
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let tasks: Vec<_> = (0..20).map(|_| event_loop.spawn("work", yields())).collect();
    event_loop.run_until_complete(gather(tasks));
    let handles = told("join").len() + told("wait").len();
    assert_eq!([count("poll", 21), handles, count("clone", 21)], [2, 40, 20]);
}

/// Rule 5.3 for a gather: a handle that is pending is polled each time, and has the waker of that poll.
#[test]
fn the_waker_of_the_latest_poll_is_the_one_that_is_called() {
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let tasks: Vec<_> = (0..20).map(|_| event_loop.spawn("work", async {})).collect();
    let bells: [Arc<Bell>; 3] = Default::default();
    let mut gathered = pin!(gather(tasks));
    for bell in &bells {
        assert!(gathered.as_mut().poll(&mut Context::from_waker(&Waker::from(bell.clone()))).is_pending());
    }
    assert_eq!(bells.each_ref().map(Arc::strong_count), [1, 1, 21]);
    event_loop.run_until_complete(async {});
    assert_eq!(bells.each_ref().map(|bell| bell.rings.load(Ordering::SeqCst)), [0, 0, 20]);
    assert!(gathered.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
}

/// What the lesson says is missing: a gather that is dropped stops nobody, polled or not.
#[test]
fn tasks_of_a_gather_that_is_dropped_run_on() {
    for is_polled in [false, true] {
        let (clock, over) = (virtual_clock(), RefCell::new(Vec::new()));
        let work = async |number| {
            do_some_work(&clock, number).await;
            over.borrow_mut().push(number);
        };
        let event_loop = EventLoop::new(&clock);
        let tasks: Vec<_> = (1..=20).map(|number| event_loop.spawn("work", work(number))).collect();
        event_loop.run_until_complete(async {
            let mut gathered = Box::pin(gather(tasks));
            if is_polled {
                assert!(poll_fn(|context| Poll::Ready(gathered.as_mut().poll(context).is_pending())).await);
            }
            drop(gathered);
            do_some_work(&clock, 60).await
        });
        assert_eq!(over.take(), (1..=20).collect::<Vec<_>>());
    }
}

/// The lesson's first answer: the others run on for as long as the loop runs.
#[test]
fn tasks_that_run_on_end_with_the_loop() {
    let (clock, over) = (virtual_clock(), Cell::new(0));
    let work = async |number: u64| {
        do_some_work(&clock, if number == 3 { 1 } else { 10 }).await;
        over.set(over.get() + 1);
        if number == 3 { Err("no") } else { Ok(()) }
    };
    let event_loop = EventLoop::new(&clock);
    let tasks: Vec<_> = (1..=10).map(|number| event_loop.spawn("work", work(number))).collect();
    assert_eq!(event_loop.run_until_complete(try_gather(tasks)), Err("no"));
    drop(event_loop);
    assert_eq!((clock.now().as_secs(), over.get()), (1, 1));
}

/// The lesson's second answer: spawned and awaited one by one, they are one after the other.
#[test]
fn what_is_spawned_too_late_runs_too_late() {
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let (spawner, clock) = (event_loop.clone(), &clock);
    event_loop.run_until_complete(async move {
        for x in [1, 2, 4] {
            spawner.spawn("work", do_some_work(clock, x)).await.unwrap();
        }
    });
    assert_eq!(clock.now().as_secs(), 7);
}

/// The lesson's fourth answer: when main has been polled once, each slot has a clone; the table has the other count.
#[test]
fn each_slot_has_a_clone_of_mains_waker() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let tasks: Vec<_> = (0..20).map(|_| event_loop.spawn("work", do_some_work(&clock, 1))).collect();
    event_loop.run_until_complete(gather(tasks));
    TOLD.with_borrow_mut(|told| told.truncate(told.iter().position(|event| event == "pending 21").unwrap()));
    assert_eq!([count("poll", 21), count("clone", 21), count("drop", 21)], [1, 20, 0]);
}

/// The same in src: one clone, and two polls of main.
#[test]
fn twenty_tasks_cost_gather_in_src_one_clone_and_two_polls() {
    handloop::run(async {
        let tasks: Vec<_> = (0..20).map(|_| handloop::spawn(handloop::yield_now())).collect();
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(bell.clone());
        let mut context = Context::from_waker(&waker);
        let mut gathered = handloop::gather(tasks);
        assert!(Pin::new(&mut gathered).poll(&mut context).is_pending());
        assert_eq!(Arc::strong_count(&bell), 3, "the bell, the waker and one clone");
        while bell.rings.load(Ordering::SeqCst) == 0 {
            handloop::yield_now().await;
        }
        assert!(Pin::new(&mut gathered).poll(&mut context).is_ready());
        assert_eq!((Arc::strong_count(&bell), bell.rings.load(Ordering::SeqCst)), (2, 1));
    });
}

/// The article's first program: what it prints, on a virtual clock.
#[test]
fn the_articles_program_takes_four_seconds() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    stage::article(&clock);
    let lines = ["waiting: 1", "waiting: 2", "waiting: 4"].map(str::to_owned).to_vec();
    let results = [1, 2, 4].map(|x| format!("Task ret: Done after {x}s")).to_vec();
    assert_eq!(told("say"), [lines, results, vec!["Time: 4.000".to_owned()]].concat());
}
