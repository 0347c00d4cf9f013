//! The gate: duplicates, bans, rates.
