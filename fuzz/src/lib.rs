//! What the fuzz targets share: how they cut their input, where they put files, and what they run on.

mod engines;
mod input;
pub mod models;
mod scratch;
mod seeds;

pub use engines::engines;
pub use input::{Input, joined};
pub use scratch::{Scratch, block_on};
pub use seeds::plant;
