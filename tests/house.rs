//! What the project promises of itself: the front page is true, every statement and case has a test, and the source
//! keeps its rules.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}")).replace("\r\n", "\n")
}

/// Every file below `folder` whose name ends so, with its text.
fn files(folder: &str, end: &str) -> Vec<(PathBuf, String)> {
    fn visit(folder: &Path, end: &str, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, end, found);
            } else if path.to_string_lossy().ends_with(end) {
                found.push((path.clone(), fs::read_to_string(path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    visit(&root().join(folder), end, &mut found);
    assert!(!found.is_empty(), "no {end} file below {folder}");
    found
}

#[test]
fn readme_shows_the_first_program_as_it_stands() {
    let readme = read("README.md");
    let marker = "<!-- lessons/programs/gather.rs -->\n```rust\n";
    let start = readme.find(marker).expect("the marker before the program") + marker.len();
    let end = start + readme[start..].find("```").expect("the end of the program");
    assert_eq!(readme[start..end], read("lessons/programs/gather.rs"));
}

/// The numbers from `first` to `last` without some, as IDs of a group.
fn group(name: &str, last: u32, without: &[u32]) -> Vec<String> {
    (1..=last).filter(|number| !without.contains(number)).map(|number| format!("{name}-{number:02}")).collect()
}

fn statements_in_force() -> Vec<String> {
    [
        group("LOOP", 20, &[17]),
        group("SOON", 8, &[]),
        group("TIME", 14, &[]),
        group("TSAFE", 11, &[]),
        group("TASK", 20, &[9, 13]),
        group("CANC", 19, &[]),
        group("SLP", 5, &[]),
        group("GATH", 15, &[]),
        group("TMO", 14, &[9]),
        group("RCT", 20, &[]),
        group("EXEC", 8, &[7]),
        group("RUN", 3, &[]),
        group("RUST", 12, &[]),
        group("DBG", 10, &[3, 4, 5, 6, 9]),
        group("FUT", 10, &[3, 5, 6, 7, 8, 9]),
    ]
    .concat()
}

fn cases() -> Vec<u32> {
    const MISSING: &[u32] = &[17, 30, 41, 45, 49, 59, 63, 74, 77, 82, 83, 84, 85, 87, 88, 90, 91, 92, 93, 95, 99, 104];
    (1..=111).filter(|case| !MISSING.contains(case)).collect()
}

/// The doc comments of the tests, and the text between the examples that must not compile.
fn claims() -> String {
    let mut claims = String::new();
    for (_, text) in files("tests", ".rs") {
        for line in text.lines().filter(|line| line.trim_start().starts_with("///")) {
            claims.push_str(line.trim_start().trim_start_matches('/'));
            claims.push('\n');
        }
        claims.push('\n');
    }
    claims + &read("tests/types.md")
}

/// The numbers that follow "case" or "cases": "Cases 5, 7 and 10-12".
fn named_cases(claims: &str) -> BTreeSet<u32> {
    let mut named = BTreeSet::new();
    let lower = claims.to_lowercase();
    for (at, _) in lower.match_indices("case") {
        let rest = lower[at + 4..].trim_start_matches('s');
        if !rest.starts_with([' ', '\n']) {
            continue;
        }
        let list: String = rest
            .chars()
            .map(|letter| if letter == '\n' { ' ' } else { letter })
            .take_while(|letter| letter.is_ascii_digit() || " ,-–+and".contains(*letter))
            .collect();
        for item in list.split([',', ' ', '+']).filter(|item| !item.is_empty()) {
            let ends: Vec<u32> = item.split(['-', '–']).filter_map(|number| number.parse().ok()).collect();
            match ends[..] {
                [one] => drop(named.insert(one)),
                [first, last] => named.extend(first..=last),
                _ => {}
            }
        }
    }
    named
}

#[test]
fn every_statement_in_force_has_a_test_that_carries_its_id() {
    let claims = claims();
    let missing: Vec<String> = statements_in_force().into_iter().filter(|id| !claims.contains(id.as_str())).collect();
    assert_eq!(missing, [""; 0], "no doc comment of a test carries these");
}

#[test]
fn every_case_has_a_test_that_carries_its_number() {
    let named = named_cases(&claims());
    let missing: Vec<u32> = cases().into_iter().filter(|case| !named.contains(case)).collect();
    assert_eq!(missing, [0; 0], "no doc comment of a test carries these");
}

#[test]
fn lists_of_cases_are_read_as_written() {
    assert_eq!(
        named_cases("/// Case 5. /// Cases 7, 9 and 11-13: all. (case 20)\n in any case, 4 tasks"),
        BTreeSet::from([5, 7, 9, 11, 12, 13, 20])
    );
}

/// A checker of interleavings can then stand in for all of them.
#[test]
fn only_the_facade_names_locks_atomics_and_threads() {
    for (path, text) in files("src", ".rs") {
        if path.ends_with("src/sync.rs") {
            continue;
        }
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            assert!(!line.contains("std::sync") && !line.contains("std::thread"), "{}: {line}", path.display());
        }
    }
}

#[test]
fn unsafe_code_is_in_the_wakers_and_the_task_alone() {
    for (path, text) in files("src", ".rs") {
        let may =
            path.ends_with("waker.rs") || path.ends_with("src/task.rs") || path.parent().unwrap().ends_with("task");
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            assert!(may || !line.contains("unsafe ") && !line.contains("unsafe{"), "{}: {line}", path.display());
        }
    }
}

/// A safety comment is a claim that needs a test: the tests that they name in parentheses exist.
#[test]
fn tests_that_safety_comments_name_exist() {
    let tests: String = files("tests", ".rs").into_iter().map(|(_, text)| text).collect();
    let mut named = 0;
    for (path, text) in files("src", ".rs") {
        for line in text.lines().map(str::trim_start).filter(|line| line.starts_with("//")) {
            let Some((_, name)) = line.rsplit_once('(') else { continue };
            let name = name.trim_end_matches(['.', ')']);
            if name.matches('_').count() >= 2 && name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '6') {
                named += 1;
                assert!(tests.contains(&format!("fn {name}(")), "{} names {name}, which no test is", path.display());
            }
        }
    }
    assert!(named > 5, "the names were found");
}

#[test]
fn package_has_no_dependency_but_the_one_for_tests() {
    let manifest = read("Cargo.toml");
    let dependencies: Vec<&str> = manifest
        .split("\n[")
        .filter(|section| section.contains("dependencies]"))
        .flat_map(|section| section.lines().skip(1))
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .collect();
    assert_eq!(dependencies, [r#"proptest = { version = "1", default-features = false, features = ["std"] }"#]);
}
