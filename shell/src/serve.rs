//! The composition root: the one file that sees every room.
