//! The journal's files: segments, group commit, replay at start. Owns fsync.
