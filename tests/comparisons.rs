//! The programs of handloop in `lessons/FROM_ASYNCIO.md` and `lessons/FROM_TOKIO.md`, and what those pages say of it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use handloop::{EventLoop, LoopHandle, ResultError, gather, run_in_executor, sleep, spawn, timeout, yield_now};

thread_local! {
    static SAID: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn say(line: &str) {
    SAID.with_borrow_mut(|said| said.push(line.to_owned()));
}

fn said() -> Vec<String> {
    SAID.take()
}

fn run<F: Future>(future: F) -> F::Output {
    EventLoop::builder().virtual_clock().build().run_until_complete(future)
}

async fn work(name: &'static str) {
    say(&format!("{name} runs"));
}

async fn makes() {
    let future = work("future");
    let task = spawn(work("task"));
    say("made");
    task.await.unwrap();
    future.await;
}

#[test]
fn to_make_a_future_or_a_task_runs_nothing() {
    run(makes());
    assert_eq!(said(), ["made", "task runs", "future runs"]);
}

struct Connection;

impl Drop for Connection {
    fn drop(&mut self) {
        say("closed, without an await");
    }
}

async fn serves() {
    let _connection = Connection;
    sleep(Duration::from_secs(3600)).await;
}

async fn cancels() {
    let task = spawn(serves());
    yield_now().await;
    task.cancel();
    let error = task.await.unwrap_err();
    say(&format!("cancelled: {}", error.is_cancelled()));
}

#[test]
fn a_cancelled_task_is_dropped_and_its_end_is_a_value() {
    run(cancels());
    assert_eq!(said(), ["closed, without an await", "cancelled: true"]);
}

async fn inner() {
    sleep(Duration::from_secs(1)).await;
    say("inner is over");
}

async fn waits_for_inner() {
    let outer = spawn(async { spawn(inner()).await });
    yield_now().await;
    yield_now().await;
    outer.cancel();
    say(&format!("outer: {}", outer.await.unwrap_err().is_cancelled()));
    sleep(Duration::from_secs(2)).await;
}

#[test]
fn a_task_that_waits_for_another_is_cancelled_alone() {
    run(waits_for_inner());
    assert_eq!(said(), ["outer: true", "inner is over"]);
}

#[test]
fn a_future_that_is_awaited_goes_with_the_task_that_awaits_it() {
    run(async {
        let outer = spawn(async { inner().await });
        yield_now().await;
        outer.cancel();
        assert!(outer.await.unwrap_err().is_cancelled());
        sleep(Duration::from_secs(2)).await;
    });
    assert_eq!(said(), [""; 0]);
}

#[test]
fn a_timeout_of_zero_polls_once() {
    run(async {
        assert_eq!(timeout(Duration::ZERO, async { 42 }).await, Ok(42));
        assert!(timeout(Duration::ZERO, yield_now()).await.is_err());
    });
}

#[test]
fn a_panic_is_what_gather_calls_a_failure_and_an_err_is_a_value() {
    run(async {
        let outputs = gather([spawn(async { Err::<u32, _>("an error") }), spawn(async { Ok(1) })]).await.unwrap();
        assert_eq!(outputs, [Err("an error"), Ok(1)]);
    });
}

#[test]
fn the_wrong_thread_gets_an_error_instead_of_a_deadlock() {
    run(async {
        let pending = LoopHandle::current().unwrap().submit(sleep(Duration::from_secs(1)));
        assert!(matches!(pending.result(), Err(ResultError::OwnThread)));
    });
}

#[test]
fn a_loop_is_running_only_while_it_runs() {
    assert!(LoopHandle::current().is_none());
    let event_loop = EventLoop::new();
    assert!(LoopHandle::current().is_none());
    event_loop.run_until_complete(async { assert!(LoopHandle::current().is_some()) });
    assert!(LoopHandle::current().is_none());
}

async fn shares() {
    let shared = Rc::new(Cell::new(0));
    let also_shared = shared.clone();
    let task = spawn(async move { also_shared.set(42) });
    task.await.unwrap();
    assert_eq!(shared.get(), 42);
}

#[test]
fn a_task_need_not_be_send() {
    run(shares());
}

async fn from_another_thread() {
    let handle = LoopHandle::current().unwrap();
    let submits = move || handle.submit(async { 6 * 7 }).result().unwrap();
    let answer = run_in_executor(submits).await.unwrap();
    assert_eq!(answer, 42);
}

#[test]
fn another_thread_submits_and_waits() {
    run(from_another_thread());
}

async fn gives_up() {
    let task = spawn(sleep(Duration::from_secs(3600)));
    let task = timeout(Duration::from_secs(1), task).await;
    assert!(task.is_err()); // the handle is gone, and the task sleeps on
}

#[test]
fn a_timeout_around_a_handle_drops_the_handle() {
    run(async {
        let before = handloop::time();
        gives_up().await;
        assert_eq!(handloop::time() - before, Duration::from_secs(1));
        assert_eq!(handloop::all_tasks().len(), 2);
    });
}

#[test]
fn each_job_has_a_thread_of_its_own() {
    run(async {
        let jobs = [(), ()].map(|()| run_in_executor(|| thread::current().id()));
        let threads = gather(jobs).await.unwrap();
        assert_ne!(threads[0], threads[1]);
        assert_ne!(threads[0], thread::current().id());
    });
}
