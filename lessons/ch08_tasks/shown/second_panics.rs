//! The program of this chapter on a virtual clock, but the task of 2 seconds panics: what the hook prints, and when.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::Mutex;

use stage::{Clock, EventLoop, Time, do_some_work, join};

#[allow(dead_code)]
#[path = "../stage.rs"]
mod stage;

fn main() {
    let clock = Clock::new(Time::Virtual(Mutex::default()));
    let of_the_hook = clock.clone();
    set_hook(Box::new(move |panic| {
        let text = panic.payload().downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| panic.payload().downcast_ref::<String>().cloned());
        println!("the hook, at {} s: {}", of_the_hook.now().as_secs(), text.unwrap_or_default());
    }));
    let clock = &clock;
    let work = |x| async move {
        let word = do_some_work(clock, x).await;
        assert!(x != 2, "on purpose");
        word
    };
    let article = || {
        let event_loop = EventLoop::new(clock);
        let [one, two, four] = [1, 2, 4].map(|x| event_loop.spawn(&format!("work({x})"), work(x)));
        let ((one, two), four) = event_loop.run_until_complete(join(join(one, two), four));
        for word in [one, two, four].map(Result::unwrap) {
            println!("{word}");
        }
    };
    catch_unwind(AssertUnwindSafe(article)).expect_err("one of the results is a panic");
}
