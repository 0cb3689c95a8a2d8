//! The stage of chapter 8. On the virtual clock all that it tells is told by the thread of the test.

#[allow(dead_code, missing_docs, unsafe_code)]
#[path = "../lessons/ch08_tasks/stage.rs"]
mod stage;
#[path = "common/stages.rs"]
mod stages;

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::pin::{Pin, pin};
use std::process::Command;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use stage::{ARROWS, Clock, EventLoop, State, Task, Time, do_some_work, join};
use stages::{Bell, OnDrop, TOLD, listen_to, told, yields};

const STAGE: &str = include_str!("../lessons/ch08_tasks/stage.rs");
const LESSON: &str = include_str!("../lessons/ch08_tasks/README.md");
const STALLED: &str = "stalled: all tasks wait, and no waker is left that could wake one";

/// Far beyond what a thread needs for an answer.
const BACKSTOP: Duration = Duration::from_secs(60);

fn polls_of(number: usize) -> usize {
    told("poll").iter().filter(|polled| **polled == number.to_string()).count()
}

fn virtual_clock() -> Arc<Clock> {
    Clock::new(Time::Virtual(Mutex::default()))
}

/// What a panic was given, if it is a text of the program's.
fn text(panic: &(dyn std::any::Any + Send)) -> &'static str {
    panic.downcast_ref::<&str>().expect("a text")
}

/// Pending once, and leaves its waker there.
async fn is_woken(wakers: &RefCell<Vec<Waker>>) {
    let mut is_first = true;
    poll_fn(|context| {
        if !std::mem::take(&mut is_first) {
            return Poll::Ready(());
        }
        wakers.borrow_mut().push(context.waker().clone());
        Poll::Pending
    })
    .await;
}

const STATES: [State; 5] = [State::Waiting, State::Ready, State::Running, State::Woken, State::Over];

