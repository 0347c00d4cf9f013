//! rustls on both sides.
