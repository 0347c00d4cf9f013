//! Updates in: secret token, limits, decode, engine; the 200 waits for the commit.