/// The rows of the lesson's table: from where to where.
fn arrows_of_the_lesson() -> Vec<(State, State)> {
    let state = |word: &str| STATES.into_iter().find(|state| format!("{state:?}") == word).expect("a state");
    let rows = LESSON.lines().skip_while(|line| !line.starts_with("| from | to |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    rows.map(|row| (state(&cells(row)[1]), state(&cells(row)[2]))).collect()
}

/// The stage with a `main` of the test's, which sees what is private there.
fn stage_with(main: &str) -> String {
    run(&STAGE.replace("\r\n", "\n"), main)
}

fn run(stage: &str, main: &str) -> String {
    let folder =
        std::env::temp_dir().join(format!("handloop-ch08-{}-{:?}", std::process::id(), thread::current().id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (file, program) = (folder.join("stage.rs"), folder.join("program"));
    let text = stage.replace("pub fn main() {", "pub fn main_of_the_stage() {");
    std::fs::write(&file, format!("{text}\n{main}")).unwrap();
    let compiler =
        |file: &Path| Command::new("rustc").args(["--edition", "2024", "-o"]).arg(&program).arg(file).output();
    let made = compiler(&file).unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let output = Command::new(&program).output().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
}

/// Rule 8.1: all pairs of states, on a ticket of the stage's.
#[test]
fn a_task_goes_along_the_arrows_of_the_lesson_and_no_other() {
    let arrows = arrows_of_the_lesson();
    assert_eq!(arrows, ARROWS);
    let output = stage_with(
        r#"
fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    let states = [Waiting, Ready, Running, Woken, Over];
    for (from, to) in states.into_iter().flat_map(|from| states.map(|to| (from, to))) {
        let parker = Arc::new(Parker::default());
        let ticket = Ticket { number: 1, state: Mutex::new(from), parker: parker.clone() };
        let is_possible = catch_unwind(AssertUnwindSafe(|| ticket.change(|_| to))).is_ok();
        let state = *ticket.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        println!("{from:?} {to:?}: {is_possible}, {state:?}, entries {}", parker.ready.lock().unwrap().len());
    }
}
"#,
    );
    let expected = |from: State, to: State| {
        let is_possible = from == to || arrows.contains(&(from, to));
        let entries = usize::from(is_possible && from != to && to == State::Ready);
        let state = if is_possible { to } else { from };
        format!("{from:?} {to:?}: {is_possible}, {state:?}, entries {entries}\n")
    };
    let expected: String =
        STATES.into_iter().flat_map(|from| STATES.map(|to| (from, to))).map(|(from, to)| expected(from, to)).collect();
    assert_eq!(output, expected);
}

/// Rule 8.1: what a task's state is as it is spawned, woken and polled.
#[test]
fn each_arrow_has_the_cause_that_the_lesson_gives_it() {
    let output = stage_with(
        r#"
fn say(what: &str, waker: &Waker) {
    // SAFETY: each waker of this program is the stage's, and points to a ticket.
    println!("{what}: {:?}", *unsafe { &*waker.data().cast::<Ticket>() }.state.lock().unwrap());
}

fn main() {
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    let (kept, event_loop) = (Cell::new(None), EventLoop::new(&clock));
    let (mut polls, place) = (0, &kept);
    drop(event_loop.spawn("looks", poll_fn(move |context: &mut Context<'_>| {
        polls += 1;
        say(&format!("in poll {polls}"), context.waker());
        if polls != 1 {
            context.waker().wake_by_ref();
            say("after a wake", context.waker());
            context.waker().wake_by_ref();
            say("after another", context.waker());
        }
        place.set(Some(context.waker().clone()));
        if polls == 3 { Poll::Ready(()) } else { Poll::Pending }
    })));
    println!("spawned: {:?}", *event_loop.tasks.borrow()[&1].0.state.lock().unwrap());
    for _ in 0..3 {
        event_loop.turn();
        let waker = kept.take().unwrap();
        say("after the poll", &waker);
        waker.wake_by_ref();
        say("after a wake", &waker);
        waker.wake_by_ref();
        println!("entries: {}", event_loop.parker.ready.lock().unwrap().len());
    }
}
"#,
    );
    let expected = "spawned: Ready
        in poll 1: Running
        after the poll: Waiting
        after a wake: Ready
        entries: 1
        in poll 2: Running
        after a wake: Woken
        after another: Woken
        after the poll: Ready
        after a wake: Ready
        entries: 1
        in poll 3: Running
        after a wake: Woken
        after another: Woken
        after the poll: Over
        after a wake: Over
        entries: 0";
    assert_eq!(output.lines().collect::<Vec<_>>(), expected.lines().map(str::trim).collect::<Vec<_>>());
}

/// Rule 8.1, with 25 tasks: five wakes before a poll are one, and five wakes during it are one more.
#[test]
fn wakes_of_one_task_are_one_poll() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let wakers: RefCell<Vec<Waker>> = RefCell::default();
    let event_loop = EventLoop::new(&clock);
    for _ in 0..25 {
        let mut polls = 0;
        let wakers = &wakers;
        drop(event_loop.spawn(
            "task",
            poll_fn(move |context| {
                polls += 1;
                match polls {
                    1 => wakers.borrow_mut().push(context.waker().clone()),
                    2 => (0..5).for_each(|_| context.waker().wake_by_ref()),
                    _ => return Poll::Ready(()),
                }
                Poll::Pending
            }),
        ));
    }
    event_loop.run_until_complete(async {
        let taken = wakers.take();
        (0..5).for_each(|_| taken.iter().for_each(Waker::wake_by_ref));
        for _ in 0..3 {
            yields().await;
        }
    });
    assert!((1..=25).all(|number| polls_of(number) == 3), "{:?}", told("poll"));
}

/// A task that is woken while it runs enters the queue when its poll is over: behind whom it woke itself.
#[test]
fn a_woken_task_is_behind_those_that_its_poll_woke() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let spawner = event_loop.clone();
    event_loop.run_until_complete(async move {
        poll_fn(|context| {
            context.waker().wake_by_ref();
            drop(spawner.spawn("other", async {}));
            Poll::Ready(())
        })
        .await;
        yields().await;
    });
    assert_eq!(told("poll"), ["1", "2", "1"]);
}

