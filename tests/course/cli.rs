//! The front door as its user meets it: the real binary, its output, its exit status.

use std::process::{Command, Stdio};

use crate::tools::handloop;

fn text(bytes: &[u8]) -> Vec<String> {
    String::from_utf8(bytes.to_vec()).unwrap().replace('\\', "/").lines().map(str::to_owned).collect()
}

const GATHER: [&str; 7] = [
    "waiting: 1",
    "waiting: 2",
    "waiting: 4",
    "Task ret: Done after 1s",
    "Task ret: Done after 2s",
    "Task ret: Done after 4s",
    "Time: 4.000",
];

#[test]
fn gather_on_the_virtual_clock_takes_exactly_four_seconds() {
    let output = handloop(&["gather", "--fast"]);
    assert!(output.status.success());
    assert_eq!(text(&output.stdout), GATHER);
    assert_eq!(text(&output.stderr), [""; 0]);
}

/// RCT-01. The headline: 6 and 4 are submitted, 4 is done before 6, and 6 seconds pass in all.
#[test]
fn threads_on_the_virtual_clock_takes_exactly_six_seconds() {
    let output = handloop(&["--fast", "threads"]);
    assert!(output.status.success());
    assert_eq!(
        text(&output.stdout),
        [
            "TIME: 0.000",
            "Waiting 6",
            "Waiting 4",
            "Done after 4s",
            "Done after 6s",
            "Time: 6.000",
            "more_work on the loop:",
            "More work 1",
            "Finished more work 1",
            "The loop had no time until now.",
            "more_work through run_in_executor:",
            "More work 1",
            "The loop is free meanwhile.",
            "Finished more work 1",
        ]
    );
    // Only the work on the loop is slow.
    let reports = text(&output.stderr);
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(reports[0].starts_with("handloop: a callback (from lessons/programs/threads.rs:"), "{reports:?}");
    assert!(reports[0].contains(" blocked its loop for "), "{reports:?}");
}

#[test]
fn gather_in_real_time_takes_at_least_four_seconds() {
    let start = std::time::Instant::now();
    let output = handloop(&["gather"]);
    assert!(start.elapsed() >= std::time::Duration::from_secs(4));
    assert!(output.status.success());
    let lines = text(&output.stdout);
    assert_eq!(lines[..6], GATHER[..6]);
    let seconds: f64 = lines[6].strip_prefix("Time: ").unwrap().parse().unwrap();
    assert!(seconds >= 4.0);
}

#[test]
fn without_arguments_it_shows_what_there_is_and_runs_the_first() {
    let output = handloop(&["--fast"]);
    assert!(output.status.success());
    let lines = text(&output.stdout);
    for name in ["gather", "threads", "--fast"] {
        assert!(lines.iter().any(|line| line.trim_start().starts_with(name)), "{lines:?}");
    }
    assert_eq!(lines[lines.len() - GATHER.len()..], GATHER);
}

#[test]
fn help_is_no_error() {
    for option in ["--help", "-h"] {
        let output = handloop(&[option]);
        assert!(output.status.success());
        assert!(text(&output.stdout)[0].starts_with("handloop: "));
    }
}

#[test]
fn unknown_name_or_option_is_one_sentence_and_status_2() {
    for (arguments, sentence) in [
        (["nope"].as_slice(), "handloop: There is no program nope: cargo run -- --help lists what there is."),
        (&["--nope"], "handloop: There is no option --nope: cargo run -- --help lists what there is."),
        (&["gather", "threads"], "handloop: One program at a time, please."),
    ] {
        let output = handloop(arguments);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(text(&output.stderr), [sentence]);
        assert_eq!(text(&output.stdout), [""; 0]);
    }
}

#[test]
fn closed_output_pipe_ends_in_silence() {
    for program in ["gather", "threads"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_handloop"))
            .args([program, "--fast"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(text(&output.stderr), [""; 0]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn full_disk_is_one_sentence_and_status_1() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_handloop")).arg("--fast").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let lines = text(&output.stderr);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("handloop: standard output cannot be written: "), "{lines:?}");
}
