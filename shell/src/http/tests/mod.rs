//! Tests of the codec, one file a subject.
