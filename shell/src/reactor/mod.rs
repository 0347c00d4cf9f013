//! mio loops: read all, decide all, commit once, write all. Timers, accept, connection limits.
