//! Exercise 11.3: not written yet.
