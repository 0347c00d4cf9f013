//! The referee: an emulated Telegram, students, profiles, an auditor, reports.
//!
//! It plays both ends of the server under test, sees each update and each answer, and shares no code with
//! it. Imports run downward:
//!
//! ```text
//! cli -> { selftest, peers } -> rehearse -> { telegram, replay, report } -> { auditor, profile } -> { student,
//! dataset } -> wire
//! ```

pub mod auditor;
pub mod cli;
pub mod dataset;
pub mod peers;
pub mod profile;
pub mod rehearse;
pub mod replay;
pub mod report;
pub mod selftest;
pub mod student;
pub mod telegram;
pub mod wire;
