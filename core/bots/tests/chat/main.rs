//! The anonymous chat, played through the real engine and matchmaker.

mod conversation;
mod properties;
mod world;
