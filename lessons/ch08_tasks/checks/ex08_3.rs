//! The check of exercise 8.3.
#![allow(dead_code, missing_docs)]

#[path = "../../checker/mod.rs"]
mod checker;
#[path = "../exercises/ex08_3.rs"]
mod exercise;
/// The loop as it was handed out.
#[path = "../given/ex08_3.rs"]
mod handed_out;

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as StdMutex};
use std::task::{Context, Poll, Waker};

use checker::{Verdict, messages};
use exercise::{EventLoop, reproduce};

fn main() -> ExitCode {
    checker::run(
        "ex08_3",
        &[("8.6", the_loop_alone_owns_the_futures), ("5.5", each_wake_is_one_poll), ("5.8", no_lock_is_held)],
    )
}

/// The `Mutex` of std, for a check that has one thread: to lock twice is an error and no wait, and whenever no lock is
/// held, the code of a second thread can come in.
mod lock {
    use std::cell::{Cell, RefCell};
    use std::ops::{Deref, DerefMut};
    use std::panic::Location;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{LockResult, MutexGuard, TryLockError};

    type Code = Box<dyn FnOnce()>;

    thread_local! {
        static HELD: Cell<usize> = const { Cell::new(0) };
        static LOCKS: Cell<usize> = const { Cell::new(0) };
        /// What comes in, after so many more moments in which it could.
        static WAITING: RefCell<Option<(usize, Code)>> = const { RefCell::new(None) };
    }

    #[derive(Debug, Default)]
    pub struct Mutex<T: ?Sized> {
        /// Where it was locked last.
        line: AtomicU32,
        value: std::sync::Mutex<T>,
    }

    #[derive(Debug)]
    pub struct Guard<'a, T: ?Sized>(Option<MutexGuard<'a, T>>);

    impl<T> Mutex<T> {
        pub const fn new(value: T) -> Self {
            Mutex { line: AtomicU32::new(0), value: std::sync::Mutex::new(value) }
        }

        pub fn into_inner(self) -> LockResult<T> {
            self.value.into_inner()
        }
    }

    impl<T: ?Sized> Mutex<T> {
        #[track_caller]
        pub fn lock(&self) -> LockResult<Guard<'_, T>> {
            let_others_in();
            LOCKS.set(LOCKS.get() + 1);
            if LOCKS.get() > super::TOO_MANY_LOCKS && !std::thread::panicking() {
                LOCKS.set(0);
                std::panic::panic_any(super::Endless::Locks);
            }
            let guard = match self.value.try_lock() {
                Ok(guard) => guard,
                // Here a panic poisons nothing that is looked at again.
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {
                    let lines = [self.line.load(Ordering::SeqCst), Location::caller().line()];
                    std::panic::panic_any(super::LockedTwice(lines))
                }
            };
            self.line.store(Location::caller().line(), Ordering::SeqCst);
            HELD.set(HELD.get() + 1);
            Ok(Guard(Some(guard)))
        }

        pub fn get_mut(&mut self) -> LockResult<&mut T> {
            self.value.get_mut()
        }
    }

    impl<T: ?Sized> Deref for Guard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.0.as_ref().expect("it is held until it is dropped")
        }
    }

    impl<T: ?Sized> DerefMut for Guard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.0.as_mut().expect("it is held until it is dropped")
        }
    }

    impl<T: ?Sized> Drop for Guard<'_, T> {
        fn drop(&mut self) {
            self.0.take();
            HELD.set(HELD.get() - 1);
            if !std::thread::panicking() {
                let_others_in();
            }
        }
    }

    /// Lets code in at the moment number `skip`, counted from 0.
    pub fn come_in(skip: usize, code: impl FnOnce() + 'static) {
        WAITING.set(Some((skip, Box::new(code))));
    }

    /// Whether the code that was to come in is still waiting.
    pub fn take_back() -> bool {
        WAITING.take().is_some()
    }

    fn let_others_in() {
        if HELD.get() > 0 {
            return;
        }
        match WAITING.take() {
            Some((0, code)) => code(),
            later => WAITING.set(later.map(|(skip, code)| (skip - 1, code))),
        }
    }
}

