//! Token buckets: GCRA on one word, and the lane's window.
