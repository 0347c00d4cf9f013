//! The referee: an emulated Telegram, students, profiles, an auditor, reports.

pub mod wire;
