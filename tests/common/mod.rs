//! What the tests share: a watchdog, a trace, counters of polls and drops, and wakers that count.
#![allow(dead_code, missing_docs)]

use std::cell::RefCell;
use std::future::Future;
use std::io::Write;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use handloop::{Builder, EventLoop, LoopHandle, Report};

/// Runs a test on a thread of its own, and ends the whole process if it hangs. The limit is far beyond what any test
/// needs on a slow machine; nothing is measured by it.
#[track_caller]
pub fn watched(test: impl FnOnce() + Send + 'static) {
    let (done, finished) = channel();
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let thread = std::thread::Builder::new()
        .name(name.clone())
        .spawn(move || {
            test();
            let _ = done.send(());
        })
        .unwrap();
    if let Err(RecvTimeoutError::Timeout) = finished.recv_timeout(Duration::from_secs(120)) {
        // Not `eprintln!`, whose text the test harness would keep for itself.
        let _ = writeln!(std::io::stderr(), "{name} hangs: the watchdog ends the test run");
        std::process::exit(101);
    }
    if let Err(payload) = thread.join() {
        std::panic::resume_unwind(payload);
    }
}

pub fn virtual_loop() -> EventLoop {
    EventLoop::builder().virtual_clock().build()
}

/// What happened, in order, as short strings.
#[derive(Clone, Default)]
pub struct Trace(Rc<RefCell<Vec<String>>>);

impl Trace {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn add(&self, event: impl Into<String>) {
        self.0.borrow_mut().push(event.into());
    }

    /// All events so far, and forgets them.
    pub fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

/// Reports, as text, from whatever thread.
#[derive(Clone, Default)]
pub struct Reports(Arc<Mutex<Vec<String>>>);

impl Reports {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn collect(&self, builder: Builder) -> Builder {
        let reports = self.0.clone();
        builder.on_report(move |report: &Report| reports.lock().unwrap().push(report.to_string()))
    }

    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// A waker that counts its wakes.
#[derive(Default)]
pub struct CountingWaker(AtomicUsize);

impl CountingWaker {
    pub fn new() -> (Arc<Self>, Waker) {
        let counter = Arc::new(CountingWaker::default());
        (counter.clone(), Waker::from(counter))
    }

    pub fn wakes(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for CountingWaker {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Counts its own drops, on any thread.
#[derive(Clone, Default)]
pub struct Drops(Arc<AtomicUsize>);

impl Drops {
    pub fn new() -> Self {
        Self::default()
    }

    /// A value whose drop is counted.
    pub fn token(&self) -> Token {
        Token(self.0.clone())
    }

    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

#[derive(Debug)]
pub struct Token(Arc<AtomicUsize>);

impl Drop for Token {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Runs `code` when it is dropped.
pub struct OnDrop<F: FnMut()>(pub F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Pending until it is told otherwise; it keeps the latest waker and counts its polls.
#[derive(Clone, Default)]
pub struct Gate(Rc<RefCell<GateState>>);

#[derive(Default)]
struct GateState {
    is_open: bool,
    polls: usize,
    waker: Option<Waker>,
}

impl Gate {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn open(&self) {
        let waker = {
            let mut state = self.0.borrow_mut();
            state.is_open = true;
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub fn polls(&self) -> usize {
        self.0.borrow().polls
    }

    pub fn waker(&self) -> Option<Waker> {
        self.0.borrow().waker.clone()
    }

    /// Forgets the waker without waking.
    pub fn lose_waker(&self) {
        let waker = self.0.borrow_mut().waker.take();
        drop(waker);
    }
}

impl Future for Gate {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let before = {
            let mut state = self.0.borrow_mut();
            state.polls += 1;
            if state.is_open {
                return Poll::Ready(());
            }
            state.waker.replace(context.waker().clone())
        };
        drop(before);
        Poll::Pending
    }
}

/// The text of a caught panic.
pub fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default()
}

/// The text of the panic that `code` must end in, and the line that it names as its place.
pub fn panic_of(code: impl FnOnce()) -> String {
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(code)).expect_err("this must panic");
    panic_text(&*payload)
}

/// What happened, in order, from whatever thread.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn add(&self, event: impl Into<String>) {
        self.0.lock().unwrap().push(event.into());
    }

    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// A loop that runs for ever on a thread of its own.
pub fn start(builder: Builder) -> (LoopHandle, JoinHandle<()>) {
    let (sender, receiver) = channel();
    let thread = thread::spawn(move || {
        let event_loop = builder.build();
        sender.send(event_loop.handle()).unwrap();
        event_loop.run_forever();
    });
    (receiver.recv().unwrap(), thread)
}

/// Another executor, the smallest there is: it blocks its thread on a future, with `park` and nothing of this crate.
pub fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
