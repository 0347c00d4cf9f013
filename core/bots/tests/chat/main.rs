//! The anonymous chat, played through the real engine and matchmaker.

mod conversation;
mod money;
mod properties;
mod threads;
mod world;
