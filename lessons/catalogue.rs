//! The programs that can be run, and what it takes to run and to show each.

use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;

use handloop::Builder;

use crate::player::{Source, told};
use crate::{ch01_generators, programs};

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
    Told(fn(), &'static OnceLock<told::Listener>),
}

/// How long blocking work takes: it is real time, over which no clock can jump.
#[derive(Clone, Copy)]
pub struct Blocking(pub Duration);

pub const PROGRAMS: [Program; 4] = [
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
        run: Run::Told(ch01_generators::main, &ch01_generators::PLAYER),
    },
];
