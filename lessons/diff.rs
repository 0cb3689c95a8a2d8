//! `diff ch06`: the lines by which a stage differs from the one before. That change is the lesson.

use crate::course::{CHAPTERS, Chapter};

/// So many lines around a change are shown that are the same.
const CONTEXT: usize = 3;

/// One line of the change.
#[derive(PartialEq, Eq, Debug)]
pub enum Change<'a> {
    Same(&'a str),
    Removed(&'a str),
    Added(&'a str),
}

/// The change from the stage before; from nothing, for the first.
pub fn show(chapter: &Chapter) {
    let before = CHAPTERS.iter().rev().find(|other| other.number < chapter.number);
    let (old, new) = (before.map_or(String::new(), |before| without_tell(before.stage)), without_tell(chapter.stage));
    let changes = changes(&old, &new);
    for shown in shortened(&changes) {
        match shown {
            Some(Change::Same(line)) => println!("  {line}"),
            Some(Change::Removed(line)) => println!("- {line}"),
            Some(Change::Added(line)) => println!("+ {line}"),
            None => println!("…"),
        }
    }
    println!("{} lines added and removed, beside `tell`, which is the same in every stage.", count(&changes));
}

/// The changes with what is around them; `None`: lines that are the same are left out.
pub fn shortened<'a, 'b>(changes: &'b [Change<'a>]) -> Vec<Option<&'b Change<'a>>> {
    let is_near = |place: usize| {
        let around = place.saturating_sub(CONTEXT)..changes.len().min(place + CONTEXT + 1);
        changes[around].iter().any(|change| !matches!(change, Change::Same(_)))
    };
    let mut shown = Vec::new();
    for (place, change) in changes.iter().enumerate() {
        if is_near(place) {
            shown.push(Some(change));
        } else if shown.last() != Some(&None) {
            shown.push(None);
        }
    }
    shown
}

pub fn count(changes: &[Change<'_>]) -> usize {
    // An empty line is no change that anybody reads.
    let is_change = |change: &&Change<'_>| match change {
        Change::Same(_) => false,
        Change::Removed(line) | Change::Added(line) => !line.trim().is_empty(),
    };
    changes.iter().filter(is_change).count()
}

/// The part of a stage by which it tells what it does.
pub fn tell(stage: &str) -> Option<&str> {
    let start = stage.find("/// Who listens to what this stage does.")?;
    let tell = start + stage[start..].find("pub fn tell(")?;
    Some(&stage[start..tell + stage[tell..].find("\n}\n")? + 3])
}

pub fn without_tell(stage: &str) -> String {
    let stage = stage.replace("\r\n", "\n");
    match tell(&stage) {
        Some(tell) => stage.replace(tell, ""),
        None => stage,
    }
}

/// The fewest lines to remove and to add: the rest is the longest common subsequence.
pub fn changes<'a>(old: &'a str, new: &'a str) -> Vec<Change<'a>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    // `common[i][j]`: how many lines old[i..] and new[j..] have in common.
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] =
                if old[i] == new[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut changes) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            changes.push(Change::Same(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || i < old.len() && common[i + 1][j] >= common[i][j + 1] {
            changes.push(Change::Removed(old[i]));
            i += 1;
        } else {
            changes.push(Change::Added(new[j]));
            j += 1;
        }
    }
    changes
}