/// What a second `lock` of the same thread panics with: the lines of both.
struct LockedTwice([u32; 2]);

/// What ends a loop without end.
#[derive(PartialEq)]
enum Endless {
    Polls,
    Locks,
}

/// No future of a check is polled so often.
const TOO_MANY: usize = 10_000;

/// All checks together lock a lock not so often.
const TOO_MANY_LOCKS: usize = 1_000_000;

/// Tasks in each check.
const TASKS: usize = 24;

/// Of each future of a check.
#[derive(Default)]
struct Life {
    polls: AtomicUsize,
    /// The poll in which it is ready; before that it is pending.
    ready_in: AtomicUsize,
    is_dropped: AtomicBool,
    /// The waker of its latest poll, where the check keeps it.
    waker: StdMutex<Option<Waker>>,
}

impl Life {
    fn polls(&self) -> usize {
        self.polls.load(Ordering::SeqCst)
    }

    fn is_dropped(&self) -> bool {
        self.is_dropped.load(Ordering::SeqCst)
    }

    /// The waker that the check has kept.
    fn wake(&self) {
        let waker = self.waker.lock().unwrap().clone();
        waker.iter().for_each(Waker::wake_by_ref);
    }

    fn ends_next(&self) {
        self.ready_in.store(self.polls() + 1, Ordering::SeqCst);
    }
}

/// Where a future leaves its waker.
#[derive(Clone, Copy, PartialEq)]
enum Keeps {
    InItself,
    WithTheCheck,
    Nowhere,
}

/// What else a future does.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    Nothing,
    /// Each pending poll wakes its own task so many times.
    Wakes(usize),
    /// It wakes its task when it is dropped.
    WakesAtTheEnd,
}

struct Piece {
    life: Arc<Life>,
    own: Option<Waker>,
    keeps: Keeps,
    does: Does,
}

impl Future for Piece {
    type Output = ();

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let polls = self.life.polls.fetch_add(1, Ordering::SeqCst) + 1;
        if polls > TOO_MANY {
            panic_any(Endless::Polls);
        }
        match self.keeps {
            Keeps::InItself => self.own = Some(context.waker().clone()),
            Keeps::WithTheCheck => *self.life.waker.lock().unwrap() = Some(context.waker().clone()),
            Keeps::Nowhere => {}
        }
        if polls >= self.life.ready_in.load(Ordering::SeqCst) {
            return Poll::Ready(());
        }
        if let Does::Wakes(times) = self.does {
            (0..times).for_each(|_| context.waker().wake_by_ref());
        }
        Poll::Pending
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        if self.does == Does::WakesAtTheEnd && !std::thread::panicking() {
            self.own.iter().for_each(Waker::wake_by_ref);
            self.life.wake();
        }
        self.life.is_dropped.store(true, Ordering::SeqCst);
    }
}

fn spawn(event_loop: &mut EventLoop, ready_in: usize, keeps: Keeps, does: Does) -> Arc<Life> {
    let life = Arc::new(Life { ready_in: AtomicUsize::new(ready_in), ..Life::default() });
    event_loop.spawn(Box::pin(Piece { life: life.clone(), own: None, keeps, does }));
    life
}

type Panic = Box<dyn Any + Send>;

/// What a part of a check ended with: a lock that is locked twice is rule 5.8's.
fn caught<R>(code: impl FnOnce() -> R) -> Result<R, Panic> {
    catch_unwind(AssertUnwindSafe(code))
}

/// A verdict, unless the lock was locked twice, or a run had no end: these are for the others.
fn unless_ended(code: impl FnOnce() -> Verdict) -> Verdict {
    match caught(code) {
        Ok(verdict) => verdict,
        Err(panic) if panic.is::<LockedTwice>() || panic.is::<Endless>() => Ok(()),
        Err(panic) => resume_unwind(panic),
    }
}

const NEVER: usize = usize::MAX;