/// Rule 8.1: another thread wakes it in mid-poll.
#[test]
fn a_wake_of_another_thread_during_the_poll_is_not_lost() {
    listen_to(&stage::PLAYER);
    let clock = Clock::new(Time::Real(Instant::now()));
    let mut is_first = true;
    EventLoop::new(&clock).run_until_complete(poll_fn(move |context| {
        if !std::mem::take(&mut is_first) {
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        thread::spawn(move || waker.wake()).join().unwrap();
        Poll::Pending
    }));
    assert_eq!(polls_of(1), 2);
}

/// Rule 8.2, with 25 tasks that end in another order than the one in which they are awaited.
#[test]
fn each_handle_gives_the_result_of_its_own_task() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let seconds: Vec<u64> = (1..=25).map(|number| number * 7 % 26).collect();
    let tasks: Vec<Task<String>> =
        seconds.iter().map(|second| event_loop.spawn("work", do_some_work(&clock, *second))).collect();
    let results = event_loop.run_until_complete(async {
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.unwrap());
        }
        results
    });
    let expected: Vec<String> = seconds.iter().map(|second| format!("Done after {second}s")).collect();
    assert_eq!(results, expected);
    let numbers: Vec<String> = (1..=25).map(|number| number.to_string()).collect();
    assert_eq!(told("join"), numbers);
    assert_eq!(clock.now(), Duration::from_secs(25));
}

/// Rule 8.2: asked again, it waits, like any future that has nothing for its caller.
#[test]
fn a_handle_gives_its_result_once() {
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let mut task = event_loop.spawn("work", async { "once".to_owned() });
    event_loop.run_until_complete(async {});
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(Pin::new(&mut task).poll(&mut context), Poll::Ready(Ok(result)) if result == "once"));
    assert!(Pin::new(&mut task).poll(&mut context).is_pending());
}

/// Rule 8.3: main is polled to leave its waker, and again when the task is over; the wake comes from the task's poll.
#[test]
fn the_end_of_a_task_wakes_who_awaits_its_handle() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let spawner = event_loop.clone();
    event_loop.run_until_complete(async move { spawner.spawn("work", async {}).await.unwrap() });
    let expected = "task 1 main, begin, poll 1, task 2 work, wait 2, clone 1, pending 1, \
        poll 2, wake 1, drop 1, ready 2, poll 1, join 2, ready 1, end";
    assert_eq!(TOLD.take().join(", "), expected);
}

/// Rule 8.3: a task that is over is not waited for.
#[test]
fn a_handle_of_a_task_that_is_over_takes_no_waker() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let task = event_loop.spawn("work", async { 42 });
    assert_eq!(event_loop.run_until_complete(task).unwrap(), 42);
    assert_eq!([told("clone").len(), told("wait").len(), told("poll").len()], [0, 0, 2]);
}

/// Rules 8.3 and 5.3: the waker of the latest poll.
#[test]
fn a_handle_has_the_waker_of_its_latest_poll() {
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let mut task = event_loop.spawn("work", async {});
    let bells: Vec<Arc<Bell>> = (0..20).map(|_| Arc::default()).collect();
    for bell in &bells {
        let waker = Waker::from(bell.clone());
        assert!(Pin::new(&mut task).poll(&mut Context::from_waker(&waker)).is_pending());
    }
    let owners: Vec<usize> = bells.iter().map(Arc::strong_count).collect();
    assert_eq!(owners, [vec![1; 19], vec![2]].concat());
    event_loop.run_until_complete(async {});
    let rings: Vec<usize> = bells.iter().map(|bell| bell.rings.load(Ordering::SeqCst)).collect();
    assert_eq!(rings, [vec![0; 19], vec![1]].concat());
    assert_eq!(Arc::strong_count(&bells[19]), 1);
}

thread_local! {
    /// The handle that is polled by the waker that waits in its slot, and with what that poll was ready.
    static HANDLE: Cell<Option<Task<u32>>> = const { Cell::new(None) };
    static SEEN: Cell<Option<u32>> = const { Cell::new(None) };
}

struct Curious;

impl Wake for Curious {
    fn wake(self: Arc<Self>) {
        let mut task = HANDLE.take().unwrap();
        if let Poll::Ready(result) = Pin::new(&mut task).poll(&mut Context::from_waker(Waker::noop())) {
            SEEN.set(result.ok());
        }
    }
}

/// Rule 8.3: the result is there before the wake; and a `Cell` is not borrowed meanwhile.
#[test]
fn who_is_woken_finds_the_result() {
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let mut task = event_loop.spawn("work", async { 42 });
    let waker = Waker::from(Arc::new(Curious));
    assert!(Pin::new(&mut task).poll(&mut Context::from_waker(&waker)).is_pending());
    HANDLE.set(Some(task));
    event_loop.run_until_complete(async {});
    assert_eq!(SEEN.get(), Some(42));
}

