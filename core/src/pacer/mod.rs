//! The pacer: which envelope leaves when, on which lane.
