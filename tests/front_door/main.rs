//! The front door: the binary as its users meet it. One program, so that they run side by side.
//!
//! | file | who meets it |
//! |---|---|
//! | `cli` | whoever types a command, or a wrong one |
//! | `forms` | whoever steps through a program, in each form; `browser`: in a real browser |
//! | `desk` | the student: `check`, `hint`, `progress`, `solution`, `reset`, `doctor`, `diff`, `show` |
//! | `classroom` | the teacher: `pack`, `grade` |

mod cli;
mod forms;
mod browser;
mod desk;
mod classroom;
