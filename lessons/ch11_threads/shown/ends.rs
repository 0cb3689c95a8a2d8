//! What comes to the thread that waits for a submitted task, whatever becomes of it.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;

use stage::{Clock, EventLoop, Handle, Remote, Time, do_some_work};

#[allow(dead_code, clippy::type_complexity)]
#[path = "../stage.rs"]
mod stage;

/// Waits on this thread, which is not the loop's, and prints what came.
fn show<T: std::fmt::Debug>(case: &str, remote: Remote<T>) {
    println!("  {case:<28} {:?}", remote.result());
}

fn main() {
    set_hook(Box::new(|_| {}));
    stage::PLAYER.get_or_init(|| |_, _| ());
    let (clock, handle) = (Clock::new(Time::Virtual(Mutex::default())), Arc::new(Handle::default()));
    let early = handle.submit("early", || async { 1 });
    let (for_loop, from_main) = channel();
    let (for_main, from_loop) = channel();
    let other = {
        let (clock, handle) = (clock.clone(), handle.clone());
        thread::spawn(move || {
            let event_loop = EventLoop::new(&clock, &handle);
            event_loop.run_forever();
            for_main.send("stopped").unwrap();
            from_main.recv().unwrap();
            event_loop.run_until_complete(do_some_work(&clock, 1));
            for_main.send("run for a second").unwrap();
            from_main.recv().unwrap();
            event_loop.close();
            drop(event_loop);
            for_main.send("closed").unwrap();
        })
    };

    println!("the loop runs:");
    show("sent before it was started", early);
    show("a value", handle.submit("value", || async { 7 }));
    show("an error is a value", handle.submit("error", || async { "x".parse::<u32>() }));
    show("a panic", handle.submit("panics", || async { panic!("in a task") }));
    let cancelled = handle.submit("for ever", pending::<()>);
    cancelled.cancel();
    show("cancelled", cancelled);
    let inner = handle.clone();
    let (says, said) = channel();
    handle.call_soon_threadsafe(move |_| {
        let own = inner.submit("own", || async { 7 });
        let panic = catch_unwind(AssertUnwindSafe(|| own.result())).unwrap_err();
        says.send(panic.downcast_ref::<&str>().unwrap().to_string()).unwrap();
    });
    println!("  asked by a job of the loop   panics: {}", said.recv().unwrap());
    let (taken, wakes) = (handle.submit("taken", pending::<()>), handle.submit("last", || async { 8 }));
    show("the last before a stop", wakes);
    handle.call_soon_threadsafe(|event_loop| event_loop.stop());

    let has = from_loop.recv().unwrap();
    let meanwhile = handle.submit("meanwhile", || async { 2 });
    for_loop.send(()).unwrap();
    println!("the loop has {has}, and is {}:", from_loop.recv().unwrap());
    show("sent between two runs", meanwhile);
    let left = handle.submit("left", || async { 3 });
    for_loop.send(()).unwrap();

    println!("the loop is {}:", from_loop.recv().unwrap());
    show("a task that waited", taken);
    show("left in the inbox", left);
    show("sent to a closed loop", handle.submit("late", || async { 4 }));
    other.join().unwrap();
}
