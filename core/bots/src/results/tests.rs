//! The conversation, and the promise that nobody gets another's marks.

mod conversation;
mod nobody_elses;
mod world;
