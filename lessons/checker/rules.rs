//! The rules of the course: a number and a sentence each. Lessons, messages and tests cite them by number.

/// A rule of chapter `n` is numbered `n.1`, `n.2`, …
pub const RULES: &[(&str, &str)] = &[
    ("1.1", "A generator runs only while it is resumed, from where it paused to its next pause or its end."),
    ("1.2", "What a generator needs after a pause is in its own fields, and nowhere else."),
    ("1.3", "A generator that is complete is over: nobody resumes it again."),
    ("1.4", "A generator that delegates pauses wherever its inner generator pauses, and nowhere else."),
    ("1.5", "When the inner generator is complete, the outer one goes on with the result, in the same resume."),
    ("1.6", "A scheduler resumes each ready generator once before it resumes any of them again."),
    ("1.7", "A generator that yields is ready again, behind all others; one that is complete is gone."),
    ("1.8", "A round ends: what becomes ready during a round is for the next one."),
];

/// The sentence of a rule.
pub fn sentence(number: &str) -> Option<&'static str> {
    RULES.iter().find(|(known, _)| *known == number).map(|(_, sentence)| *sentence)
}
