//! The article's second program: a loop in another thread, to which the main thread submits coroutines.
//!
//! Then `more_work`, which blocks the thread that it runs on, in both its ways.

use std::error::Error;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use handloop::{Builder, run_in_executor, sleep};

async fn do_some_work(x: u64) {
    println!("Waiting {x}");
    sleep(Duration::from_secs(x)).await;
    println!("Done after {x}s");
}

fn more_work(x: u64, work: impl FnOnce()) {
    println!("More work {x}");
    work();
    println!("Finished more work {x}");
}

pub fn run(builder: Builder, block_for: Duration) -> Result<(), Box<dyn Error>> {
    // An EventLoop stays on the thread that made it. Its handle goes anywhere.
    let (send, receive) = channel();
    let loop_thread = thread::spawn(move || {
        let event_loop = builder.build();
        send.send(event_loop.handle()).expect("the main thread waits for the handle");
        event_loop.run_forever();
    });
    let handle = receive.recv()?;

    let start = handle.time();
    println!("TIME: {:.3}", (handle.time() - start).as_secs_f64());
    let hold = handle.hold_clock(); // both submissions are one moment
    let tasks = [6, 4].map(|x| handle.submit(do_some_work(x)));
    drop(hold);
    for task in tasks {
        task.result()?;
    }
    println!("Time: {:.3}", (handle.time() - start).as_secs_f64());

    println!("more_work on the loop:");
    let (started, has_started) = channel();
    handle.call_soon_threadsafe(move || {
        more_work(1, || {
            started.send(()).expect("the main thread waits for this");
            thread::sleep(block_for);
        });
    })?;
    has_started.recv()?;
    handle.submit(async { println!("The loop had no time until now.") }).result()?;

    println!("more_work through run_in_executor:");
    let (started, has_started) = channel();
    let (answered, has_answered) = channel();
    let job = handle.submit_with(move || {
        run_in_executor(move || {
            more_work(1, || {
                started.send(()).expect("the main thread waits for this");
                thread::sleep(block_for);
                // It works until the loop has answered, so that the order of the lines is always this one.
                has_answered.recv().expect("the main thread sends this");
            });
        })
    });
    has_started.recv()?;
    handle.submit(async { println!("The loop is free meanwhile.") }).result()?;
    answered.send(())?;
    job.result()??;

    handle.stop();
    loop_thread.join().expect("the loop's thread does not panic");
    Ok(())
}
