//! Exam results.