fn the_loop_alone_owns_the_futures() -> Verdict {
    reproduction()?;
    // With these no run is possible, so they come before all rules.
    if let Some([first, second]) = locked_twice(NEVER, Keeps::WithTheCheck, Does::Nothing) {
        return Err(messages::locked_in_the_loop(first, second));
    }
    for is_dropped in [false, true] {
        let ran = caught(|| {
            let mut event_loop = EventLoop::new();
            spawn(&mut event_loop, NEVER, Keeps::WithTheCheck, Does::Nothing);
            event_loop.run();
            if is_dropped { drop(event_loop) } else { std::mem::forget(event_loop) }
        });
        if ran.is_err_and(|panic| panic.downcast_ref() == Some(&Endless::Locks)) {
            return Err(messages::does_not_return(is_dropped));
        }
    }
    for check in [waiting_with_its_loop, over_and_gone, gone_with_the_loop, gone_before_its_wakers, wake_on_the_way] {
        unless_ended(check).map_err(|seen| messages::part_2_the_loop(&seen))?;
    }
    Ok(())
}

/// Whoever waits is there as long as the loop is, however many come and go.
fn waiting_with_its_loop() -> Verdict {
    let mut event_loop = EventLoop::new();
    let mut waiting = Vec::new();
    for number in 0..TASKS {
        let keeps = [Keeps::InItself, Keeps::WithTheCheck, Keeps::Nowhere][number % 3];
        waiting.push(spawn(&mut event_loop, NEVER, keeps, Does::Nothing));
        if number % 2 == 0 {
            spawn(&mut event_loop, 1, keeps, Does::Nothing);
        }
        if number % 4 == 3 {
            event_loop.run();
        }
        let gone = waiting.iter().filter(|life| life.is_dropped()).count();
        if gone > 0 {
            return Err(why_they_are_gone(&waiting, gone));
        }
    }
    Ok(())
}

/// Each third one of those that wait has left its waker nowhere.
fn why_they_are_gone(waiting: &[Arc<Life>], gone: usize) -> String {
    let are = |is_gone: fn(usize, &Life) -> bool| {
        waiting.iter().enumerate().all(|(number, life)| life.is_dropped() == is_gone(number, life))
    };
    if are(|number, life| life.polls() > 0 && number % 3 == 2) {
        messages::dropped_without_a_waker(gone)
    } else if are(|_, life| life.polls() > 0) {
        messages::dropped_after_its_poll(gone)
    } else {
        messages::dropped_for_another(gone)
    }
}

/// Whoever is over is gone at once, though there are wakers.
fn over_and_gone() -> Verdict {
    let mut event_loop = EventLoop::new();
    let lives: Vec<Arc<Life>> = (0..TASKS)
        .map(|number| {
            let keeps = [Keeps::InItself, Keeps::WithTheCheck][number % 2];
            spawn(&mut event_loop, 1 + number % 3, keeps, Does::Nothing)
        })
        .collect();
    for _ in 0..4 {
        event_loop.run();
        lives.iter().for_each(|life| life.wake());
    }
    event_loop.run();
    // Those that keep their waker in themselves are woken by nobody, and wait.
    let over: Vec<&Arc<Life>> =
        lives.iter().filter(|life| life.polls() >= life.ready_in.load(Ordering::SeqCst)).collect();
    match over.iter().filter(|life| !life.is_dropped()).count() {
        0 => Ok(()),
        left => Err(messages::left_when_over(over.len(), left)),
    }
}

/// The loop is dropped; tasks wait, and some were never polled. First without any waker, then each future has its own.
fn gone_with_the_loop() -> Verdict {
    for keeps in [Keeps::Nowhere, Keeps::InItself] {
        let mut event_loop = EventLoop::new();
        let mut spawned = [Vec::new(), Vec::new()];
        for lives in &mut spawned {
            event_loop.run();
            lives.extend((0..TASKS).map(|_| spawn(&mut event_loop, NEVER, keeps, Does::Nothing)));
        }
        drop(event_loop);
        let [waiting, never_polled] = spawned.map(|lives| lives.iter().filter(|life| !life.is_dropped()).count());
        if waiting + never_polled > 0 {
            return Err(messages::left_with_the_loop(waiting, never_polled, keeps == Keeps::InItself));
        }
    }
    Ok(())
}

