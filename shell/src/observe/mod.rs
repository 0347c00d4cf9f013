//! Metrics and logs. Every name is a constant; no user id in a label, no secret anywhere.
