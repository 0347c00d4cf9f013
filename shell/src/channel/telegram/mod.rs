//! Telegram Bot API: decode, encode, verdict.
