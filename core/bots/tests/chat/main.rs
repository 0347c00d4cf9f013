//! The anonymous chat, played through the real engine and matchmaker.

mod admin;
mod channels;
mod conversation;
mod money;
mod properties;
mod referrals;
mod threads;
mod world;
