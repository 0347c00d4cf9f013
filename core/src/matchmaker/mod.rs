//! The matchmaker: who is paired with whom.
