//! Audio as bytes on the wire and as samples in the pipeline.

mod chunk;
mod format;
mod resample;

pub use chunk::{ChunkDecoder, ChunkEncoder};
pub use format::{Encoding, Format, FormatError};
pub use resample::{ResampleError, Resampler};