/// The same with wakers that the check keeps. Then they are called and dropped.
fn gone_before_its_wakers() -> Verdict {
    let mut event_loop = EventLoop::new();
    let lives: Vec<Arc<Life>> =
        (0..TASKS).map(|_| spawn(&mut event_loop, NEVER, Keeps::WithTheCheck, Does::Nothing)).collect();
    event_loop.run();
    lives.iter().step_by(2).for_each(|life| life.wake());
    drop(event_loop);
    let left = lives.iter().filter(|life| !life.is_dropped()).count();
    if left > 0 {
        return Err(messages::left_to_the_wakers(TASKS, left));
    }
    match caught(|| lives.iter().for_each(|life| life.wake())) {
        Err(panic) if !panic.is::<LockedTwice>() => Err(messages::late_wake_panicked().to_owned()),
        _ => Ok(()),
    }
}

/// A second thread is in the middle of a wake, and the loop is dropped: at each moment in which no lock is held.
fn wake_on_the_way() -> Verdict {
    for skip in 0..TASKS {
        let mut event_loop = EventLoop::new();
        let lives: Vec<Arc<Life>> =
            (0..TASKS).map(|_| spawn(&mut event_loop, NEVER, Keeps::WithTheCheck, Does::Nothing)).collect();
        event_loop.run();
        let left = Arc::new(AtomicUsize::new(0));
        let (seen, others) = (left.clone(), lives.clone());
        lock::come_in(skip, move || {
            drop(event_loop);
            seen.store(others.iter().filter(|life| !life.is_dropped()).count(), Ordering::SeqCst);
        });
        lives[skip].wake();
        let never_came_in = lock::take_back();
        match left.load(Ordering::SeqCst) {
            // With another lock there is no moment at all.
            0 if never_came_in && skip == 0 => return Err(messages::wakes_with_another_lock().to_owned()),
            0 if never_came_in => return Ok(()),
            0 => {}
            left => return Err(messages::left_to_a_wake(TASKS, left)),
        }
    }
    Ok(())
}

/// Two loops at a time; wakes between two runs and within polls, once and several times.
fn each_wake_is_one_poll() -> Verdict {
    // Whether a task is there at all is rule 8.6's.
    if unless_ended(waiting_with_its_loop).is_err() {
        return Ok(());
    }
    unless_ended_by_a_lock(|| {
        let mut loops = [EventLoop::new(), EventLoop::new()];
        let lives: Vec<Arc<Life>> =
            (0..TASKS).map(|number| spawn(&mut loops[number % 2], NEVER, Keeps::WithTheCheck, Does::Nothing)).collect();
        loops.iter_mut().for_each(EventLoop::run);
        let mut expected = vec![1; TASKS];
        for round in 0..6 {
            for number in (0..TASKS).filter(|number| (number + round) % 3 > 0) {
                // Every other time on a second thread.
                let wake = || (0..=number % 3).for_each(|_| lives[number].wake());
                if round % 2 == 0 {
                    wake()
                } else {
                    std::thread::scope(|scope| drop(scope.spawn(wake).join()))
                }
                expected[number] += 1;
            }
            loops.iter_mut().for_each(EventLoop::run);
            compare("of tasks that are woken now and then between two runs, one", &expected, &lives)?;
        }
        // All are over in the next poll, and are woken again after that.
        lives.iter().for_each(|life| life.ends_next());
        for round in 0..3 {
            lives.iter().for_each(|life| life.wake());
            loops.iter_mut().for_each(EventLoop::run);
            expected.iter_mut().for_each(|polls| *polls += usize::from(round == 0));
            compare("of tasks that are woken now and then between two runs, one", &expected, &lives)?;
        }
        // The wakers of those that are over are for nobody else.
        let later: Vec<Arc<Life>> =
            (0..TASKS).map(|number| spawn(&mut loops[number % 2], NEVER, Keeps::Nowhere, Does::Nothing)).collect();
        loops.iter_mut().for_each(EventLoop::run);
        lives.iter().for_each(|life| life.wake());
        loops.iter_mut().for_each(EventLoop::run);
        if later.iter().any(|life| life.polls() > 1) {
            return Err(messages::woke_another_task().to_owned());
        }
        // Each of these wakes itself in each poll but the last.
        let lives: Vec<Arc<Life>> = (0..TASKS)
            .map(|number| spawn(&mut loops[number % 2], 2 + number % 5, Keeps::Nowhere, Does::Wakes(1 + number % 3)))
            .collect();
        loops.iter_mut().for_each(EventLoop::run);
        compare(
            "of tasks that wake themselves in each poll but the last, one",
            &(0..TASKS).map(|number| 2 + number % 5).collect::<Vec<_>>(),
            &lives,
        )
    })
}

