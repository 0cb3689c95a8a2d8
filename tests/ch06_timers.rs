//! The stage of chapter 6. On the virtual clock all that it tells is told by the thread of the test.

#[allow(dead_code, missing_docs, unsafe_code)]
#[path = "../lessons/ch06_timers/stage.rs"]
mod stage;
#[path = "common/stages.rs"]
mod stages;

use std::cell::RefCell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use stage::{Clock, Time, block_on, do_some_work, join};
use stages::{TOLD, told};

type Work<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

thread_local! {
    /// What happens once, while the next clone of a waker is made.
    static AT_THE_CLONE: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

/// Far beyond what a thread needs for a look.
const BACKSTOP: Duration = Duration::from_secs(60);

fn listen() {
    fn hear(event: &str, at: &'static Location<'static>) {
        stages::hear(event, at);
        if let Some(happens) = event.starts_with("clone ").then(|| AT_THE_CLONE.take()).flatten() {
            happens();
        }
    }
    stage::PLAYER.get_or_init(|| hear);
    TOLD.take();
}

fn virtual_clock(seconds: u64) -> Arc<Clock> {
    Clock::new(Time::Virtual(Mutex::new(Duration::from_secs(seconds))))
}

fn sleeps<'a>(clock: &'a Arc<Clock>, seconds: &[u64]) -> Work<'a> {
    seconds.iter().fold(Box::pin(async {}), |others, second| {
        let work = do_some_work(clock, *second);
        Box::pin(async move {
            join(others, work).await;
        })
    })
}

fn poll_once(work: &mut Work<'_>) {
    let poll = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll.is_pending());
}

/// Each timer thread has a clone of the clock for as long as it runs.
fn threads(clock: &Arc<Clock>) -> usize {
    Arc::strong_count(clock) - 1
}

/// Until the timer thread waits, most likely: nothing tells it. A test that came too soon would pass, and prove less.
fn let_the_thread_wait() {
    (0..10_000).for_each(|_| thread::yield_now());
}

fn wait_until_no_thread_is_left(clock: &Arc<Clock>) {
    let start = Instant::now();
    while threads(clock) > 0 {
        assert!(start.elapsed() < BACKSTOP, "a timer thread outlives its sleeps");
        thread::yield_now();
    }
}

/// Rule 6.3, with 27 sleeps and many equal deadlines.
#[test]
fn timers_fire_by_deadline_and_then_by_arrival() {
    listen();
    let seconds = [3, 1, 2, 1, 5, 1, 2, 4, 1, 3, 3, 2, 1, 5, 4, 1, 1, 2, 3, 5, 4, 1, 2, 2, 1, 3, 1];
    let clock = virtual_clock(0);
    // Their wakers wake nobody, so no poll finds the time over before the timer fires.
    let mut work = sleeps(&clock, &seconds);
    poll_once(&mut work);
    block_on(&clock, sleeps(&clock, &[6]));
    // `join` polls its first future first, so the timers arrive in the order of the list.
    let mut expected: Vec<usize> = (1..=seconds.len()).collect();
    expected.sort_by_key(|number| seconds[number - 1]);
    expected.push(seconds.len() + 1);
    assert_eq!(told("fire"), expected.iter().map(usize::to_string).collect::<Vec<_>>());
    assert_eq!(clock.now(), Duration::from_secs(6));
}

/// Rule 6.4: a timer for each sleep, and not one for each poll.
#[test]
fn a_sleep_has_one_timer_however_often_it_is_polled() {
    listen();
    let clock = virtual_clock(0);
    let seconds: Vec<u64> = (1..=25).collect();
    block_on(&clock, sleeps(&clock, &seconds));
    assert_eq!([told("timer").len(), told("fire").len(), told("wake").len(), told("poll").len()], [25, 25, 25, 26]);
    assert_eq!(told("clone").len(), 25 * 26 / 2);
    assert_eq!(told("drop").len(), told("clone").len());
}

/// Rule 6.4: the first waker of each sleep wakes nobody, so `block_on` would find nobody left.
#[test]
fn a_timer_has_the_latest_waker() {
    listen();
    let clock = virtual_clock(0);
    let seconds: Vec<u64> = (1..=20).collect();
    let mut work = sleeps(&clock, &seconds);
    poll_once(&mut work);
    block_on(&clock, work);
    assert_eq!([told("timer").len(), told("wake").len()], [20, 20]);
}

