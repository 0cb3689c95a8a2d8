//! The programs that can be run, and what it takes to run and to show each.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use handloop::Builder;

use crate::player::{Source, told};
use crate::{
    ch01_generators, ch02_scheduler, ch03_futures, ch04_pin, ch05_wakers, ch06_timers, ch07_event_loop, ch08_tasks,
    ch09_gather, ch10_cancellation, ch11_threads, programs,
};

impl Program {
    /// By its own name, or by that of a chapter's folder.
    pub fn find(name: &str) -> Option<&'static Program> {
        let short = name.split_once('_').map_or(name, |(short, _)| short);
        let chapter = || crate::course::CHAPTERS.iter().any(|chapter| chapter.name == name);
        PROGRAMS.iter().find(|known| known.name == name || known.name == short && chapter())
    }
}

pub struct Program {
    pub name: &'static str,
    pub what: &'static str,
    pub sources: &'static [Source],
    pub run: Run,
}

/// How a program is run.
#[derive(Clone, Copy)]
pub enum Run {
    /// On a loop of handloop's.
    OnLoop(fn(Builder, Blocking) -> Result<(), Box<dyn Error>>),
    /// On a machine of its own, which tells what it does to whoever is set as its listener.
    Told {
        run: fn(),
        /// The same on a virtual clock: `run` itself where the stage has none.
        fast: fn(),
        listener: &'static OnceLock<told::Listener>,
    },
}

/// How long blocking work takes: it is real time, over which no clock can jump.
#[derive(Clone, Copy)]
pub struct Blocking(pub Duration);

/// Between two rounds of a loop that cannot know when to poll: what `main` of those stages has.
const PAUSE: Duration = Duration::from_millis(500);