/// Rule 8.4: each third of 30 tasks panics, in its first poll or in a later one.
#[test]
fn a_panic_ends_its_own_task_and_is_its_result() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let work = |number: u64| {
        let clock = &clock;
        async move {
            match number % 6 {
                0 => panic!("at once"),
                3 => {
                    do_some_work(clock, number).await;
                    panic!("later")
                }
                _ => do_some_work(clock, number).await,
            }
        }
    };
    let tasks: Vec<Task<String>> = (0..30).map(|number| event_loop.spawn("work", work(number))).collect();
    event_loop.run_until_complete(async {
        for (number, task) in (0..30).zip(tasks) {
            match (number % 6, task.await) {
                (0, result) => assert_eq!(text(&*result.unwrap_err()), "at once"),
                (3, result) => assert_eq!(text(&*result.unwrap_err()), "later"),
                (_, result) => assert_eq!(result.unwrap(), format!("Done after {number}s")),
            }
        }
    });
    assert_eq!(told("ready").len(), 31);
}

/// Rule 8.4: the panic of main comes out when its turn is over, and the loop can be used again.
#[test]
fn a_panic_of_main_comes_out_after_its_turn() {
    let clock = virtual_clock();
    let (wakers, over) = (RefCell::new(Vec::new()), Cell::new(false));
    let event_loop = EventLoop::new(&clock);
    let (spawner, wakers, is_over) = (event_loop.clone(), &wakers, &over);
    let main = async move {
        let neighbour = async {
            is_woken(wakers).await;
            is_over.set(true);
        };
        drop(spawner.spawn("neighbour", neighbour));
        let wakes = async { wakers.take().into_iter().for_each(Waker::wake) };
        drop(spawner.spawn("wakes main, then the neighbour", wakes));
        is_woken(wakers).await;
        assert!(is_over.get(), "main is the first of its turn")
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| event_loop.run_until_complete(main)));
    assert_eq!(text(&*outcome.unwrap_err()), "main is the first of its turn");
    assert!(over.get(), "the neighbour was polled in the same turn");
    assert_eq!(event_loop.run_until_complete(async { 42 }), 42);
}

/// The future is dropped before its result can be read, also by a panic.
#[test]
fn the_values_of_a_task_are_gone_before_its_result_is_read() {
    for is_panic in [false, true] {
        let clock = virtual_clock();
        let dropped = Cell::new(false);
        let value = OnDrop(|| dropped.set(true));
        let event_loop = EventLoop::new(&clock);
        let task = event_loop.spawn(
            "work",
            poll_fn(move |_| {
                let _value = &value;
                assert!(!is_panic, "on purpose");
                Poll::Ready(())
            }),
        );
        let result = event_loop.run_until_complete(async {
            let result = task.await;
            assert!(dropped.get());
            result
        });
        assert_eq!(result.is_err(), is_panic);
    }
}

/// What the lesson says is missing: only polls are caught.
#[test]
fn a_panic_of_a_destructor_comes_through() {
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let value = OnDrop(|| panic!("in a destructor"));
    drop(event_loop.spawn(
        "work",
        poll_fn(move |_| {
            let _value = &value;
            Poll::Ready(())
        }),
    ));
    let neighbour = event_loop.spawn("neighbour", async { 42 });
    let outcome = catch_unwind(AssertUnwindSafe(|| event_loop.run_until_complete(async {})));
    assert_eq!(text(&*outcome.unwrap_err()), "in a destructor");
    // The rest of the turn is still in the queue.
    assert_eq!(event_loop.run_until_complete(neighbour).unwrap(), 42);
}

/// Rule 8.5, with 20 tasks: each runs to its end, and its result is dropped there.
#[test]
fn a_task_whose_handle_is_dropped_runs_on() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let results = Cell::new(0);
    let event_loop = EventLoop::new(&clock);
    for second in 1..=20 {
        let (clock, results) = (&clock, &results);
        drop(event_loop.spawn("work", async move {
            do_some_work(clock, second).await;
            OnDrop(move || results.set(results.get() + 1))
        }));
    }
    event_loop.run_until_complete(do_some_work(&clock, 10));
    // The tenth task was polled before main, whose timer is the last of those at 10 s.
    assert_eq!(results.get(), 10);
    event_loop.run_until_complete(do_some_work(&clock, 10));
    assert_eq!(results.get(), 20);
    assert_eq!(told("join"), [""; 0]);
}

