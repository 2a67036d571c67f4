//! What the fuzz targets share: how they cut their input, and where they put files.

mod input;
pub mod models;
mod scratch;
mod seeds;

pub use input::{Input, joined};
pub use scratch::{Scratch, block_on};
pub use seeds::plant;