fn compare(what: &str, expected: &[usize], lives: &[Arc<Life>]) -> Verdict {
    let polls: Vec<usize> = lives.iter().map(|life| life.polls()).collect();
    match (0..TASKS).find(|number| polls[*number] != expected[*number]) {
        None => Ok(()),
        Some(number) => Err(messages::polls_for_wakes(what, expected[number], polls[number])),
    }
}

fn unless_ended_by_a_lock(code: impl FnOnce() -> Verdict) -> Verdict {
    match caught(code) {
        Ok(verdict) => verdict,
        Err(panic) if panic.is::<LockedTwice>() => Ok(()),
        Err(panic) if panic.downcast_ref() == Some(&Endless::Polls) => Err(messages::polled_without_end(TOO_MANY)),
        Err(panic) if panic.is::<Endless>() => Ok(()),
        Err(panic) => resume_unwind(panic),
    }
}

/// Where a lock was taken twice, when tasks did this. They are woken from outside, too.
fn locked_twice(ready_in: usize, keeps: Keeps, does: Does) -> Option<[u32; 2]> {
    let ran = caught(|| {
        let mut event_loop = EventLoop::new();
        let lives: Vec<Arc<Life>> = (0..TASKS).map(|_| spawn(&mut event_loop, ready_in, keeps, does)).collect();
        event_loop.run();
        lives.iter().for_each(|life| life.wake());
        event_loop.run();
    });
    ran.err()?.downcast::<LockedTwice>().ok().map(|locked| locked.0)
}

/// Wakes that come from a future: in its poll, and when it is dropped, at its end and with the loop.
fn no_lock_is_held() -> Verdict {
    for (what, ready_in, keeps, does) in [
        ("a task woke itself while it was polled", 2, Keeps::Nowhere, Does::Wakes(1)),
        ("a future that was ready woke its task as it was dropped", 1, Keeps::InItself, Does::WakesAtTheEnd),
        ("the loop was dropped, and a future woke its task", NEVER, Keeps::InItself, Does::WakesAtTheEnd),
    ] {
        if let Some([first, second]) = locked_twice(ready_in, keeps, does) {
            return Err(messages::locked_in_a_wake(what, first, second));
        }
    }
    Ok(())
}

/// The future of the student on the loop that was handed out.
fn reproduction() -> Verdict {
    let life = Arc::new(Life::default());
    let (shared, mut work) = (life.clone(), reproduce());
    // Gone when the loop lets go of it, whatever the future itself does.
    let piece = Piece { life: life.clone(), own: None, keeps: Keeps::Nowhere, does: Does::Nothing };
    let is_ready = Arc::new(AtomicBool::new(false));
    let told = is_ready.clone();
    let wrapped = poll_fn(move |context| {
        let _ = &piece;
        if shared.polls.fetch_add(1, Ordering::SeqCst) > TOO_MANY {
            panic_any(Endless::Polls);
        }
        let polled = work.as_mut().poll(context);
        told.store(polled.is_ready(), Ordering::SeqCst);
        polled
    });
    let ran = caught(|| {
        let mut event_loop = handed_out::EventLoop::new();
        event_loop.spawn(Box::pin(wrapped));
        event_loop.run();
    });
    match ran {
        Err(panic) if panic.is::<Endless>() => Err(messages::reproduction_wakes_itself(TOO_MANY)),
        Err(panic) => resume_unwind(panic),
        Ok(()) if !life.is_dropped() => Ok(()),
        Ok(()) if is_ready.load(Ordering::SeqCst) => Err(messages::reproduces_one_that_is_over(life.polls())),
        Ok(()) => Err(messages::reproduces_one_that_is_dropped().to_owned()),
    }
}