/// Rules 8.4 and 8.5: a panic that nobody awaits is dropped.
#[test]
fn a_panic_of_a_detached_task_ends_that_task_alone() {
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    for _ in 0..20 {
        drop(event_loop.spawn("work", async { panic!("on purpose") }));
    }
    assert_eq!(event_loop.run_until_complete(async { 42 }), 42);
}

/// A handle that was polled and then dropped: the end of its task wakes who waited, in vain.
#[test]
fn the_waker_in_a_dropped_handles_slot_is_called() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let task = event_loop.spawn("work", do_some_work(&clock, 1));
    event_loop.run_until_complete(async {
        let mut task = Some(task);
        let lets_go = poll_fn(|context| {
            if let Some(mut task) = task.take() {
                assert!(Pin::new(&mut task).poll(context).is_pending());
            }
            Poll::Ready(())
        });
        lets_go.await;
        let mut sleep = pin!(do_some_work(&clock, 2));
        poll_fn(|context| sleep.as_mut().poll(context)).await
    });
    assert_eq!(polls_of(2), 3);
}

/// Rule 8.6: threads keep wakers beyond the end of the loop; the futures end with it, here.
#[test]
fn the_loop_drops_its_futures_while_others_have_wakers() {
    let clock = virtual_clock();
    let here = thread::current().id();
    let dropped = Cell::new(0);
    let (give, given) = channel();
    let event_loop = EventLoop::new(&clock);
    for _ in 0..20 {
        let (give, dropped) = (give.clone(), &dropped);
        drop(event_loop.spawn("work", async move {
            let _value = OnDrop(|| {
                assert_eq!(thread::current().id(), here);
                dropped.set(dropped.get() + 1);
            });
            poll_fn(|context| {
                give.send(context.waker().clone()).unwrap();
                Poll::<()>::Pending
            })
            .await;
        }));
    }
    event_loop.run_until_complete(async {});
    drop(event_loop);
    assert_eq!(dropped.get(), 20);
    let late = move || given.try_iter().inspect(Waker::wake_by_ref).count();
    assert_eq!(thread::spawn(late).join().unwrap(), 20);
    assert_eq!(dropped.get(), 20);
}

/// Rule 8.6: a future that keeps its own waker is no cycle.
#[test]
fn a_future_that_keeps_its_own_waker_is_dropped_with_the_loop() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let dropped = Cell::new(0);
    let event_loop = EventLoop::new(&clock);
    for _ in 0..20 {
        let dropped = &dropped;
        drop(event_loop.spawn("work", async move {
            let (_value, mut own) = (OnDrop(|| dropped.set(dropped.get() + 1)), None);
            poll_fn(|context| {
                own = Some(context.waker().clone());
                Poll::<()>::Pending
            })
            .await;
        }));
    }
    event_loop.run_until_complete(async {});
    drop(event_loop);
    assert_eq!(dropped.get(), 20);
    assert_eq!([told("clone").len(), told("drop").len()], [20, 20]);
}

/// With what a run panics that cannot go on.
fn end_of(run: impl FnOnce()) -> &'static str {
    text(&*catch_unwind(AssertUnwindSafe(run)).expect_err("the run does not return"))
}

/// Rule 8.7, with 20 tasks: none of them keeps a waker, or all drop it.
#[test]
fn a_loop_whose_tasks_have_no_waker_says_so() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let run = || {
        let event_loop = EventLoop::new(&clock);
        for _ in 0..10 {
            drop(event_loop.spawn("takes none", pending::<()>()));
            drop(event_loop.spawn(
                "drops it",
                poll_fn(|context| {
                    drop(context.waker().clone());
                    Poll::<()>::Pending
                }),
            ));
        }
        event_loop.run_until_complete(async {
            do_some_work(&clock, 1).await;
            pending().await
        })
    };
    assert_eq!(end_of(run), STALLED);
    assert_eq!(clock.now(), Duration::from_secs(1));
    assert_eq!(told("poll").len(), 22);
}

/// Rule 8.7 on the real clock, where the loop would park for ever.
#[test]
fn a_loop_on_the_real_clock_says_so_instead_of_parking() {
    let (end, is_end) = channel();
    thread::spawn(move || {
        let clock = Clock::new(Time::Real(Instant::now()));
        end.send(end_of(|| EventLoop::new(&clock).run_until_complete(pending()))).unwrap();
    });
    assert_eq!(is_end.recv_timeout(BACKSTOP).expect("it does not park"), STALLED);
}

