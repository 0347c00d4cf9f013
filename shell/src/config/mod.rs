//! Configuration: defaults < TOML < environment < flags; every value knows its origin.