/// Rule 6.4: a timer that fires after the poll has looked at the time is set once more, under its number, for the
/// latest waker.
#[test]
fn a_timer_that_fires_between_the_look_and_set_is_set_again() {
    listen();
    let clock = virtual_clock(0);
    let mut work = sleeps(&clock, &[1]);
    poll_once(&mut work);
    let other = clock.clone();
    AT_THE_CLONE.set(Some(Box::new(move || block_on(&other, sleeps(&other, &[1])))));
    block_on(&clock, work);
    assert_eq!(told("timer"), ["1 1000", "2 1000", "1 1000"]);
    assert_eq!(told("fire"), ["1", "2", "1"]);
}

/// Rule 6.5.
#[test]
fn sleeps_that_are_dropped_leave_no_timer() {
    listen();
    let clock = virtual_clock(0);
    let mut dropped = sleeps(&clock, &[2; 20]);
    poll_once(&mut dropped);
    drop(dropped);
    let numbers: Vec<String> = (1..=20).map(|number| number.to_string()).collect();
    let mut forgotten = told("forget");
    forgotten.sort_by_key(|number| number.parse::<usize>().unwrap());
    assert_eq!(forgotten, numbers);
    block_on(&clock, sleeps(&clock, &[3]));
    assert_eq!(told("fire"), ["21"]);
}

/// A timer that has fired is not forgotten once more.
#[test]
fn a_sleep_that_is_over_has_nothing_to_take_off() {
    listen();
    let clock = virtual_clock(0);
    block_on(&clock, sleeps(&clock, &[1, 2, 3]));
    assert_eq!(told("forget"), [""; 0]);
}

/// Rule 6.7: it is kept while others fire, and taken off with its sleep.
#[test]
fn a_sleep_without_end_never_fires() {
    listen();
    let clock = virtual_clock(5);
    let mut never = sleeps(&clock, &[u64::MAX; 20]);
    block_on(&clock, async {
        poll_once(&mut never);
        sleeps(&clock, &[1, 2]).await;
    });
    assert_eq!(told("fire"), ["21", "22"]);
    drop(never);
    assert_eq!(told("forget").len(), 20);
}

/// Rule 6.7: alone it leaves nobody who could wake the task, also on a clock that jumps.
#[test]
fn nobody_is_left_when_all_that_is_left_never_comes() {
    listen();
    let clock = virtual_clock(5);
    let outcome = catch_unwind(AssertUnwindSafe(|| block_on(&clock, sleeps(&clock, &[u64::MAX]))));
    assert_eq!(outcome.unwrap_err().downcast_ref(), Some(&"nobody is left who could wake this thread"));
    assert_eq!(told("fire"), [""; 0]);
}

/// Rule 6.1: on the real clock, one thread; it ends with its last timer, and the next timer starts another.
#[test]
fn one_thread_watches_all_and_ends_with_the_last() {
    let clock = Clock::new(Time::Real(Instant::now()));
    for _ in 0..3 {
        let mut work = sleeps(&clock, &[3600; 20]);
        poll_once(&mut work);
        assert_eq!(threads(&clock), 1);
        poll_once(&mut work);
        assert_eq!(threads(&clock), 1);
        let_the_thread_wait();
        drop(work);
        wait_until_no_thread_is_left(&clock);
    }
}

/// Rules 6.2 and 6.6, on real threads: a second, while the thread waits for an hour.
#[test]
fn an_earlier_deadline_cuts_the_wait_short() {
    let (done, is_done) = channel();
    thread::spawn(move || {
        let clock = Clock::new(Time::Real(Instant::now()));
        let mut hour = sleeps(&clock, &[3600]);
        poll_once(&mut hour);
        let_the_thread_wait();
        block_on(&clock, sleeps(&clock, &[1]));
        done.send(clock.now()).unwrap();
    });
    assert!(is_done.recv_timeout(BACKSTOP).expect("the second is over") >= Duration::from_secs(1));
}

/// A panic in the future drops its sleeps, and with the last one the thread ends.
#[test]
fn a_panic_in_the_future_leaves_no_thread() {
    let clock = Clock::new(Time::Real(Instant::now()));
    let panics = async {
        let mut hours = sleeps(&clock, &[3600; 20]);
        poll_fn(|context| {
            assert!(hours.as_mut().poll(context).is_pending());
            assert_eq!(threads(&clock), 1);
            if threads(&clock) == 1 {
                panic!("on purpose");
            }
            Poll::Ready(())
        })
        .await;
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| block_on(&clock, panics)));
    assert_eq!(outcome.unwrap_err().downcast_ref(), Some(&"on purpose"));
    wait_until_no_thread_is_left(&clock);
}
