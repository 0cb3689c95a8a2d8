//! Exercise 11.2: not written yet.
