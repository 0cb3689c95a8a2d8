//! The course: its chapters, their exercises, and what their folders hold.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// One chapter that is here.
pub struct Chapter {
    pub number: u32,
    /// Its folder below `lessons`, and the target of its tests.
    pub name: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// The lesson, from which the hints are read.
    pub lesson: &'static str,
    pub stage: &'static str,
}

pub const CHAPTERS: &[Chapter] = &[
    Chapter {
        number: 1,
        name: "ch01_generators",
        title: "generators: functions that pause, and a scheduler of a few lines",
        lesson: include_str!("ch01_generators/README.md"),
        stage: include_str!("ch01_generators/stage.rs"),
    },
    Chapter {
        number: 2,
        name: "ch02_scheduler",
        title: "scheduler: a clock, and generators that say when they want to go on",
        lesson: include_str!("ch02_scheduler/README.md"),
        stage: include_str!("ch02_scheduler/stage.rs"),
    },
    Chapter {
        number: 3,
        name: "ch03_futures",
        title: "futures: poll, and the machine that the compiler writes",
        lesson: include_str!("ch03_futures/README.md"),
        stage: include_str!("ch03_futures/stage.rs"),
    },
    Chapter {
        number: 4,
        name: "ch04_pin",
        title: "pin: why a future that was polled must not move, and a join of two",
        lesson: include_str!("ch04_pin/README.md"),
        stage: include_str!("ch04_pin/stage.rs"),
    },
    Chapter {
        number: 5,
        name: "ch05_wakers",
        title: "wakers: who says that a task is worth a poll, and a thread that parks until then",
        lesson: include_str!("ch05_wakers/README.md"),
        stage: include_str!("ch05_wakers/stage.rs"),
    },
    Chapter {
        number: 6,
        name: "ch06_timers",
        title: "timers: one thread that watches all deadlines",
        lesson: include_str!("ch06_timers/README.md"),
        stage: include_str!("ch06_timers/stage.rs"),
    },
    Chapter {
        number: 7,
        name: "ch07_event_loop",
        title: "event loop: many tasks on one thread, a ready queue, and turns",
        lesson: include_str!("ch07_event_loop/README.md"),
        stage: include_str!("ch07_event_loop/stage.rs"),
    },
    Chapter {
        number: 8,
        name: "ch08_tasks",
        title: "tasks: states, handles, results and panics",
        lesson: include_str!("ch08_tasks/README.md"),
        stage: include_str!("ch08_tasks/stage.rs"),
    },
    Chapter {
        number: 9,
        name: "ch09_gather",
        title: "gather: results in the order of the arguments, and what a failure does",
        lesson: include_str!("ch09_gather/README.md"),
        stage: include_str!("ch09_gather/stage.rs"),
    },
    Chapter {
        number: 10,
        name: "ch10_cancellation",
        title: "cancellation: to cancel is to drop, timeouts, and closing the loop",
        lesson: include_str!("ch10_cancellation/README.md"),
        stage: include_str!("ch10_cancellation/stage.rs"),
    },
    Chapter {
        number: 11,
        name: "ch11_threads",
        title: "threads: a loop in a thread of its own, and what other threads ask of it",
        lesson: include_str!("ch11_threads/README.md"),
        stage: include_str!("ch11_threads/stage.rs"),
    },
];

/// The chapters whose exercises are here: in a clone all that have some, in a pack those that were handed out.
pub fn handed_out() -> impl Iterator<Item = &'static Chapter> {
    CHAPTERS.iter().filter(|chapter| chapter.is_handed_out())
}

/// Each chapter has so many exercises.
pub const EXERCISES: u32 = 3;

/// One exercise of a chapter.
#[derive(Clone, Copy)]
pub struct Exercise {
    pub chapter: &'static Chapter,
    /// From 1.
    pub number: u32,
}

impl Chapter {
    /// `ch01`, `ch01_generators`, `1`.
    ///
    /// # Errors
    /// A sentence that lists those that are here.
    pub fn find(name: &str) -> Result<&'static Chapter, String> {
        let is_meant =
            |chapter: &&Chapter| name == chapter.name || name == chapter.short() || name.parse() == Ok(chapter.number);
        CHAPTERS.iter().find(is_meant).ok_or_else(|| {
            let all: Vec<String> = CHAPTERS.iter().map(Chapter::short).collect();
            format!("There is no chapter {name} here: there is {}.", all.join(", "))
        })
    }

    /// `ch01`
    pub fn short(&self) -> String {
        format!("ch{:02}", self.number)
    }

    /// The same, if its exercises are here.
    ///
    /// # Errors
    /// A sentence.
    pub fn with_exercises(name: &str) -> Result<&'static Chapter, String> {
        let chapter = Chapter::find(name)?;
        if chapter.is_handed_out() {
            return Ok(chapter);
        }
        let here: Vec<String> = handed_out().map(Chapter::short).collect();
        Err(format!("The exercises of {} were not handed out: here are those of {}.", chapter.short(), here.join(", ")))
    }

    fn is_handed_out(&self) -> bool {
        root().join("lessons").join(self.name).join("given").is_dir()
    }

    pub fn exercises(&'static self) -> impl Iterator<Item = Exercise> {
        (1..=EXERCISES).map(move |number| Exercise { chapter: self, number })
    }
}

impl Exercise {
    /// # Errors
    /// A sentence that says which there are.
    pub fn find(chapter: &'static Chapter, number: &str) -> Result<Exercise, String> {
        let of_chapter = || chapter.exercises().find(|exercise| number.parse() == Ok(exercise.number));
        of_chapter()
            .or_else(|| chapter.exercises().find(|exercise| number == exercise.name()))
            .ok_or_else(|| format!("Chapter {} has exercises 1 to {EXERCISES}, and no {number}.", chapter.number))
    }

    /// `ex01_2`: its file and its target.
    pub fn name(&self) -> String {
        format!("ex{:02}_{}", self.chapter.number, self.number)
    }

    /// In one of the chapter's folders: `given`, `exercises`, `solutions`.
    pub fn file(&self, folder: &str) -> PathBuf {
        root().join("lessons").join(self.chapter.name).join(folder).join(format!("{}.rs", self.name()))
    }

    /// The same as the student types it.
    pub fn path(&self) -> String {
        format!("lessons/{}/exercises/{}.rs", self.chapter.name, self.name())
    }

    /// The hints of the lesson, each saying more than the one before.
    pub fn hints(&self) -> Vec<String> {
        hints(self.chapter.lesson, &self.name())
    }
}

/// What the lesson says about an exercise.
pub fn section(lesson: &str, exercise: &str) -> Option<String> {
    let lesson = lesson.replace("\r\n", "\n");
    let (_, section) = lesson.split_once(&format!("\n### {exercise}:"))?;
    section.split("\n### ").next().map(str::to_owned)
}

/// The texts behind the folds of an exercise's section.
pub fn hints(lesson: &str, exercise: &str) -> Vec<String> {
    let Some(section) = section(lesson, exercise) else { return vec![] };
    let folds = section.split("<details><summary>Hint ").skip(1);
    let text = |fold: &str| {
        let (_, text) = fold.split_once("</summary>")?;
        Some(text.split("</details>").next()?.trim().to_owned())
    };
    folds.filter_map(text).collect()
}

/// Where its files are: the folder that `cargo run` names, since a folder that was copied or moved with its `target` may
/// run what was built in another one. Without cargo, where this was built.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    let named =
        || std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).filter(|path| path.join("lessons").is_dir());
    ROOT.get_or_init(|| named().unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR"))))
}
