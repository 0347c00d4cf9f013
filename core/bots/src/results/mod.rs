//! Exam results.
pub mod dataset;
pub mod hash;
