//! The admin listener: /metrics, /stats and what only an operator may see. Speaks commands to the
//! engine, never edits state.
