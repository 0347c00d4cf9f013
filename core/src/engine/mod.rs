//! The engine: runs every input to completion.
