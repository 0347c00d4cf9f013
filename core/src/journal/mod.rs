//! The journal, sans-IO: frames and recovery decisions.
