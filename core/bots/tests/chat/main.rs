//! The anonymous chat, played through the real engine and matchmaker.

mod admin;
mod channels;
mod conversation;
mod full;
mod late;
mod money;
mod properties;
mod referrals;
mod searches;
mod threads;
mod world;