pub const PROGRAMS: [Program; 14] = [
    Program {
        name: "gather",
        what: "three sleeps of 1, 2 and 4 seconds, together: 4 seconds",
        sources: &[Source { path: "lessons/programs/gather.rs", text: include_str!("programs/gather.rs") }],
        run: Run::OnLoop(|builder, _| Ok(programs::gather::run(&builder.build())?)),
    },
    Program {
        name: "threads",
        what: "a loop in another thread: 6 and 4 seconds, together 6; then work that blocks",
        sources: &[Source { path: "lessons/programs/threads.rs", text: include_str!("programs/threads.rs") }],
        run: Run::OnLoop(|builder, Blocking(time)| programs::threads::run(builder, time)),
    },
    Program {
        name: "lost_waker",
        what: "a bell with room for one waker, and two who wait: it stalls",
        sources: &[Source { path: "lessons/programs/lost_waker.rs", text: include_str!("programs/lost_waker.rs") }],
        run: Run::OnLoop(|builder, _| programs::lost_waker::run(&builder.build())),
    },
    Program {
        name: "ch01",
        what: "chapter 1, generators: two that count down in turn, on a scheduler of a few lines",
        sources: &[Source { path: "lessons/ch01_generators/stage.rs", text: include_str!("ch01_generators/stage.rs") }],
        run: Run::Told { run: ch01_generators::main, fast: ch01_generators::main, listener: &ch01_generators::PLAYER },
    },
    Program {
        name: "ch02",
        what: "chapter 2, scheduler: three that sleep 1, 2 and 4 seconds, and wake by the clock",
        sources: &[Source { path: "lessons/ch02_scheduler/stage.rs", text: include_str!("ch02_scheduler/stage.rs") }],
        run: Run::Told {
            run: ch02_scheduler::main,
            fast: || ch02_scheduler::article(&ch02_scheduler::Clock::Virtual(Cell::default())),
            listener: &ch02_scheduler::PLAYER,
        },
    },
    Program {
        name: "ch03",
        what: "chapter 3, futures: the same three as futures, polled until they are ready",
        sources: &[Source { path: "lessons/ch03_futures/stage.rs", text: include_str!("ch03_futures/stage.rs") }],
        run: Run::Told {
            run: ch03_futures::main,
            fast: || ch03_futures::article(&ch03_futures::Clock::Virtual(Cell::default()), PAUSE),
            listener: &ch03_futures::PLAYER,
        },
    },
    Program {
        name: "ch04",
        what: "chapter 4, pin: the same three in one task, joined",
        sources: &[Source { path: "lessons/ch04_pin/stage.rs", text: include_str!("ch04_pin/stage.rs") }],
        run: Run::Told {
            run: ch04_pin::main,
            fast: || ch04_pin::article(&ch04_pin::Clock::Virtual(Cell::default()), PAUSE),
            listener: &ch04_pin::PLAYER,
        },
    },
    Program {
        name: "ch05",
        what: "chapter 5, wakers: the same, and the thread parks until a sleep wakes it",
        sources: &[Source { path: "lessons/ch05_wakers/stage.rs", text: include_str!("ch05_wakers/stage.rs") }],
        run: Run::Told {
            run: ch05_wakers::main,
            fast: || ch05_wakers::article(&ch05_wakers::Clock::Virtual(Cell::default(), RefCell::default())),
            listener: &ch05_wakers::PLAYER,
        },
    },
    Program {
        name: "ch06",
        what: "chapter 6, timers: the same, with one timer thread for all sleeps",
        sources: &[Source { path: "lessons/ch06_timers/stage.rs", text: include_str!("ch06_timers/stage.rs") }],
        run: Run::Told {
            run: ch06_timers::main,
            fast: || ch06_timers::article(&ch06_timers::Clock::new(ch06_timers::Time::Virtual(Mutex::default()))),
            listener: &ch06_timers::PLAYER,
        },
    },
    Program {
        name: "ch07",
        what: "chapter 7, event loop: two tasks and a callback on one thread, polled in turns",
        sources: &[Source { path: "lessons/ch07_event_loop/stage.rs", text: include_str!("ch07_event_loop/stage.rs") }],
        run: Run::Told {
            run: ch07_event_loop::main,
            fast: || {
                ch07_event_loop::article(&ch07_event_loop::Clock::new(ch07_event_loop::Time::Virtual(Mutex::default())))
            },
            listener: &ch07_event_loop::PLAYER,
        },
    },
    Program {
        name: "ch08",
        what: "chapter 8, tasks: three tasks, and one that waits for their handles",
        sources: &[Source { path: "lessons/ch08_tasks/stage.rs", text: include_str!("ch08_tasks/stage.rs") }],
        run: Run::Told {
            run: ch08_tasks::main,
            fast: || ch08_tasks::article(&ch08_tasks::Clock::new(ch08_tasks::Time::Virtual(Mutex::default()))),
            listener: &ch08_tasks::PLAYER,
        },
    },
    Program {
        name: "ch09",
        what: "chapter 9, gather: the article's first program, whole",
        sources: &[Source { path: "lessons/ch09_gather/stage.rs", text: include_str!("ch09_gather/stage.rs") }],
        run: Run::Told {
            run: ch09_gather::main,
            fast: || ch09_gather::article(&ch09_gather::Clock::new(ch09_gather::Time::Virtual(Mutex::default()))),
            listener: &ch09_gather::PLAYER,
        },
    },
    Program {
        name: "ch10",
        what: "chapter 10, cancellation: one task ends, one is cancelled, one is left when the loop closes",
        sources: &[Source {
            path: "lessons/ch10_cancellation/stage.rs",
            text: include_str!("ch10_cancellation/stage.rs"),
        }],
        run: Run::Told {
            run: ch10_cancellation::main,
            fast: || {
                ch10_cancellation::article(&ch10_cancellation::Clock::new(ch10_cancellation::Time::Virtual(
                    Mutex::default(),
                )))
            },
            listener: &ch10_cancellation::PLAYER,
        },
    },
    Program {
        name: "ch11",
        what: "chapter 11, threads: the article's second program, whole",
        sources: &[Source { path: "lessons/ch11_threads/stage.rs", text: include_str!("ch11_threads/stage.rs") }],
        run: Run::Told {
            run: ch11_threads::main,
            fast: || ch11_threads::article(&ch11_threads::Clock::new(ch11_threads::Time::Virtual(Mutex::default()))),
            listener: &ch11_threads::PLAYER,
        },
    },
];
