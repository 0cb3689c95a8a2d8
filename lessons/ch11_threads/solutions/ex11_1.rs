//! Exercise 11.1: not written yet.
