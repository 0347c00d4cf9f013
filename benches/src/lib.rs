//! What the benches share: peers and traffic profiles. The benches themselves are in `benches/`.

pub mod serve;
