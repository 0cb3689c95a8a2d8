//! The stage of chapter 5.

#[allow(dead_code, missing_docs, unsafe_code, clippy::undocumented_unsafe_blocks)]
#[path = "../lessons/ch05_wakers/stage.rs"]
mod stage;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use stage::{Clock, block_on, counted, do_some_work, join};

thread_local! {
    static SAID: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// What the stage tells while `code` runs, of this thread.
fn told(code: impl FnOnce()) -> Vec<String> {
    static HEARS: OnceLock<()> = OnceLock::new();
    fn hear(event: &str, _: &'static Location<'static>) {
        SAID.with_borrow_mut(|said| said.push(event.to_owned()));
    }
    HEARS.get_or_init(|| _ = stage::PLAYER.set(hear));
    SAID.take();
    code();
    SAID.take()
}

fn count(said: &[String], start: &str) -> usize {
    said.iter().filter(|event| event.starts_with(start)).count()
}

fn virtual_clock() -> Clock {
    Clock::Virtual(Cell::default(), RefCell::default())
}

/// The numbers of the lesson.
#[test]
fn the_run_takes_five_polls_and_seven_clones() {
    let said = told(|| stage::article(&virtual_clock()));
    assert_eq!(count(&said, "poll 1"), 5);
    assert_eq!(count(&said, "clone 1"), 7);
    assert_eq!(count(&said, "wake 1"), 4);
    let ends_with_its_wake = |pair: &&[String]| pair[0] == "wake 1" && pair[1] == "drop 1";
    assert_eq!(said.windows(2).filter(ends_with_its_wake).count(), 4);
    let times: Vec<&String> = said.iter().filter(|event| event.starts_with("clock ")).collect();
    assert_eq!(times, ["clock 1000", "clock 2000", "clock 2000", "clock 4000"]);
    assert!(said.iter().any(|event| event == "say Time: 4.000"), "{said:?}");
}

/// What is left on the clock from one run is not taken for a call in the next.
#[test]
fn a_second_run_on_the_same_clock_ends_too() {
    let clock = virtual_clock();
    stage::article(&clock);
    stage::article(&clock);
    assert_eq!(clock.now(), Duration::from_secs(8));
}

#[test]
#[should_panic(expected = "nobody is left who could wake this thread")]
fn a_future_that_nobody_wakes_is_told_on_a_virtual_clock() {
    block_on(&virtual_clock(), std::future::pending::<()>());
}

/// Rule 5.7: as many wakers end as are made, the last ones with the clock.
#[test]
fn each_clone_ends_once() {
    let said = told(|| stage::article(&virtual_clock()));
    assert_eq!(count(&said, "clone 1"), count(&said, "drop 1"));
}

/// Rules 5.5 and 5.6: a wake during the poll is in the flag when the thread parks.
#[test]
fn a_wake_before_the_park_is_not_lost() {
    let clock = Clock::Real(Instant::now());
    let mut polls = 0;
    let said = told(|| {
        block_on(
            &clock,
            poll_fn(|context| {
                polls += 1;
                if polls == 25 {
                    return Poll::Ready(());
                }
                // Twice: several wakes before a poll are one.
                context.waker().wake_by_ref();
                context.waker().wake_by_ref();
                Poll::Pending
            }),
        );
    });
    assert_eq!((polls, count(&said, "wake 1")), (25, 48));
}

/// A wake from another thread ends the park, whichever of the two comes first, and one wake ends one park only.
#[test]
fn a_wake_from_another_thread_ends_one_park() {
    for _ in 0..20 {
        let clock = Clock::Real(Instant::now());
        let (came, mut polls) = (Arc::new(AtomicUsize::new(0)), 0);
        let future = poll_fn(|context| {
            assert_eq!(came.load(Ordering::SeqCst), polls, "polled without a call");
            polls += 1;
            if polls == 25 {
                return Poll::Ready(());
            }
            let (came, waker) = (came.clone(), context.waker().clone());
            thread::spawn(move || {
                came.fetch_add(1, Ordering::SeqCst);
                waker.wake();
            });
            Poll::Pending
        });
        block_on(&clock, future);
        assert_eq!(polls, 25);
    }
}

/// Rule 5.7, on the count itself: what each of the four functions changes.
#[test]
fn each_function_changes_the_count_by_what_the_lesson_says() {
    block_on(
        &virtual_clock(),
        poll_fn(|context| {
            let lent = context.waker();
            assert_eq!(count_of(lent), 1, "the parker is the loop's");
            let mut clones: Vec<Waker> = (0..25).map(|_| lent.clone()).collect();
            assert_eq!(count_of(lent), 26);
            clones[0].wake_by_ref();
            lent.wake_by_ref();
            assert_eq!(count_of(lent), 26);
            clones.pop().unwrap().wake();
            assert_eq!(count_of(lent), 25);
            drop(clones.pop());
            assert_eq!(count_of(lent), 24);
            drop(clones);
            assert_eq!(count_of(lent), 1);
            Poll::Ready(())
        }),
    );
}

/// How many own the parker that a waker of the stage points to.
#[allow(unsafe_code)]
fn count_of(waker: &Waker) -> usize {
    // SAFETY: the stage's wakers point into an `Arc` of its parker, which `block_on` keeps alive; the count stays.
    let parker = ManuallyDrop::new(unsafe { Arc::from_raw(waker.data().cast::<stage::Parker>()) });
    Arc::strong_count(&parker)
}

/// Clones are interchangeable, and may go to other threads.
#[test]
fn a_clone_wakes_the_same_task() {
    block_on(
        &virtual_clock(),
        poll_fn(|context| {
            let wakers: Vec<Waker> = (0..25).map(|_| context.waker().clone()).collect();
            assert!(wakers.iter().all(|waker| waker.will_wake(context.waker())));
            thread::spawn(|| drop(wakers)).join().unwrap();
            Poll::Ready(())
        }),
    );
}

/// A `block_on` within a poll of another has a parker of its own.
#[test]
fn block_on_nests() {
    let clock = virtual_clock();
    let outer = async {
        do_some_work(&clock, 1).await;
        let inner = virtual_clock();
        block_on(&inner, do_some_work(&inner, 5));
        do_some_work(&clock, 1).await
    };
    assert_eq!(block_on(&clock, outer), "Done after 1s");
    assert_eq!(clock.now(), Duration::from_secs(2));
}

/// Twenty-five sleeps one after the other, and as many at once with equal deadlines among them.
#[test]
fn many_sleeps_end_at_their_deadlines() {
    let clock = virtual_clock();
    let sum = block_on(&clock, async {
        for x in 0..25 {
            do_some_work(&clock, x).await;
        }
        clock.now()
    });
    assert_eq!(sum, Duration::from_secs((0..25).sum()));

    let clock = virtual_clock();
    let mut all: std::pin::Pin<Box<dyn Future<Output = usize> + '_>> = Box::pin(async { 0 });
    for place in 0..25 {
        let work = do_some_work(&clock, [3, 1, 2][place % 3]);
        all = Box::pin(async move { join(all, work).await.0 + 1 });
    }
    let (finished, polls) = block_on(&clock, counted(all));
    assert_eq!((finished, clock.now()), (25, Duration::from_secs(3)));
    assert!(polls > 4, "{polls}");
}
