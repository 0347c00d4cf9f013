//! What fuzz targets share: small worlds that arbitrary operations are played in.

pub mod engine;
mod list;
pub mod pairs;