/// Rule 8.7 the other way round: the order that is wrong in the lesson, in which the wake comes between the first look at the queue
/// and the count.
#[test]
fn a_wake_between_the_looks_is_seen_by_the_last() {
    let looks = "nobody_is_ready() && no_waker_is_left()";
    assert_eq!(STAGE.matches(looks).count(), 1);
    let stage = STAGE.replace(looks, "nobody_is_ready() && { between_the_looks(); true } && no_waker_is_left()");
    let output = run(
        &stage,
        r#"
thread_local! {
    static KEPT: Cell<Option<Waker>> = const { Cell::new(None) };
}

fn between_the_looks() {
    KEPT.take().unwrap().wake();
}

fn main() {
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    let mut is_first = true;
    EventLoop::new(&clock).run_until_complete(poll_fn(move |context| {
        if !std::mem::take(&mut is_first) {
            return Poll::Ready(());
        }
        KEPT.set(Some(context.waker().clone()));
        Poll::Pending
    }));
    println!("over");
}
"#,
    );
    assert_eq!(output, "over\n");
}

/// The same on threads: while another one has a waker the loop waits, and what is woken is seen.
#[test]
fn a_loop_never_says_that_it_is_stalled_while_a_wake_is_on_its_way() {
    let (end, is_end) = channel();
    thread::spawn(move || {
        let (give, given) = channel::<Waker>();
        thread::spawn(move || given.into_iter().for_each(Waker::wake));
        let clock = Clock::new(Time::Real(Instant::now()));
        let event_loop = EventLoop::new(&clock);
        (0..500).for_each(|_| drop(event_loop.spawn("waits", pending::<()>())));
        let mut polls = 0;
        event_loop.run_until_complete(poll_fn(move |context| {
            polls += 1;
            if polls == 1000 {
                return Poll::Ready(());
            }
            give.send(context.waker().clone()).unwrap();
            Poll::Pending
        }));
        end.send(()).unwrap();
    });
    is_end.recv_timeout(BACKSTOP).expect("the run returns: no panic, and no wake is lost");
}

/// What the lesson says that the loop cannot see: a waker is there, and nobody will call it.
#[test]
fn a_waker_that_nobody_will_call_counts_like_any_other() {
    let clock = virtual_clock();
    let kept = Cell::new(None);
    let awaits_the_stuck = || {
        let event_loop = EventLoop::new(&clock);
        let task = event_loop.spawn("stuck", pending::<()>());
        drop(event_loop.run_until_complete(task));
    };
    let is_kept = || {
        EventLoop::new(&clock).run_until_complete(poll_fn(|context| {
            kept.set(Some(context.waker().clone()));
            Poll::Pending
        }))
    };
    let each_other = || {
        let event_loop = EventLoop::new(&clock);
        let place: Rc<Cell<Option<Task<()>>>> = Rc::default();
        let other = place.clone();
        let one = event_loop.spawn("one", async move { other.take().unwrap().await.unwrap() });
        place.set(Some(event_loop.spawn("two", async { one.await.unwrap() })));
        event_loop.run_until_complete(pending())
    };
    for run in [&awaits_the_stuck as &dyn Fn(), &is_kept, &each_other] {
        assert_eq!(end_of(run), "nobody is left who could wake this thread");
    }
}

/// The lesson's count: two polls for each task, and main is polled for the end of each.
#[test]
fn main_is_polled_for_each_task_that_it_joins() {
    listen_to(&stage::PLAYER);
    let clock = virtual_clock();
    let event_loop = EventLoop::new(&clock);
    let mut all: Pin<Box<dyn Future<Output = usize>>> = Box::pin(async { 0 });
    for second in 1..=20 {
        let task = event_loop.spawn("work", do_some_work(&clock, second));
        let joined = join(all, task);
        all = Box::pin(async {
            let (count, result) = joined.await;
            count + usize::from(result.is_ok())
        });
    }
    assert_eq!(event_loop.run_until_complete(all), 20);
    assert!((1..=20).all(|number| polls_of(number) == 2));
    assert_eq!(polls_of(21), 21);
    assert_eq!([told("wake").len(), told("clone").len()], [40, 20 + 20 * 21 / 2]);
}
