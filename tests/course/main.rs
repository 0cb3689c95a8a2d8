//! The course as its users meet it. One program, so that all of it runs side by side.
//!
//! | file | its one idea |
//! |---|---|
//! | `lessons` | what a page says is true: its code, its outputs, its steps, its links |
//! | `answers` | the judge of the exercises: what is given fails, each solution passes, each wrong answer is rejected |
//! | `cli` | whoever types a command, or a wrong one |
//! | `forms` | whoever steps through a program, in each form; `browser`: in a real browser |
//! | `desk` | the student: `check`, `hint`, `progress`, `solution`, `reset`, `doctor`, `diff`, `show` |
//! | `classroom` | the teacher: `pack`, `grade` |
//! | `tools` | what they have in common |

#[allow(dead_code, missing_docs)]
#[path = "../../lessons/checker/mod.rs"]
mod checker;
#[allow(dead_code, missing_docs)]
#[path = "../../lessons/course.rs"]
mod course;
#[allow(dead_code, missing_docs)]
#[path = "../../lessons/diff.rs"]
mod diff;

mod answers;
mod browser;
mod classroom;
mod cli;
mod desk;
mod forms;
mod lessons;
mod tools;
