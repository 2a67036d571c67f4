//! Audio as bytes on the wire and as samples in the pipeline.

mod format;
mod resample;

pub use format::{Encoding, Format, FormatError};
pub use resample::{ResampleError, Resampler};
